"""What is said and shown, without an app: outcomes of bulk actions, tags, arrangements, the filter line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.fake_lab import NOW, run
from vitui.errors import UsageError
from vitui.labels import edited_tags, name_from, tag_line
from vitui.query.arrangement import Arrangement
from vitui.query.columns import DEFAULT
from vitui.query.complete import complete
from vitui.query.fields import ANY, Fields
from vitui.query.filters import parse
from vitui.query.groups import grouped
from vitui.query.order import By, parse_order
from vitui.query.run_fields import RUN_FIELDS
from vitui.tui.editor import command
from vitui.tui.screens.bulk import outcome
from vitui.tui.screens.control import stopping
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.screens.runs_filter import hint_parts, pointed
from vitui.tui.screens.runs_preview import change_lines, fact_lines
from vitui.tui.screens.runs_said import arrangement_parts, group_lines, nothing_lines
from vitui.tui.screens.runs_views import differing_columns, told
from vitui.tui.screens.words_prompt import LastWord
from vitui.tui.theme import OKABE_ITO

RUNS = [run(f"r{n}", name=f"vit seed {n}", seed=n, best=90.0 + n, preset="p", model="m") for n in range(5)]


def text(lines: object) -> str:
    return "\n".join(line if isinstance(line, str) else "".join(part for part, _ in line) for line in lines)  # type: ignore[attr-defined]


def test_outcomes_are_honest() -> None:
    assert outcome(RUNS[:1], [], "deleted", 0, "") == ("vit seed 0 (r0) deleted", "information")
    assert outcome(RUNS[:1], ["run r0 has already ended"], "x", 0, "") == ("run r0 has already ended", "error")
    assert outcome(RUNS[:3], [], "asked to stop", 0, "")[0] == "3 runs asked to stop"
    partly = outcome(RUNS[:3], [], "asked to stop", 2, "had already ended")
    assert partly == ("3 of 5 runs asked to stop; 2 had already ended", "information")
    assert outcome(RUNS[:3], ["run r1 is finished"], "tagged", 0, "") == (
        "2 of 3 runs tagged; run r1 is finished",
        "warning",
    )
    said, loud = outcome(RUNS[:3], ["a", "b", "c"], "tagged", 1, "stay")
    assert said == "0 of 4 runs tagged; 1 stay; 3 refused, the first: a" and loud == "error"


def test_a_stop_says_what_comes_next() -> None:
    one = run("r", state="running", stop_requested=NOW - 12)
    assert stopping([one], NOW) == "r (r): asked to stop 12s ago; ended by force in 48s if it has not by then"
    assert "being ended by force" in stopping([one], NOW + 100)


@pytest.mark.parametrize(
    ("typed", "replace", "after"),
    [
        ("+x -a", True, ["b", "x"]), ("x y", True, ["x", "y"]), ("x", False, ["a", "b", "x"]), ("-a -b", True, []),
        ("", True, []), ("", False, ["a", "b"]), ("'two words' +b", False, ["a", "b", "two words"]), ("-zz", True, ["a", "b"]),
    ],
)  # fmt: skip
def test_tags_as_they_are_typed(typed: str, replace: bool, after: list[str]) -> None:
    assert edited_tags(typed, ("a", "b"), replace=replace) == after


def test_tags_and_names_that_cannot_be() -> None:
    for wrong in ("'open", "+", "a -"):
        with pytest.raises(UsageError):
            edited_tags(wrong, (), replace=True)
    tags = ["a", "two words", "it's"]
    assert edited_tags(tag_line(tags), (), replace=True) == sorted(tags)
    assert "\x1b" not in tag_line(["\x1b[2J"])
    named = run("id1", name="{seed}", preset="p", seed=3)
    assert name_from("{preset} {name} {seed} {n} {x}", named, 2) == "p {seed} 3 2 {x}"


def test_an_arrangement_survives_json_and_damage() -> None:
    fields = [RUN_FIELDS["preset"]]
    one = Arrangement("best>90", DEFAULT.resized("name", 40), parse_order("best,-optim.lr"), tuple(fields), True, True)
    assert Arrangement.from_json(one.as_json()) == one
    damaged: object
    for damaged in (
        None,
        [],
        "x",
        {"filter": 3, "columns": 4, "order": "nosuch", "groups": [1, "nosuch"], "archived": "y"},
    ):
        assert Arrangement.from_json(damaged) == Arrangement()
    assert told(one) == "/best>90, by best,-optim.lr, in groups of preset, 15 columns, with archived"


def test_the_place_of_a_problem_is_shown_under_it() -> None:
    wrong = parse("state:running and stat:x")
    assert pointed(wrong, 80).startswith(" " * 18 + "^ no field stat")
    assert pointed(wrong, 40).startswith("at character 19: no field")
    assert len(pointed(wrong, 40)) <= 40


def test_completions_keep_the_marked_one_in_view() -> None:
    found = complete("", 0, ANY, {})
    for picked in range(len(found)):
        parts, told_at_right = hint_parts(found, picked, OKABE_ITO, 78)
        line = "".join(part for part, _ in parts)
        assert f"[{found[picked].text.strip()}]" in line and len(line) <= 78
        assert told_at_right[0][0] and len(line) + len(told_at_right[0][0]) <= 80
    assert "enter keeps" in hint_parts([], 0, OKABE_ITO, 78)[0][0][0]


async def test_the_last_word_is_completed() -> None:
    tags = LastWord(["paper", "baseline"], " ", "+-")
    assert await tags.get_suggestion("x +pa") == "x +paper"
    assert await tags.get_suggestion("b") == "baseline"
    assert await tags.get_suggestion("x ") is None and await tags.get_suggestion("paper") is None
    order = LastWord(["best", "optim.lr"], ",", "-")
    assert await order.get_suggestion("best, -opt") == "best, -optim.lr"


def test_only_columns_that_differ() -> None:
    runs = [one._replace(last=80.0) for one in RUNS]
    values = {"optim.lr": {"r0": 0.1, "r1": 0.2}}
    keys = differing_columns(DEFAULT, ["optim.lr"], ANY, runs, values, NOW).keys
    assert keys == ["state", "name", "best", "optim.lr"]
    chosen = DEFAULT.with_fields([ANY.get("optim.lr")])  # as remembered, before it was known what it is
    known = Fields({"optim.lr": "peak learning rate"}, ())
    assert differing_columns(chosen, ["optim.lr"], known, runs, values, NOW).keys == keys


def test_a_field_in_use_can_be_used_on_when_no_run_has_it_any_more() -> None:
    gone = ANY.get("best(val/top1)")
    screen = RunsScreen()
    screen.arrangement, screen.fields = Arrangement(order=(By(gone),)), Fields({}, ())
    assert screen.field_of("best(val/top1)") is gone and screen.field_of("best") == RUN_FIELDS["best"]
    with pytest.raises(UsageError):
        screen.field_of("best(val/top5)")


def test_nothing_to_show_says_why_and_what_to_do() -> None:
    empty = text(nothing_lines(OKABE_ITO, parse(""), 0, False, Path("/h")))
    assert "vitui demo" in empty and "2  picks a preset" in empty and "z  shows archived" in empty
    assert "none of the 3 runs matches foo" in text(nothing_lines(OKABE_ITO, parse("foo"), 3, False, Path("/h")))


def test_a_group_in_words() -> None:
    group = grouped(RUNS, [RUN_FIELDS["preset"]], parse_order("loss"))[0]
    first, second = group_lines(group, OKABE_ITO, Arrangement())
    assert text([first]).startswith("preset: p  5 runs  5✓")
    assert text([second]) == "best 92.00±1.58 of 5, 90.00 to 94.00"
    mixed = grouped([RUNS[0], RUNS[1]._replace(selected_on="test")], [RUN_FIELDS["preset"]])[0]
    assert text([group_lines(mixed, OKABE_ITO, Arrangement())[1]]) == "best on different data or splits"


def test_the_preview_survives_what_runs_are_called() -> None:
    wild = run("id", name="\x1b[2J🦊" * 50, notes="a\n\x1b]0;x\x07b", tags=("\u202e",), question="[/red]", params=5)
    shown = text(fact_lines(wild, OKABE_ITO, 50, NOW)) + text(
        change_lines([{"key": "\x1b", "after": "[x]"}, 3], OKABE_ITO)
    )
    assert "\x1b" not in shown and "\u202e" not in shown and "note" in shown
    assert "as its preset" in text(change_lines(None, OKABE_ITO))
    assert "mix.mixup  0 → 0.2" in text(change_lines([{"key": "mix.mixup", "before": 0.0, "after": 0.2}], OKABE_ITO))


def test_the_editor() -> None:
    assert command({}) == ["vi"] and command({"EDITOR": "code -w", "VISUAL": ""}) == ["code", "-w"]
    assert command({"VISUAL": "nano", "EDITOR": "vi"}) == ["nano"] and command({"EDITOR": "'"}) == ["vi"]


def test_the_title_says_that_columns_are_left_out() -> None:
    texts = [text for text, _ in arrangement_parts(Arrangement(differing=True), parse(""), OKABE_ITO)]
    assert "only what differs  " in texts
