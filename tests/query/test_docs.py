"""docs/filters.md names every field and every short name, and its examples are filters."""

from __future__ import annotations

import re
from pathlib import Path

from vitui.query.filters import parse
from vitui.query.run_fields import ALIASES, RUN_FIELDS

TEXT = (Path(__file__).resolve().parents[2] / "docs/filters.md").read_text(encoding="utf-8")


def test_every_field_is_described_as_the_program_describes_it() -> None:
    for field in RUN_FIELDS.values():
        assert f"| {field.kind} | {field.help} |" in TEXT and f"`{field.key}`" in TEXT, field.key
    assert all(f"`{alias}`" in TEXT for alias in ALIASES)


def test_the_examples_can_be_read() -> None:
    table = TEXT.partition("## The filter")[2].partition("Terms side by side")[0]
    examples = [code for line in table.splitlines() for code in re.findall(r"`([^`]+)`", line.partition(" | ")[0])]
    assert len(examples) > 15
    assert [code for code in examples if parse(code).problem or not parse(code)] == []
