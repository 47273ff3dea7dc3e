"""Lines of the launch form, without a screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.recipe import presets
from vitui.drafts.draft import Draft
from vitui.drafts.fields import FormField
from vitui.drafts.preview import FieldValue, Preview, preview
from vitui.drafts.shelf import PresetEntry
from vitui.lab import Lab
from vitui.text import cell_width
from vitui.tui.screens import launch_rows as rows
from vitui.tui.screens.launch_preview import difference_lines, preset_page, preview_lines, repeated, wrapped
from vitui.tui.screens.launch_rows import Detail, draw_detail, draw_field, draw_preset, draw_switch
from vitui.tui.theme import OKABE_ITO as P
from vitui.tui.widgets.bar import Part
from vitui.tui.widgets.lines import Line
from vitui.tui.widgets.listing import Row

NASTY = "a\x1b[31m\u202e名前名前 [b]\n" * 3
ENTRY = PresetEntry("cct", "compact", "CCT on digits", "97.00", "top1 on test", "digits", "present", "", "cct_7", "30")
BIG = replace(ENTRY, name="big", reference="NaN at epoch 35", data_state="downloads 170 MB")
FAR = replace(ENTRY, name="far", family="augreg", data_state="missing", data_remedy="vitui data add x --from PATH")
BROKEN = PresetEntry("own", "", problem="preset own is not valid TOML")
LR = FieldValue(FormField("optim.lr", "optim", "number", unit="1/step", help="Peak."), "0.002", "--set", True, "0.001")


def text(parts: list[Part] | Line) -> str:
    return parts if isinstance(parts, str) else "".join(word for word, _ in parts)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Preview:
    lab = Lab.open(tmp_path_factory.mktemp("home"), create=True, adopt=False)
    return preview(lab, Draft("demo-digits", flips=("mixup",), sets={"optim.lr": "0.002"}))


def test_presets_stand_under_their_families_and_a_search_opens_folded_ones() -> None:
    entries = [FAR, ENTRY, BIG, BROKEN]
    listed = rows.preset_rows(entries, "cct", "", {"compact"})
    assert [row.key for row in listed] == [
        "family augreg", "far", "family compact", f"family {rows.BROKEN}", "own",
    ]  # fmt: skip
    assert listed[2].content.folded and listed[2].content.count == 2
    assert [row.key for row in rows.preset_rows(entries, "cct", "CCT big", {"compact"})] == ["family compact", "big"]
    assert rows.preset_rows(entries, "cct", "nothing of the kind", ()) == []


def test_a_preset_tells_its_number_and_its_data() -> None:
    lines = {
        e.name: text(draw_preset(Row(e.name, rows.Shelved(e, e is ENTRY)), 77, P)) for e in (ENTRY, BIG, FAR, BROKEN)
    }
    assert lines["cct"].startswith("● cct") and "97.00" in lines["cct"] and "✓ here" in lines["cct"]
    assert "↓ 170 MB" in lines["big"] and "NaN at" in lines["big"]
    assert "✗ missing" in lines["far"]
    assert "✗ own" in lines["own"] and "not valid TOML" in lines["own"]


@pytest.mark.parametrize("width", [1, 8, 20, 40, 58, 77, 118, 197])
def test_no_line_is_wider_than_its_place(width: int, made: Preview) -> None:
    nasty = replace(ENTRY, name=NASTY, title=NASTY, reference=NASTY, dataset=NASTY)
    drawn = [
        draw_preset(Row("x", rows.Shelved(nasty, True)), width, P),
        draw_preset(Row("x", rows.Shelved(replace(BROKEN, problem=NASTY, name=NASTY), False)), width, P),
        draw_field(Row("x", replace(LR, text=NASTY, before=NASTY, origin=NASTY)), width, P),
        draw_detail(Row("x", Detail("name", "name", NASTY, "", "")), width, P),
        *(draw_switch(Row("x", switch), width, P) for switch in made.switches),
        *(draw_field(Row("x", one), width, P) for one in made.fields),
    ]
    if width >= 20:
        assert [text(parts) for parts in drawn if cell_width(text(parts)) > width] == []
    assert not any(set("\x1b\n\u202e") & set(text(parts)) for parts in drawn)


def test_a_switch_says_on_off_differs_and_not_available(made: Preview) -> None:
    switches = {switch.toggle.id: switch for switch in made.switches}
    lines = {id: text(draw_switch(Row(id, switch), 77, P)) for id, switch in switches.items()}
    assert lines["mixup"].startswith("≠ ● on") and lines["vflip"].startswith("  ○ off")
    assert "– n/a" in lines["nesterov"] and "optim.nesterov" in switches["nesterov"].reason
    only = rows.switch_rows(made.switches, "", changed_only=True)
    assert [row.key for row in only if not row.heading] == ["mixup"]


def test_a_field_says_value_unit_preset_and_origin(made: Preview) -> None:
    line = text(draw_field(Row("optim.lr", LR), 77, P))
    assert line.startswith("≠ lr") and "0.002 1/step" in line and "was 0.001" in line and line.endswith("you")
    changed = rows.field_rows(made.fields, "", changed_only=True)
    assert [row.key for row in changed if not row.heading] == ["mix.mixup", "optim.lr"]
    assert [row.key for row in rows.field_rows(made.fields, "optim.lr", False) if not row.heading] == ["optim.lr"]
    by_help = [row.key for row in rows.field_rows(made.fields, "registry", False) if not row.heading]
    assert "model.name" in by_help  # no field is called so, but the help of one says it


def test_differences_name_both_values_and_where_the_new_one_comes_from(made: Preview) -> None:
    lines = [text(line) for line in difference_lines(made, "", 76, P)]
    assert lines[0] == "Differences  2 from demo-digits"
    assert "0 → 0.8  toggle mixup" in lines[1] and "0.001 → 0.002  you" in lines[2]
    assert "from run 26x" in text(difference_lines(made, "26x", 76, P)[0])


def test_wrapped_text_keeps_every_word_and_the_width() -> None:
    long = "one two three " + "x" * 50 + " four"
    lines = [text(line) for line in wrapped(long, 20, P.text, indent="  ")]
    assert max(map(len, lines)) <= 20
    assert "".join(lines).replace(" ", "") == long.replace(" ", "")


def test_a_page_about_a_preset_tells_every_published_number() -> None:
    loaded = presets.load("demo-digits")
    entry = replace(ENTRY, references=loaded.references, description="First.\n\nSecond.", parents=("base",))
    page = "\n".join(text(line) for line in preset_page(entry, 60, P))
    assert "First." in page and "Second." in page and "extends base" in page
    assert all(f"{one.value:.2f}" in page for one in loaded.references if one.value is not None)


def test_a_page_about_a_preset_calls_only_results_results() -> None:
    loaded = presets.load("in1k-deit-t-ln")
    page = [text(line) for line in preset_page(replace(ENTRY, references=loaded.references), 400, P)]
    assert [line.partition(": ")[0] for line in page if line.startswith("- ")] == [
        "- 72.20 top1 on val, within 0.5 (published", "- 72.56 top1 on val, within 0.4 (published, notebook",
        "- 71.89 top1 on val, within 0.5 (reproduction", "- parameters 5M (published",
        "- throughput 2536.5 images/s (published",
    ]  # fmt: skip


def test_an_empty_form_says_what_to_do() -> None:
    assert "no preset chosen" in text(preview_lines(None, False, "", 60, P, "y")[0])
    assert repeated([]) == ""
