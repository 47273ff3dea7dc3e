"""What a study's report says in each form, on runs in a home."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.recipe import Reference
from vitui.studies.formats import ENDINGS, FORMATS, HEAT_FORMATS, PUBLISHED_FORMATS, contents
from vitui.studies.formats import heat as heats
from vitui.studies.formats import published as told
from vitui.studies.formats.csv import cells_csv, variants_csv
from vitui.studies.formats.json import as_json
from vitui.studies.formats.latex import latex
from vitui.studies.formats.markdown import markdown
from vitui.studies.formats.text import text
from vitui.studies.heat import heat
from vitui.studies.published import published
from vitui.studies.report import Report
from vitui.text import cell_width

from .homes import StudyHome
from .making import NASTY, made, reference

STUDY = """
title = "Digits, ablated"
question = "What matters?"
description = "First line\\nsecond line."
base = "demo-digits"
seeds = [0, 1, 2]
leave_out = ["label-smoothing"]
add = ["mixup", "cutmix", "ema", "randaugment"]
[[variant]]
name = "hot"
label = "Learning rate | 1.0 <b>"
set = { optim.lr = 1.0 }
"""
VALUES: dict[str, list[float | None]] = {
    "base": [94.10, 94.60, 93.80], "no-label-smoothing": [94.05, 94.71, 93.77], "mixup": [96.00, 96.52, 95.73],
    "cutmix": [91.60, 92.12, 91.31], "ema": [94.4, None, None],
}  # fmt: skip


@pytest.fixture
def report(home: StudyHome) -> Report:
    """Better, worse, noise, one seed, diverged, running and failed, missing: a row of each."""
    home.write("s", STUDY)
    home.fill("s", VALUES)
    variants = {variant.name: variant for variant in home.planned("s").variants}
    home.run(variants["ema"], 1, state="running", step=30, total_steps=120)
    home.run(variants["ema"], 2, state="failed", epoch=1.5)
    for seed in range(3):
        home.run(
            variants["hot"], seed, state="diverged", epoch=3.4 + seed, best=80.7, evidence="loss was not finite 3 steps"
        )
    return home.lab.study_report("s")


def table_of(out: str, heading: str) -> dict[str, dict[str, str]]:
    """A table of Markdown: label -> head -> cell."""
    lines = out.split(f"## {heading}\n\n")[1].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def test_the_main_table_has_everything_of_every_variant(report: Report) -> None:
    rows = table_of(markdown(report), "Results")
    assert list(rows) == ["base", "− Label smoothing", "+ Mixup", "+ CutMix", "+ Moving average of weights",
                          "+ RandAugment", r"Learning rate \| 1.0 \<b\>"]  # fmt: skip
    base, mixup, cutmix = rows["base"], rows["+ Mixup"], rows["+ CutMix"]
    assert base["n"] == "3" and base["top-1 on test, %"] == "94.17 ± 0.40" and base["less base"] == "baseline"
    assert mixup["top-1 on test, %"] == "**96.08 ± 0.40**" and mixup["best seed"] == "96.52"
    assert mixup["last epoch"] == "95.98 ± 0.40"
    assert mixup["less base"] == "+1.92 ▲" and mixup["verdict"].startswith("▲ better by 1.92 points (p")
    assert mixup["p (Holm)"] == r"\<0.001" and re.fullmatch(r"\\\[\+1\.8\d, \+1\.9\d\\\]", mixup["95 % interval"])
    assert cutmix["less base"] == "-2.49 ▼" and "**" not in cutmix["top-1 on test, %"]
    assert rows["− Label smoothing"]["less base"].endswith("≈")
    assert "within noise" in rows["− Label smoothing"]["verdict"]
    assert base["published"].endswith("(measured)") and "outside" in base["less published"]


def test_cells_without_a_value_are_told_each(report: Report) -> None:
    out = markdown(report)
    rows, seeds = table_of(out, "Results"), table_of(out, "Every seed: top-1 on test, %")
    ema, hot = rows["+ Moving average of weights"], rows[r"Learning rate \| 1.0 \<b\>"]
    assert ema["top-1 on test, %"] == "94.40 (± 0.23)" and ema["verdict"].startswith("? one seed")
    assert ema["other seeds"] == "seed 1: running 25%; seed 2: failed at epoch 1.5"
    assert ema["95 % interval"].startswith("(")  # of the evaluation images alone
    assert rows["+ RandAugment"]["top-1 on test, %"] == "missing" and rows["+ RandAugment"]["n"] == "0"
    assert hot["top-1 on test, %"] == "NaN" and "seed 2: NaN at epoch 5, best 80.70" in hot["other seeds"]
    assert list(seeds["+ Moving average of weights"].values()) == ["94.40", "running 25%", "failed at epoch 1.5"]
    assert list(seeds["+ RandAugment"].values()) == ["missing"] * 3
    assert "of 21 runs, 3 missing, 1 failed, 1 running" in out


def test_columns_that_are_empty_are_left_out_and_rows_never() -> None:
    rows = table_of(markdown(made({"a": [90.0], "b": [None]})), "Results")
    assert list(rows) == ["a", "b"]
    assert set(rows["a"]) == {"n", "top-1, %", "last epoch", "verdict"} or set(rows["a"]) == {
        "n",
        "top-1, %",
        "last epoch",
    }
    assert rows["b"]["top-1, %"] == "missing"
    assert "## Costs" not in markdown(made({"a": [90.0]}))


def test_costs_are_told(report: Report) -> None:
    costs = table_of(markdown(report), "Costs")
    assert costs["base"] == {"time of a run": "58s", "parameters": "142k", "MACs": "11.0M", "images/s": "2,000"}
    assert costs["+ RandAugment"]["time of a run"] == ""


def test_text_fits_the_width_it_is_given_and_loses_nothing(report: Report) -> None:
    for width in (60, 80, 120, 300):
        out = text(report, width)
        assert max(map(cell_width, out.splitlines())) <= width
        for word in ("94.17 ± 0.40", "+1.92 ▲", "failed at epoch 1.5", "11.0M", "(measured)", "baseline"):
            assert word in out, (width, word)
    assert "+ Mixup" in text(report) and "better by 1.92 points" in text(report)


def test_long_labels_are_broken_and_not_cut() -> None:
    long = "a label that ends in what tells it from others, weight decay 0.03"
    out = text(made({"a": [90.0, 91.0], "b": [90.0, 91.0]}, labels={"a": long}), 60)
    assert "0.03" in out and "…" not in out


def test_csv_read_back_has_the_very_numbers(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(variants_csv(report))))
    assert [row["variant"] for row in rows] == [row.variant.name for row in report.rows]
    for line, row in zip(rows, report.rows, strict=True):
        assert int(line["n"]) == (row.value.n if row.value else 0)
        for name, value in (
            ("mean", row.value and row.value.mean), ("std", row.value and row.value.deviation),
            ("difference", row.difference and row.difference.mean), ("low", row.difference and row.difference.low),
            ("high", row.difference and row.difference.high), ("p", row.difference and row.difference.p),
            ("p_adjusted", row.difference and row.difference.p_adjusted), ("binomial_error", row.error),
            ("gap", row.gap), ("seconds", row.costs.seconds), ("macs", row.costs.macs),
            ("published", row.published and row.published.value),
        ):  # fmt: skip
            assert (float(line[name]) if line[name] else None) == value, name
        assert line["verdict"] == row.verdict and line["stands_out"] == str(row.stands_out).lower()
    assert {row["baseline"] for row in rows} == {"true", "false"}


def test_csv_of_cells_has_every_run(report: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(cells_csv(report))))
    assert len(rows) == 21
    cells = [cell for row in report.rows for cell in row.cells]
    assert [(row["variant"], int(row["seed"]), row["status"]) for row in rows] == [
        (cell.variant, cell.seed, cell.status) for cell in cells
    ]
    assert [float(row["value"]) if row["value"] else None for row in rows] == [cell.value for cell in cells]
    assert [row["run"] for row in rows] == [cell.run.id if cell.run else "" for cell in cells]


def test_json_comes_back_as_it_was(report: Report) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(FORMATS["json"](report), parse_constant=refuse)
    assert found == as_json(report)
    mixup = next(one for one in found["variants"] if one["variant"] == "mixup")
    row = next(row for row in report.rows if row.variant.name == "mixup")
    assert row.difference is not None and mixup["difference"]["p_adjusted"] == row.difference.p_adjusted
    assert mixup["stands_out"] and [cell["value"] for cell in mixup["cells"]] == VALUES["mixup"]
    assert found["baseline"] == "base" and found["counts"]["diverged"] == 3
    assert found["definition"]["leave_out"] == tomllib.loads(STUDY)["leave_out"]


class Page(HTMLParser):
    """Tags, attributes that could load something, bold cells, cells of the first table, and whether all is closed."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, out: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []
        self.bold: list[str] = []
        self.text: list[str] = []
        self.feed(out)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open.pop() == tag, tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)
        if "b" in self.open and "table" in self.open:
            self.bold.append(data)


def check_alone(out: str) -> Page:
    """One file that loads nothing and runs nothing."""
    page = Page(out)
    assert not set(page.tags) & {"script", "link", "img", "iframe", "object", "embed", "base", "image", "use", "a"}
    names = {name for _, name, _ in page.attributes}
    assert not names & {"src", "href", "xlink:href", "srcset", "action", "data"} and not any(
        n.startswith("on") for n in names
    )
    styles = out.split("<style>")[1].split("</style>")[0]
    assert "url(" not in styles and "@import" not in styles and "http" not in styles
    assert all(not value or "url(" not in value or value.startswith("url(#") for _, _, value in page.attributes)
    return page


def test_html_is_one_file_that_loads_nothing(report: Report) -> None:
    out = FORMATS["html"](report)
    page = check_alone(out)
    assert page.tags.count("table") == 3 and page.tags.count("svg") == 4  # a bar for each difference
    words = "".join(page.text)
    for word in (
        "What matters?",
        "96.08 ± 0.40",
        "+1.92 ▲",
        "−2.49 ▼",
        "seed 2: failed at epoch 1.5",
        "58s",
        "First line second",
    ):
        assert word in words, word
    assert page.bold == ["96.08 ± 0.40"] and "prefers-color-scheme" in out and "@media print" in out


def test_hostile_text_is_text_in_every_form() -> None:
    report = made(
        {"a": [90.0, 91.0, 92.0], "b": [95.0, 96.0, 97.0], "c": [None, "failed", None]},
        title=NASTY, question=NASTY, description=NASTY, labels={"a": NASTY, "b": "[b] " + NASTY},
        references={"b": (reference(90.0, source=NASTY),)},
    )  # fmt: skip
    out = {name: write(report) for name, write in FORMATS.items()}
    page = check_alone(out["html"])
    assert "alert(1)</script>" in "".join(page.text) and "&amp;amp;" in out["html"]
    table = [line for line in out["md"].splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table[:5]}) == 1
    assert "<script" not in out["md"].replace(r"\<script", "")
    assert json.loads(out["json"])["variants"][0]["label"] == NASTY
    assert {len(row) for row in csv.reader(io.StringIO(out["csv"]))} == {len(next(csv.reader(io.StringIO(out["csv"]))))}
    for written in out.values():
        assert "\x1b" not in written and "\u202e" not in written


def test_latex_has_as_many_cells_in_every_row(report: Report) -> None:
    out = latex(report)
    assert out.startswith("% needs \\usepackage{booktabs") and out.count(r"\toprule") == out.count(r"\bottomrule") == 5
    for part in re.findall(r"\\begin\{tabular\}(.*?)\\end\{tabular\}", out, re.S):
        rows = [line for line in part.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
        assert len({len(re.findall(r"(?<!\\)&", line)) for line in rows}) == 1
    assert out.count(r"\textbf{") == 2 and r"\textbf{96.08 $\pm$ 0.40}" in out  # results, and beside published values
    assert r"[$-$" in out or "[+" in out


def test_long_tables_are_broken_over_pages() -> None:
    out = latex(made({f"v{n}": [90.0 + n % 7, 91.0 + n % 5] for n in range(60)}))
    assert r"\begin{longtable}" in out and "longtable" in out.splitlines()[0] and r"\endhead" in out


def compiled(source: str, where: Path) -> None:
    (where / "study.tex").write_text(source)
    packages = r"\usepackage[T1]{fontenc}\usepackage{booktabs,graphicx,array,longtable}"
    main = rf"\documentclass{{article}}{packages}\begin{{document}}\input{{study.tex}}\end{{document}}"
    (where / "main.tex").write_text(main)
    for _ in range(2):
        done = subprocess.run(
            ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "main.tex"], cwd=where, capture_output=True
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    assert (where / "main.pdf").stat().st_size > 10_000


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles(report: Report, tmp_path: Path) -> None:
    compiled(latex(report), tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles_whatever_things_are_called(home: StudyHome, tmp_path: Path) -> None:
    labels = {
        "a": NASTY,
        "b": "[b] " + NASTY,
        "c": "Größe, naïve, Øre, Łódź, Δ ≤ σ² · ½ “x” – y",
        "d": "\\end{table} % {",
    }
    report = made({name: [90.0 + n, 91.0, None] for n, name in enumerate("abcd")}, title=NASTY, labels=labels,
                  references={"b": (reference(90.0, source=NASTY),)})  # fmt: skip
    compiled(latex(report), tmp_path)
    grid = home.lab.study_report("augreg-i21k300")
    compiled(latex(grid), tmp_path)
    found = published(grid.planned.study, grid.planned.variants)
    compiled(PUBLISHED_FORMATS["latex"](found, NASTY), tmp_path)


def test_a_loss_is_no_percentage() -> None:
    report = made(
        {"a": [0.5, 0.52, 0.51], "b": [0.41, 0.42, 0.425]}, report={"metric": "loss"},
        references={"b": (reference(0.4, metric="loss"),)},
    )  # fmt: skip
    rows = table_of(markdown(report), "Results")
    assert rows["b"]["loss"] == "**0.4183 ± 0.007638**" and rows["b"]["less a"] == "-0.09167 ▲"
    assert rows["b"]["best seed"] == "0.4100"


def test_a_report_without_a_result_says_so() -> None:
    report = made({"a": [None, None], "b": [None, "queued"]})
    assert contents.summary(report) == "No run has a result yet."
    for write in FORMATS.values():
        assert write(report)
    alone = made({"a": [None], "b": [91.0]})
    assert contents.summary(alone) == "a, the baseline, has no result: 1 of 1 variants with one are not compared."


def test_an_outcome_is_published_too() -> None:
    report = made(
        {"a": [90.0, 91.0], "b": [90.0, 91.0]},
        references={"b": (Reference(outcome="NaN at epoch 35", source="a table"),)},
    )
    assert table_of(markdown(report), "Results")["b"]["published"] == "NaN at epoch 35"


def test_published_values_are_written_as_their_source_has_them(home: StudyHome) -> None:
    planned = home.planned("tin-ablation")
    found = published(planned.study, planned.variants)
    out = PUBLISHED_FORMATS["md"](found, "T")
    line = next(line for line in out.splitlines() if line.startswith("| Remove random erasing "))
    assert "91.28" in line and "91.03" in line and "**" not in line
    rows = list(csv.DictReader(io.StringIO(told.as_csv(found))))
    values = {(row["row"], row["kind"]): row["value"] for row in rows if row["metric"] == "top1"}
    assert values["Remove random erasing", "published"] == "91.28"
    assert values["Remove random erasing", "reproduction"] == "91.03"
    check_alone(PUBLISHED_FORMATS["html"](found, NASTY))
    assert (
        "91.28" in PUBLISHED_FORMATS["table"](found, "T") and json.loads(PUBLISHED_FORMATS["json"](found, "T"))["rows"]
    )


def test_a_pivot_of_published_values_keeps_its_groups(home: StudyHome) -> None:
    planned = home.planned("augreg-i21k300")
    found = published(planned.study, planned.variants)
    out = PUBLISHED_FORMATS["latex"](found, "T")
    assert r"}{c}{no regularisation}" in out and r"\cmidrule(lr)" in out
    assert told.table(found).levels == 2  # B/32 has a second source, so its columns have titles of their own
    grid = home.planned("augreg-i21k30")
    alone = told.table(published(grid.study, grid.variants))
    assert alone.levels == 1 and alone.title == "Published values: top-1, %"
    rows = list(csv.DictReader(io.StringIO(told.as_csv(found))))
    assert next(r["value"] for r in rows if (r["model"], r["regularisation"], r["augmentation"], r["label"]) ==
                ("Ti/16", "regularisation 0.1", "strong2", "")) == "29.0"  # fmt: skip


def test_heat_maps_come_with_the_report_and_alone(home: StudyHome) -> None:
    report = home.lab.study_report("augreg-i21k300")
    page = check_alone(FORMATS["html"](report))
    assert "Heat map of published values: top1, %" in "".join(page.text)
    found = heat(report)
    for name, write in HEAT_FORMATS.items():
        out = write(found, NASTY)
        assert "R50+L/32" in out or name in ("csv",), name
        assert "\x1b" not in out
    assert HEAT_FORMATS["svg"](found, "").startswith("<?xml") and "xmlns" in HEAT_FORMATS["svg"](found, "")
    rows = list(csv.DictReader(io.StringIO(heats.as_csv(found))))
    cell = next(row for row in rows if (row["model"], row["reg"], row["aug"]) == ("b32", "no", "light2"))
    assert (cell["value"], cell["relative"], cell["own"]) == ("48.0", "6.0", "")
    assert len(rows) == 9 * 14 + 9  # and the side column


def test_every_ending_names_a_format() -> None:
    assert set(ENDINGS.values()) <= set(FORMATS)
