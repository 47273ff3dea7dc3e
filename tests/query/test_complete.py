"""Completion of a filter that is being typed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.query.test_filters import PIECES, RUNS
from vitui.query.complete import complete, seen
from vitui.query.fields import Fields

FIELDS = Fields({"optim.lr": "Peak learning rate"}, {"val/top1"})
VALUES = {**seen(RUNS), "tag": ["paper", "my tag"]}


def offered(text: str) -> list[str]:
    return [c.text for c in complete(text, len(text), FIELDS, VALUES)]


def test_fields_operators_values_and_words() -> None:
    assert offered("sta")[0] == "state:" and "star:" in offered("sta")
    assert offered("state:")[0] in ("running", "finished", "queued") and "diverged" in offered("state:")
    assert offered("state:r")[0] == "running" and offered("state:running,qu") == ["queued"]
    assert offered("tag:my") == ['"my tag"'], "a value with a space is quoted"
    assert offered("best")[:2] == ["best>", "best<"] and "best(val/top1)>" in offered("best")
    assert "optim.lr:" in offered("optim") and "optim.lr" in offered("has:opt")
    assert offered("swin o")[0] and "or " in offered("swin o") and "and " in offered("swin ")
    assert offered("star:") == ["yes", "no"]
    assert offered("preset~digi") == ["demo-digits"] and offered("best>9") == []


def test_taking_one_replaces_what_is_being_typed_and_nothing_else() -> None:
    text = "swin sta best>3"
    first = complete(text, 8, FIELDS)[0]
    assert first.applied(text) == ("swin state: best>3", 11)
    value = complete("state:running,qu", 16, FIELDS)[0]
    assert value.applied("state:running,qu")[0] == "state:running,queued"


@given(st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join)), st.integers(0, 40))
def test_nothing_that_is_typed_throws(text: str, cursor: int) -> None:
    for one in complete(text, min(cursor, len(text)), FIELDS, VALUES):
        assert one.applied(text)[1] <= len(one.applied(text)[0]) and 0 <= one.start <= one.end <= len(text)
