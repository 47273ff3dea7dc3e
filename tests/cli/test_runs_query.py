"""``vitui runs`` with filter, order, columns and groups."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.cli.conftest import Home
from vitui.store import Store

A, B, C = "250101-120000-aaaa", "250101-120001-bbbb", "250101-120002-cccc"


@pytest.fixture
def three(home: Home) -> Home:
    home.path.mkdir()
    for run_id, name, preset in (
        (A, "one seed 1", "demo-digits"),
        (B, "two | [x]", "demo-digits"),
        (C, "\x1b[31mthree", "other"),
    ):
        home.add(run_id, name=name, preset=preset, tags=["paper"] if run_id == A else [])
    store = Store(Path(home.path))
    with store.writing() as db:
        for run_id, best in ((A, 90.0), (B, 92.0), (C, 80.0)):
            db.execute("UPDATE runs SET best = ? WHERE id = ?", (best, run_id))
        db.execute("UPDATE run_config SET value = 9 WHERE run = ? AND key = 'train.epochs'", (C,))
        db.execute("UPDATE runs SET archived = 1, recipe_fingerprint = 'another' WHERE id = ?", (C,))
    store.close()
    return home


def listed(home: Home, *words: str) -> list[str]:
    return [row["id"] for row in home("runs", *words, "--json").json]


def test_filter_and_order(three: Home) -> None:
    assert listed(three, "--filter", "acc1>89 and preset~digits", "--sort", "best") == [B, A]
    assert listed(three, "--filter", "tag:paper or name~two", "--sort=-best") == [A, B]
    assert listed(three, "-f", "train.epochs:9", "--all") == [C] and listed(three, "-f", "train.epochs:9") == []
    assert listed(three, "-f", "archived:yes") == [C], "asking for archived runs shows them"
    assert listed(three, "two", "-f", "best>1") == [B] and listed(three, "-f", "best>1", "-n", "1") == [B]


def test_columns_in_every_format(three: Home) -> None:
    chosen = ("--columns", "id,name,acc1,train.epochs", "--sort", "best", "--all")
    assert three("runs", *chosen, "--json").json[0] == {"id": B, "name": "two | [x]", "best": 92.0, "train.epochs": 3}
    rows = list(csv.reader(io.StringIO(three("runs", *chosen, "--csv").out)))
    assert rows[0] == ["id", "name", "best", "train.epochs"] and rows[1] == [B, "two | [x]", "92.0", "3"]
    assert rows[3][1] == r"\x1b[31mthree"
    marked = three("runs", *chosen, "--markdown").out.splitlines()
    assert marked[1] == "| --- | --- | ---: | ---: |" and r"two \| \[x\]" in marked[2]
    table = three("runs", *chosen).out.splitlines()
    assert table[0].split() == ["id", "name", "best", "train.epochs"] and "92.00" in table[1] and "\x1b" not in table[3]


def test_groups_have_means(three: Home) -> None:
    (group,) = three("runs", "--group", "preset", "--columns", "best", "--json").json
    assert group["group"] == {"preset": "demo-digits"} and group["runs"] == [B, A] and group["states"] == {"stopped": 2}
    assert group["values"]["best"] == {"n": 2, "mean": 91.0, "std": pytest.approx(2**0.5), "best": 92.0}
    text = three("runs", "--group", "recipe", "--columns", "best", "--sort", "best", "--all").out
    assert "91.00±1.41" in text and "2■" in text
    lines = three("runs", "--group", "preset,train.epochs", "--columns", "best", "--csv", "--all").out.splitlines()
    assert lines[0] == "preset,train.epochs,runs,best n,best mean,best std,best best" and len(lines) == 3
    assert lines[1].startswith("other,9,1,1,80.0,,80.0")


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("--filter", "stat:x"), "--filter 'stat:x': no field stat; did you mean state? (at character 1)"),
        (("--filter", "best>1 lr>x"), "x is not a number (at character 11)"),
        (("--sort", "bst"), "--sort: no field bst; did you mean best?"),
        (("--columns", "id,optim.ly"), "--columns: no field optim.ly; did you mean optim.lr?"),
        (("--group", "presett"), "--group: no field presett; did you mean preset?"),
        (("--csv", "--json"), "--json, --csv and --markdown exclude one another"),
    ],
)  # fmt: skip
def test_bad_requests_are_told_in_a_sentence(three: Home, words: tuple[str, ...], problem: str) -> None:
    answer = three("runs", *words, code=2)
    assert problem in answer.err and not answer.out


def test_nothing_that_matches(three: Home) -> None:
    assert "no run matches" in three("runs", "-f", "best>99").err
    assert three("runs", "-f", "best>99", "--json").json == []
    assert three("runs", "-f", "best>99", "--csv").out.count("\n") == 1
