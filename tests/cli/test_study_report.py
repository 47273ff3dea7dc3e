"""``vitui study report`` and ``vitui scoreboard``: every form on stdout and in a file, on a home with results."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from engine.recipe import presets
from tests.cli.conftest import Answer, Home
from tests.studies.homes import StudyHome
from vitui.cli.study.report import FORMATS
from vitui.store.series import Series

ABLATION = 'title = "Parts | of <it>"\nbase = "demo-digits"\nseeds = [0, 1, 2]\nleave_out = ["label-smoothing"]\nadd = ["mixup"]'
GRID = """
base = "demo-digits"
seeds = [0, 1]
[[axis]]
name = "lr"
field = "optim.lr"
values = [1e-3, 3e-4]
[[axis]]
name = "wd"
field = "optim.weight_decay"
values = [0.1, 0.03]
"""


@pytest.fixture
def filled(home: Home, idle: None) -> Home:
    """`s`: an ablation with one cell missing; `g`: a grid with one cell of two runs."""
    with_runs = StudyHome(home.path)
    with_runs.write("s", ABLATION)
    with_runs.write("g", GRID)
    made = with_runs.fill(
        "s", {"base": [97.0, 97.4, 97.2], "no-label-smoothing": [95.1, 95.3, 95.2], "mixup": [97.1, 97.3, None]}
    )
    with_runs.fill("g", {"0.001/0.1": [90.0, 91.0], "0.0003/0.03": [85.0]})
    with with_runs.lab.store.writing() as db:
        for number, run_id in enumerate(made):
            series = Series(db, run_id)
            series.add("minival/top1", [100, 200, 300], [50.0, 80.0, 90.0 + number], 1.0, 1)
            series.flush()
    with_runs.lab.store.close()
    return home


class Balanced(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag not in ("meta", "link", "br", "img", "hr", "col", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag


def sound(format: str, text: str) -> None:
    """Whether a text is what its format says."""
    match format:
        case "json":
            assert [one["variant"] for one in json.loads(text)["variants"]] == ["base", "no-label-smoothing", "mixup"]
        case "csv" | "cells":
            rows = list(csv.reader(io.StringIO(text)))
            assert len(rows) == (4 if format == "csv" else 10) and len({len(row) for row in rows}) == 1
        case "html":
            parser = Balanced()
            parser.feed(text)
            assert not parser.open and "<script" not in text and "<svg" in text and "Parts | of &lt;it&gt;" in text
        case "latex":
            assert text.count(r"\begin{table}") == text.count(r"\end{table}") >= 2 and r"\toprule" in text
        case "md":
            assert text.startswith("# Parts ") and "\n| base |" in text
        case "table":
            assert text.startswith("Parts | of <it>\n") and "97.20 ± 0.20" in text


@pytest.mark.parametrize("format", [one for one in FORMATS if one != "svg"])
def test_every_format_on_stdout_and_in_a_file(filled: Home, tmp_path: Path, format: str) -> None:
    answer = filled("study", "report", "s", "-f", format)
    sound(format, answer.out)
    out = tmp_path / "report"
    out.write_text("what was there before")
    written = filled("study", "report", "s", "-f", format, "-o", str(out))
    assert written.out == "" and f"{out} is written" in written.err
    sound(format, out.read_text())
    assert list(tmp_path.glob("*report*")) == [out]


@pytest.mark.parametrize(
    ("ending", "begins"),
    [
        (".md", "# Parts"),
        (".csv", "study,"),
        (".tex", "%"),
        (".json", "{"),
        (".html", "<!DOCTYPE html>"),
        (".txt", "Parts"),
    ],
)
def test_the_ending_says_the_format(filled: Home, tmp_path: Path, ending: str, begins: str) -> None:
    filled("study", "report", "s", "-o", str(tmp_path / f"r{ending}"))
    assert (tmp_path / f"r{ending}").read_text().startswith(begins)


def test_the_table_says_what_is_certain(filled: Home) -> None:
    lines = filled("study", "report", "s").out.splitlines()
    worse = next(line for line in lines if line.startswith("− Label smoothing"))
    assert "▼" in worse and "95.20 ± 0.10" in worse and "-2.00" in worse
    noise = next(line for line in lines if line.startswith("+ Mixup"))
    assert "within noise" in noise and "seed 2: missing" in noise
    other = filled("study", "report", "s", "--baseline", "mixup").out
    assert (
        "less + Mixup" in other
        and "did you mean base?" in filled("study", "report", "s", "--baseline", "bas", code=3).err
    )


def test_pictures_on_stdout(filled: Home) -> None:
    curves = filled("study", "report", "s", "--plot", "curves").out
    assert "minival/top1, %" in curves and "3 seeds" in curves and "\x1b" not in curves
    one = filled("study", "report", "s", "--plot", "curves", "--only", "no-*").out
    assert "− Label smoothing" in one and "+ Mixup" not in one
    assert json.loads(filled("study", "report", "s", "--plot", "curves", "-f", "json").out)["curves"][0]["x"]
    assert "less base" in filled("study", "report", "s", "--plot", "differences").out
    heat = filled("study", "report", "g", "--plot", "heat").out
    assert "90.5" in heat and "85.0" in heat
    assert filled("study", "report", "g", "--heat", "own").out == heat
    ET.fromstring(filled("study", "report", "g", "--heat", "own", "-f", "svg").out)
    search = filled("study", "report", "g", "--plot", "search").out
    assert "scratch" in search and "random" in search.casefold()
    compute = filled(
        "study", "report", "g", "--plot", "compute", "--with", "s", "--by", "none", "--x", "seconds", "-f", "csv"
    ).out
    assert len(compute.splitlines()) == 1 + 3 + 8


def test_published_values_alone(filled: Home) -> None:
    table = filled("study", "report", "s", "--published").out
    assert "98.06" in table and "− Label smoothing" in table
    assert "98.06" in filled("study", "report", "s", "--published", "-f", "md").out
    pivot = filled("study", "report", "tin-optimizers", "--published", "-f", "csv").out
    assert pivot.count("\n") > 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nope",), 3, "no study nope"),
        (("s", "-f", "pdf"), 2, "unknown format pdf"),
        (("s", "-f", "svg"), 2, "not written as svg; known: table, md"),
        (("s", "-o", "x.doc"), 2, "does not say what to write"),
        (("s", "-o", "/nowhere/x.md"), 2, "a folder that is not there"),
        (("s", "--plot", "pie"), 2, "unknown plot pie"),
        (("s", "--plot", "heat"), 2, "needs a grid"),
        (("s", "--plot", "curves", "--published"), 2, "choose one"),
        (("s", "--plot", "curves", "-k", "x/y"), 2, "has a curve x/y"),
        (("s", "--plot", "curves", "--only", "mxup"), 3, "did you mean mixup?"),
        (("s", "--picked"), 2, "starts from no other study"),
        (("s", "--x", "macs"), 2, "--x is about --plot search"),
        (("s", "--only", "base"), 2, "--only is about --plot curves"),
        (("s", "-k", "x/y"), 2, "--key is about curves"),
        (("g", "--plot", "differences", "--baseline", "0.001/0.03"), 3, "no difference to draw yet"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown(filled: Home, words: tuple[str, ...], code: int, said: str) -> None:
    answer = filled("study", "report", *words, code=code)
    assert said in answer.err and answer.out == "" and answer.err.startswith("vitui: ")


def test_a_file_stays_as_it_was_where_nothing_can_be_written(filled: Home, tmp_path: Path) -> None:
    out = tmp_path / "r.md"
    out.write_text("before")
    filled("study", "report", "s", "--plot", "heat", "-o", str(out), code=2)
    assert out.read_text() == "before"
    assert "is a folder" in filled("study", "report", "s", "-f", "md", "-o", str(tmp_path), code=2).err


# -- scoreboard --------------------------------------------------------------------------------------------------


@pytest.fixture
def scored(home: Home, idle: None) -> Home:
    """The demo's own recipe with three seeds, one of them running."""
    with_runs = StudyHome(home.path)
    with_runs.write("s", 'presets = ["demo-digits"]\nseeds = 3')
    variant = with_runs.planned("s").variants[0]
    with_runs.run(variant, 0, 97.0, select_is_report=1)
    with_runs.run(variant, 1, 98.0)
    with_runs.run(variant, 2, state="running", step=30, total_steps=60)
    with_runs.lab.store.close()
    return home


def test_runs_beside_what_was_reported(scored: Home) -> None:
    answer = scored("scoreboard")
    head, row = answer.out.splitlines()
    assert head.split()[:6] == ["preset", "published", "n", "best", "mean", "gap"]
    for words in (
        "demo-digits",
        "98.06",
        "2/3",
        "98.00",
        "97.50 ± 0.71†",
        "-0.56 ± 0.50",
        "= 0.56 below, within 1.5; 1 running 50%",
    ):
        assert words in row
    assert (
        "1 of 1 published results with runs here are reproduced" in answer.err
        and "more have no runs here" in answer.err
    )
    assert "† the epoch was picked" in answer.err


def test_forms_of_the_scoreboard(scored: Home) -> None:
    found = scored("scoreboard", "--json").json
    assert len(found) == 1 and found[0]["value"]["n"] == 2 and found[0]["counts"] == {"finished": 2, "running": 1}
    assert scored("scoreboard", "-f", "json").json == found
    rows = list(csv.DictReader(io.StringIO(scored("scoreboard", "-f", "csv", "--all").out)))
    assert len(rows) == len(scored("scoreboard", "--all", "--json").json) > 150
    assert float(rows[0]["gap"]) == pytest.approx(-0.56) and rows[0]["selected_on_reported"] == "True"
    assert scored("scoreboard", "-f", "md").out.startswith("| preset | published |")
    assert r"\toprule" in scored("scoreboard", "-f", "latex").out


def test_only_some_of_it(scored: Home) -> None:
    found = scored("scoreboard", "DEIT", "relu6", "--all", "--json").json
    assert 0 < len(found) < 20 and all("relu6" in one["name"] for one in found)
    family = {one["family"] for one in scored("scoreboard", "--family", "augreg", "--all", "--json").json}
    assert family == {"augreg"}
    nothing = scored("scoreboard", "deit")
    assert nothing.out == "" and "--all shows what was published" in nothing.err
    assert "unknown family nope; known: augreg" in scored("scoreboard", "--family", "nope", code=2).err
    assert "no preset with a published result has zzz" in scored("scoreboard", "zzz", code=3).err
    assert "unknown format pdf" in scored("scoreboard", "-f", "pdf", code=2).err


def test_a_broken_preset_is_told(scored: Home) -> None:
    (scored.path / "presets").mkdir()
    (scored.path / "presets" / "broken.toml").write_text("[optim]\nlr = -1")
    assert "left out: preset broken" in scored("scoreboard").err


def test_without_a_home_there_are_published_values_all_the_same(call: Callable[..., Answer]) -> None:
    answer = call("scoreboard", "--all", "--json")
    assert answer.code == 0 and len({one["preset"] for one in answer.json}) == len(
        [one for one in presets.load_all() if any(r.judged for r in one.references)]
    )
