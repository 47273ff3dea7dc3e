"""Recipe fields of several runs beside each other. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vitui.comparing.facts import RunFacts
from vitui.comparing.table import NOTHING, Cell, Row
from vitui.display import value as shown

ARROW = " → "
_MISSING = object()


def field_rows(runs: Sequence[RunFacts]) -> tuple[Row, ...]:
    """A row for each leaf that any of the recipes has, in the order of the recipe; sections stay together."""
    keys = dict.fromkeys(key for facts in runs for key in (*facts.raw, *facts.config))
    sections = {section: n for n, section in enumerate(dict.fromkeys(key.partition(".")[0] for key in keys))}
    rows = []
    for key in sorted(keys, key=lambda key: sections[key.partition(".")[0]]):
        differs = _differs([facts for facts in runs if not facts.problem], key)
        rows.append(Row(key, key, tuple(_cell(facts, key) for facts in runs), differs))
    return tuple(rows)


def _differs(runs: Sequence[RunFacts], key: str) -> bool:
    """Whether the trainer does not work with the same value in all of them.

    What it has not settled yet (a run that waits) is the same where the same was asked for.
    """
    if len(runs) < 2:
        return False
    if not all(facts.resolved for facts in runs) and _same([facts.raw.get(key, _MISSING) for facts in runs]):
        return False
    return not _same([facts.config.get(key, _MISSING) for facts in runs])


def _same(values: Sequence[Any]) -> bool:
    return all(value == values[0] for value in values[1:])


def _cell(facts: RunFacts, key: str) -> Cell:
    """Its value, with what was asked for where the trainer made something else of it: ``auto → 64``."""
    if facts.problem:
        return Cell("–", note=facts.problem)
    if key not in facts.config:
        return NOTHING
    value, raw = facts.config[key], facts.raw.get(key, facts.config[key])
    if value != raw:
        return Cell(f"{shown(raw)}{ARROW}{shown(value)}", value, note=f"asked for {shown(raw)}")
    if value == "auto" and not facts.resolved:
        return Cell(shown(value), value, note="the trainer settles it when it starts")
    return Cell(shown(value), value)
