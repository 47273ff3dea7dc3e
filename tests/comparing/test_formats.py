"""The formats a comparison is printed, pasted and written in."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from tests.comparing.making import facts
from vitui.comparing import side_by_side
from vitui.comparing.formats import ENDINGS, FORMATS, as_csv, json_text, latex, markdown, text
from vitui.escaping import latex as latex_escaped
from vitui.text import cell_width

NASTY = "50% & $1_000 #{x} ~^\\ <a>|\"'` [b] *c*\n\x1b[31m"


def pair(**other: object):
    return side_by_side([facts("first"), facts("second", **other)])


def test_every_special_character_of_latex_is_escaped() -> None:
    assert latex_escaped("\\") == r"\textbackslash{}"
    for sign in "&%$#_{}":
        assert latex_escaped(sign) == f"\\{sign}"
    assert latex_escaped("~^") == r"\textasciitilde{}\textasciicircum{}"
    assert latex_escaped("<>|") == r"\textless{}\textgreater{}\textbar{}"
    assert latex_escaped("±→×–…≈†") == r"$\pm$$\to$$\times$--\dots{}$\approx$\textdagger{}"


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=30))
def test_no_name_can_break_out_of_a_latex_cell(name: str) -> None:
    shown = latex_escaped(name)
    for command in (r"\\textbackslash\{\}", r"\\text[a-z]+\{\}", r"\\[&%$#_{}]", r"\{'\}", r"\\dots\{\}"):
        shown = re.sub(command, "", shown)
    assert not set(shown) & set("\\&%$#_{}~^<>|")
    assert shown.isprintable()


def test_latex_is_a_tabular_with_rules_and_as_many_cells_in_every_row() -> None:
    out = latex(side_by_side([facts(NASTY), facts("second", top1=80.0)]))
    assert out.count(r"\toprule") == 1 and out.count(r"\bottomrule") == 1 and r"\begin{tabular}{lrr}" in out
    body = [line for line in out.splitlines() if line.endswith(r" \\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body} == {2}
    assert r"\textbf{95.00 $\pm$0.69}" in out and r"$-$15.00 $\pm$1.44 $\downarrow$ worse" in out


def test_markdown_keeps_its_columns_whatever_a_run_is_called() -> None:
    out = markdown(side_by_side([facts(NASTY), facts("second")]))
    table = [line for line in out.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in table} == {4}
    assert "\x1b" not in out and "**" in out


def test_markdown_bolds_nothing_that_may_be_noise() -> None:
    assert "**95.00" in markdown(pair(top1=80.0)) and "**95.00" not in markdown(pair(top1=94.9))


def test_csv_holds_plain_numbers_and_errors() -> None:
    rows = list(csv.reader(io.StringIO(as_csv(side_by_side([facts(NASTY), facts("second", top1=80.0)])))))
    assert {len(row) for row in rows} == {8} and "\x1b" not in rows[0][4]
    line = next(row for row in rows if row[1] == "report_best")
    assert line[:4] == ["results", "report_best", "test top1, best epoch", "%"]
    assert [float(cell) for cell in line[4:]] == [95.0, 0.6892, 80.0, 1.2649]
    assert next(row for row in rows if row[1] == "state")[4] == "finished"


def test_json_holds_everything_and_no_nan() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = side_by_side([facts("first"), facts("second", run_loss=math.nan)])
    content = json.loads(json_text(found, True), parse_constant=refuse)
    second = found.columns[1].id
    cell = content["results"]["report_best"]["runs"][second]
    assert cell["value"] == 95.0 and cell["difference"] == 0.0 and cell["verdict"] == "same"
    assert content["results"]["train_loss"]["runs"][second]["value"] == "NaN"
    assert content["baseline"] == found.columns[0].id and "other_fields" in content


def test_aligned_text_comes_in_blocks_where_it_is_too_wide() -> None:
    found = side_by_side([facts(f"run number {n}") for n in range(6)])
    wide, narrow = text(found), text(found, width=80)
    assert max(map(cell_width, wide.splitlines()[:3])) > 100
    assert all(cell_width(line) <= 80 for line in narrow.splitlines() if not line.startswith(("!", "-")))
    assert all(f"{letter} run number" in narrow for letter in "ABCDEF")
    assert narrow.count("optim.lr") == 0 and narrow.count("test top1, best epoch") > 1


@given(st.text(max_size=40))
def test_no_format_lets_control_characters_through(name: str) -> None:
    found = side_by_side([facts("first", run_name=name), facts("second", run_evidence=name, run_state="failed")])
    for write in FORMATS.values():
        hidden = {"Cc", "Cf", "Cs", "Zl", "Zp"}
        assert not {c for c in write(found, True) if c != "\n" and unicodedata.category(c) in hidden}


def test_every_ending_names_a_format() -> None:
    assert set(ENDINGS.values()) == set(FORMATS)
