"""The published value that a variant's row shows, out of all that is known of its recipe. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.references import text_of

if TYPE_CHECKING:
    from engine.recipe import Reference
    from vitui.studies.variants import Variant


@dataclass(frozen=True, slots=True)
class Published:
    """What somebody else reported for a recipe: a value of a metric on a split, or what happened instead."""

    metric: str
    split: str
    value: float | None
    tolerance: float
    outcome: str
    kind: str
    source: str
    text: str
    """The value in as many decimals as its source has, or the outcome."""


def published_of(variant: Variant, metric: str) -> Published | None:
    """The one shown in its row: of the report's metric, one that is about the very recipe before one about any."""
    known = [one for one in variant.references if one.metric == metric and (one.value is not None or one.outcome)]
    chosen = next((one for one in known if one.when), known[0] if known else None)
    return None if chosen is None else _of(chosen)


def document_of(source: str) -> str:
    """A source without the row and column of its table, so that values from one table share it."""
    return re.split(r",? (?:row|column) ", source, maxsplit=1)[0]


def _of(reference: Reference) -> Published:
    return Published(
        reference.metric,
        reference.split,
        reference.value,
        reference.tolerance,
        reference.outcome,
        reference.kind,
        reference.source,
        text_of(reference),
    )
