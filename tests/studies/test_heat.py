"""Heat maps: which cell shows what, relative to what, and the column at the side."""

from __future__ import annotations

import re

import pytest

from vitui.errors import UsageError
from vitui.studies.formats import HEAT_FORMATS
from vitui.studies.formats import heat as heats
from vitui.studies.formats.text import aligned
from vitui.studies.heat import Heat, available, heat

from .homes import StudyHome

# recipes of AugReg, figure 4: ImageNet-21k for 300 epochs, cells and side column as in the paper.
FIGURE_4 = {
    "R+Ti/16": ([39, 38, 37, 36, 35, 34, 33], [36, 34, 32, 31, 30, 29, 28], -3),
    "Ti/16": ([41, 41, 40, 39, 37, 37, 36], [38, 36, 34, 33, 32, 31, 29], -4),
    "S/32": ([43, 43, 43, 42, 42, 41, 40], [41, 40, 39, 38, 36, 36, 35], -2),
    "S/16": ([46, 47, 47, 47, 46, 45, 45], [45, 45, 43, 43, 42, 41, 40], -2),
    "B/32": ([42, 46, 48, 47, 47, 47, 46], [45, 46, 46, 45, 44, 44, 43], -2),
    "R26+S/32": ([46, 48, 48, 47, 47, 46, 46], [48, 48, 46, 46, 45, 44, 43], 0),
    "B/16": ([43, 48, 50, 51, 50, 50, 50], [47, 49, 49, 49, 48, 48, 48], -1),
    "L/16": ([43, 46, 49, 49, 51, 51, 51], [46, 48, 51, 51, 51, 51, 51], 0),
    "R50+L/32": ([42, 46, 47, 49, 51, 50, 51], [46, 48, 51, 51, 51, 51, 51], +1),
}
SMALL = """
base = "demo-digits"
seeds = [0, 1]
[[axis]]
name = "lr"
label = "learning rate"
field = "optim.lr"
values = [0.001, 0.01]
[[axis]]
name = "aug"
levels = [ { name = "none" }, { name = "mix", label = "mixup", toggles = ["mixup"] }, { name = "cut", toggles = ["cutmix"] } ]
[[axis]]
name = "wd"
label = "weight decay"
field = "optim.weight_decay"
values = [0.1, 0.05]
[report]
rows = ["lr"]
columns = ["aug"]
relative_to = { aug = "none" }
side = "aug"
"""


@pytest.fixture
def small(home: StudyHome) -> StudyHome:
    home.write("s", SMALL)
    home.fill("s", {
        "0.001/none/0.1": [90.0, 91.0], "0.001/none/0.05": [91.0, 92.0],
        "0.001/mix/0.1": [95.0, 94.0], "0.001/cut/0.1": [89.0, 88.0], "0.001/cut/0.05": [80.0, None],
        "0.01/mix/0.05": [70.0, 71.0],
    })  # fmt: skip
    return home


def cells(found: Heat) -> dict[tuple[str, ...], dict[str, float | None]]:
    return {
        (*row.names, *cell.levels): {"value": cell.value, "relative": cell.relative}
        for row in found.rows
        for cell in row.cells
    }


def test_the_published_figure_renders_without_any_run(home: StudyHome) -> None:
    report = home.lab.study_report("augreg-i21k300")
    assert available(report) == ["published"]
    found = heat(report)
    assert found.show == "published" and [row.label for row in found.rows] == list(FIGURE_4)
    for row, (without, with_it, side) in zip(found.rows, FIGURE_4.values(), strict=True):
        assert [cell.value for cell in row.cells] == [*without, *with_it]
        assert [cell.text for cell in row.cells] == [str(value) for value in [*without, *with_it]]
        assert [cell.relative for cell in row.cells] == [value - without[0] for value in [*without, *with_it]]
        # The paper computes its side column before it rounds, so one of ours may differ by one.
        assert row.side is not None and abs(row.side - side) <= 1 and row.told == side
    assert found.rows[0].cells[0].base and sum(cell.base for row in found.rows for cell in row.cells) == 9


@pytest.mark.parametrize("name", ["augreg-i1k300", "augreg-i21k30", "augreg-i21k300"])
def test_side_columns_are_the_published_ones_within_rounding(home: StudyHome, name: str) -> None:
    for row in heat(home.lab.study_report(name)).rows:
        assert row.side is not None and row.told is not None and abs(row.side - row.told) <= 1


def test_a_cell_is_the_best_over_the_axes_in_neither(small: StudyHome) -> None:
    report = small.lab.study_report("s")
    found = heat(report)
    told = cells(found)
    assert told["0.001", "none"] == {"value": 91.5, "relative": 0.0}
    assert told["0.001", "mix"] == {"value": 94.5, "relative": 3.0}
    assert told["0.001", "cut"] == {"value": 88.5, "relative": -3.0}
    assert told["0.01", "none"]["value"] is None and told["0.01", "mix"] == {"value": 70.5, "relative": None}
    first = found.rows[0].cells
    assert [(cell.variant, cell.seeds, cell.of, cell.lacking) for cell in first] == [
        ("0.001/none/0.05", 2, 2, 0), ("0.001/mix/0.1", 2, 2, 1), ("0.001/cut/0.1", 2, 2, 0)
    ]  # fmt: skip
    assert first[1].text == "94.5*" and first[0].base and found.side == "aug: cut − none"
    assert found.rows[0].side == 88.5 - 91.5 and found.rows[1].side is None
    notes = "\n".join(found.notes)
    assert "the best over weight decay 0.1, 0.05" in notes and "flatters" in notes and "*: not all" in notes


def test_a_cell_without_a_value_says_what_its_runs_are(small: StudyHome) -> None:
    variants = {variant.name: variant for variant in small.planned("s").variants}
    for name, state in (("0.01/none/0.1", "running"), ("0.01/cut/0.1", "diverged")):
        for seed in (0, 1):
            small.run(variants[name], seed, state=state, epoch=2.0, evidence="loss was not finite")
    for seed in (0, 1):
        small.run(variants["0.01/cut/0.05"], seed, state="diverged", epoch=2.0, evidence="loss was not finite")
    found = heat(small.lab.study_report("s"))
    assert [cell.text for cell in found.rows[1].cells] == ["▶", "70.5*", "NaN"]
    assert any("without a value: NaN diverged, ▶ running" in note for note in found.notes)


def test_less_is_better_for_a_loss(small: StudyHome) -> None:
    small.write("s", SMALL.replace("[report]", '[report]\nmetric = "loss"'))
    found = heat(small.lab.study_report("s"))
    first = found.rows[0]
    assert first.cells[1].relative is not None and first.cells[1].relative < 0
    assert found.grade(first.cells[1].relative) == 3 and found.grade(first.cells[2].relative) == -3
    assert first.cells[0].variant == "0.001/none/0.05"  # the least loss


def test_own_less_published(home: StudyHome) -> None:
    variants = {variant.name: variant for variant in home.planned("augreg-i21k300").variants}
    home.run(variants["b32/no/light2/0.1"], variants and home.planned("augreg-i21k300").seeds[0], 47.0)
    home.run(variants["b32/yes/light2/0.1"], home.planned("augreg-i21k300").seeds[0], 47.5)
    report = home.lab.study_report("augreg-i21k300")
    assert available(report) == ["own", "published", "difference"]
    found = heat(report, "difference")
    row = next(row for row in found.rows if row.label == "B/32")
    shown = {cell.levels: (cell.text, cell.relative) for cell in row.cells if cell.value is not None}
    assert shown == {("no", "light2"): ("-1.0*", -1.0), ("yes", "light2"): ("+1.5*", 1.5)}
    assert row.side == (47.5 - 47.0) - (46 - 48)
    assert heat(report).show == "own" and "Heat map of own less published" in heats.title(found)


def test_two_axes_need_no_layout(home: StudyHome) -> None:
    text = SMALL.split('[[axis]]\nname = "wd"')[0]
    home.write("s", text)
    home.fill("s", {"0.001/none": [90.0, 91.0], "0.001/mix": [93.0, 92.0]})
    found = heat(home.lab.study_report("s"))
    assert (found.down, found.across, found.over, found.side) == (("lr",), ("aug",), (), "")
    assert cells(found)["0.001", "mix"] == {"value": 92.5, "relative": 2.0}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.split("[report]")[0], "needs [report] rows = [...] and columns = [...] in the study; axes: lr, aug, wd"),
        (lambda text: text.split('[[axis]]\nname = "aug"')[0], "two [[axis]] tables or more; it has one (lr)"),
        (lambda text: text.split("[[axis]]")[0], "two [[axis]] tables or more; it has none"),
    ],
)  # fmt: skip
def test_what_a_heat_map_needs(home: StudyHome, change: object, sentence: str) -> None:
    home.write("s", change(SMALL))  # type: ignore[operator]
    report = home.lab.study_report("s")
    assert available(report) == []
    with pytest.raises(UsageError, match=re.escape(sentence)):
        heat(report)


def test_what_cannot_be_shown_is_refused(small: StudyHome) -> None:
    assert available(small.lab.study_report("s")) == ["own"]  # one cell is the preset itself, which has a value
    small.write("s", SMALL.replace("0.05]", "0.2]"))
    report = small.lab.study_report("s")
    with pytest.raises(UsageError, match="shows own, published or difference"):
        heat(report, "nonsense")
    with pytest.raises(UsageError, match="nothing is published for its cells"):
        heat(report, "published")


def test_the_text_says_with_signs_what_colours_say(small: StudyHome) -> None:
    table = heats.table(heat(small.lab.study_report("s")))
    out = aligned(table, 80)
    line = next(line for line in out.splitlines() if line.startswith("0.001"))
    assert re.split(r"\s{2,}", line) == ["0.001", "91.5 =", "94.5* ▲", "88.5 ▼", "-3"]
    assert max(len(line) for line in out.splitlines()) <= 80
    svg = HEAT_FORMATS["svg"](heat(small.lab.study_report("s")), "")
    assert "▲" in svg and 'class="fill better"' in svg and 'class="fill worse"' in svg and "stroke-dasharray" in svg


def test_only_what_stands_out_is_bold(small: StudyHome) -> None:
    report = small.lab.study_report("s")
    found = heat(report)
    standing = {row.variant.name for row in report.rows if row.stands_out}
    bold = {cell.variant for row in found.rows for cell in row.cells if cell.stands_out}
    assert bold == standing & {cell.variant for row in found.rows for cell in row.cells}
    table = heats.table(found)
    assert sum(entry.bold for row in table.rows for entry in row) == len(bold)
