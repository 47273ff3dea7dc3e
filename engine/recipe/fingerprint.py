"""What a recipe trains, as a short text: two runs of one fingerprint and one seed are the same experiment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from engine.recipe.errors import UNION_TAGS
from engine.recipe.schema import DEFAULT_TAGS, Recipe

SEED: Final = "train.seed"
BOOKKEEPING: Final = frozenset({
    "train.threads", "train.log_every", "train.checkpoint_every_epochs", "train.checkpoint_every_steps",
})  # fmt: skip
"""Fields that decide how a run is kept, not what it computes."""
DIGITS: Final = 12


def fingerprint(flat: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of a recipe's leaves (`Recipe.flat`), without its seed and without `BOOKKEEPING`.

    Leaves that have the schema's default do not count, so that a field that is added later, with a default that
    changes nothing, leaves the fingerprints of earlier runs as they are.
    """
    usual = _defaults(*(_tag(flat, section) for section in DEFAULT_TAGS))
    told = {
        key: _plain(value)
        for key, value in flat.items()
        if key != SEED and key not in BOOKKEEPING and not (key in usual and _plain(usual[key]) == _plain(value))
    }
    text = json.dumps(told, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def _tag(flat: Mapping[str, Any], section: str) -> str:
    """The variant of a tagged section; its default where a file edited by hand names one that does not exist."""
    told = flat.get(f"{section}.name")
    return told if told in UNION_TAGS[section] else DEFAULT_TAGS[section]


@cache
def _defaults(optim: str, schedule: str) -> Mapping[str, Any]:
    flat = Recipe.model_validate({"optim": {"name": optim}, "schedule": {"name": schedule}}).flat()
    # The tags themselves count only where they are not the usual ones: defaults are those of their variant.
    return flat | {f"{section}.name": tag for section, tag in DEFAULT_TAGS.items()}


def _plain(value: Any) -> Any:
    """Numbers as floats: a file may say 1 where another says 1.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value) if abs(value) < 2**1000 else str(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
