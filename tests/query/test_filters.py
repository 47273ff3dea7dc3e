"""The filter language: what it finds, what it says of what it does not understand, and that it never throws."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.fake_lab import NOW, run
from vitui.query.fields import Fields
from vitui.query.filters import MAX_DEPTH, parse

RUNS = [
    run("r1", name="Swin try", preset="demo-cifar10", state="running", tags=("paper", "x"), best=91.0,
        model="swin_tiny", created=NOW - 3600, started=NOW - 3000, star=True, params=5_700_000),
    run("r2", name="vit base", preset="demo-digits", state="finished", tags=("y",), best=88.0, seed=3,
        created=NOW - 3 * 86400, started=NOW - 3 * 86400, ended=NOW - 3 * 86400 + 5400, notes="a note",
        params=86_000_000, report_best=87.0),
    run("r3", name="state of the art", preset="demo-digits", state="queued", created=NOW - 10),
]  # fmt: skip
VALUES = {
    "optim.lr": {"r1": 0.001, "r2": 5e-4},
    "optim.name": {"r1": "adamw", "r2": "sgd"},
    "model.pretrained": {"r1": "true", "r2": "false"},
    "train/loss": {"r1": 0.5, "r2": 2.0},
    "best(val/top1)": {"r2": 88.0},
}


def found(text: str) -> str:
    wanted = parse(text)
    assert wanted.problem == ""
    return " ".join(r.id for r in wanted.select(RUNS, VALUES, NOW))


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "r1 r2 r3"), ("swin", "r1"), ("SWIN", "r1"), ("demo vit", "r2"), ('"of the"', "r3"), ("-", "r1 r2 r3"),
        ("nothing-like-this", ""), ("state:running", "r1"), ("state:running,queued", "r1 r3"), ("state=running", "r1"),
        ("state!=running", "r2 r3"), ("preset~cifar", "r1"), ("preset!~cifar", "r2 r3"), ("preset:demo", ""),
        ("preset~/^demo-(d|x)/", "r2 r3"), ("name~/of THE art$/", "r3"), ("tag:x", "r1"), ("tag~pap", "r1"),
        ("-tag:x", "r2 r3"), ("!swin", "r2 r3"), ("not swin", "r2 r3"), ("not not swin", "r1"), ("best>90", "r1"),
        ("best>=88 best<91", "r2"), ("acc1>90", "r1"), ("top1 > 90", "r1"), ("best> 90", "r1"), ("seed=3", "r2"),
        ("seed:1,2,3", "r2"), ('name~"of the"', "r3"), ("state:", "r1 r2 r3"), ("best>", "r1 r2 r3"),
        ("acc1>80 and model~swin and tag:paper and state:running", "r1"), ("swin or art", "r1 r3"),
        ("swin or vit base", "r1 r2"), ("(swin or vit) state:running", "r1"), ("not (swin or vit)", "r3"),
        ("-(swin or vit)", "r3"), ("swin or", "r1"), ("swin or best>", "r1"), ("swin and (", "r1"),
        ("optim.lr>=1e-3", "r1"), ("lr<1e-3", "r2"), ("lr:0.0005", "r2"), ("opt:adamw", "r1"), ("opt~SG", "r2"),
        ("model.pretrained:yes", "r1"), ("model.pretrained!=true", "r2 r3"), ("train/loss<1", "r1"),
        ("best(val/top1)>80", "r2"), ("has:test", "r2"), ("-has:test", "r1 r3"), ("has:notes", "r2"),
        ("has:optim.lr", "r1 r2"), ("has:test,star", "r1 r2"), ("age<2h", "r1 r3"), ("age>1d12h", "r2"),
        ("took>1h", "r2"), ("took<1h30m", "r1"), ("star:yes", "r1"), ("star:no", "r2 r3"), ("archived:no", "r1 r2 r3"),
        ("params>50M", "r2"), ("params<10m", "r1"), ("note", "r2"), ("AND OR NOT", "r1 r2 r3"),
    ],
)  # fmt: skip
def test_what_a_filter_finds(text: str, ids: str) -> None:
    assert found(text) == ids


def test_a_date_is_a_whole_day() -> None:
    day = datetime.fromtimestamp(RUNS[1].created).strftime("%Y-%m-%d")
    assert found(f"created:{day}") == "r2"
    assert "r2" not in found(f"created>{day}").split() and "r2" in found(f"created>={day}").split()


@pytest.mark.parametrize(
    ("text", "problem", "at"),
    [
        ("stat:running", "did you mean state?", 0), ("swin zzz:1", "fields: state, name", 5),
        ("best>high", "high is not a number", 5), ("best~9", "best is a number", 5), ("name>3", "name is text", 5),
        ("swin (vit", "this ( is not closed", 5), ("swin ) vit", "this ) closes nothing", 5),
        ("name~/a", "not closed", 5), ("name~/(/", "no regular expression", 5), ("age<10", "needs units", 4),
        ("star:maybe", "yes or no", 5), ("created>yesterday", "a date is written 2026-11-20", 8),
        ("has:nothing", "no field nothing", 0), ("optim.lr>fast", "fast is not a number", 9),
        ("best>1,2", "compares with one value", 5), ("best~/9/", "no text", 5),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_told_with_its_place_and_left_out(text: str, problem: str, at: int) -> None:
    wanted = parse(text)
    assert problem in wanted.problem and wanted.problem_at == at
    plain = {"swin (vit": "", "swin ) vit": ""}.get(text)
    if plain is None and "swin" not in text:
        assert len(wanted.select(RUNS, VALUES, NOW)) == 3


def test_the_first_problem_is_told() -> None:
    assert parse("stat:x best>y").problem_at == 0


def test_a_filter_says_what_it_must_be_given() -> None:
    wanted = parse("lr>1 train/loss<2 best>3 lr<9 archived:yes smooth(acc1)>5")
    assert [f.key for f in wanted.fields] == ["optim.lr", "train/loss", "smooth"]
    assert wanted.asks_archived and not parse("best>1").asks_archived


def test_names_are_checked_where_they_are_known() -> None:
    assert "did you mean optim.lr?" in parse("optim.ly>1", Fields({"optim.lr": ""}, ())).problem


def test_brackets_have_an_end() -> None:
    assert "brackets" in parse("(" * 100_000).problem
    assert parse("(" * MAX_DEPTH + "swin" + ")" * MAX_DEPTH).matches(RUNS[0])
    assert parse("not " * 5000 + "swin").matches(RUNS[0])


PIECES = st.sampled_from([
    "state", "best", "tag", ":", "~", ">", "<=", "!=", "/", '"', "(", ")", " ", "and", "or", "not", "-", "!", ",", "9",
    "1h", "has", "optim.lr", "best(", "smooth(val/top1)", "\\", "\x1b", "\u202e", "日", "%", "2026-11-20",
])  # fmt: skip


@given(st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=12).map("".join)))
def test_nothing_that_is_typed_throws(text: str) -> None:
    wanted = parse(text)
    assert 0 <= wanted.problem_at <= len(text)
    wanted.select(RUNS, VALUES, NOW)
