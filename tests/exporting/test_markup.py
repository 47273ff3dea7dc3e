"""YAML that any reader reads back, and Markdown that no text of a run can break out of."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml as reader
from hypothesis import given
from hypothesis import strategies as st

from vitui.exporting.markup import code, fenced, table, yaml
from vitui.text import safe

LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**12), 10**12), st.floats(allow_nan=False), st.text(max_size=20),
    st.sampled_from(["yes", "No", "1.0", "~", "null", "- x", "a: b", "#", "1e3", "0x1f", "2020-01-01", "@", "x" * 300]),
)  # fmt: skip
TREES = st.dictionaries(
    st.sampled_from(["name", "model-index", "value", "tags", "split"]),
    st.recursive(
        LEAVES,
        lambda inner: st.lists(st.one_of(LEAVES, st.dictionaries(st.sampled_from(["a", "b_c"]), inner)), max_size=3),
        max_leaves=6,
    ),
)


def made_safe(value: Any) -> Any:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, dict):
        return {key: made_safe(item) for key, item in value.items()}
    return [made_safe(item) for item in value] if isinstance(value, list) else value


@given(TREES)
def test_yaml_reads_back(tree: dict[str, Any]) -> None:
    if not tree:
        return
    found = reader.safe_load(yaml(tree))
    assert found == made_safe(tree)
    assert repr(found) == repr(made_safe(tree)), "and a number is no text, a flag no number"


@pytest.mark.parametrize("value", [math.inf, -math.inf, 1e-6, 1e22, -1.5e-300, 5e-324, 42.5, 0.0])
def test_yaml_numbers_are_numbers(value: float) -> None:
    found = reader.safe_load(yaml({"value": value}))["value"]
    assert isinstance(found, float) and found == value


def test_yaml_nan() -> None:
    assert math.isnan(reader.safe_load(yaml({"value": math.nan}))["value"])


@given(st.text(alphabet="`a \n\x1b|", min_size=1, max_size=12))
def test_code_cannot_be_left(text: str) -> None:
    shown = code(text)
    ticks = len(shown) - len(shown.lstrip("`"))
    inner = shown[ticks:-ticks]
    assert shown.endswith("`" * ticks) and "`" * ticks not in inner and "\n" not in shown and "\x1b" not in shown
    block = fenced(text, "toml").split("\n")
    assert block[0] == block[-1] + "toml" and not any(block[-1] in line for line in block[1:-1])


def test_tables_keep_their_cells() -> None:
    assert table(["a"], [["x|y\nz"]]) == "| a |\n|---|\n| x\\|y\\\\nz |"
