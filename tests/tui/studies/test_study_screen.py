"""The screen of one study: table, seeds, heat map, curves, what is live in them, and what keys do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.studies.homes import StudyHome
from tests.tui.driving import bar, notes, screen_text, until
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.run import RunScreen
from vitui.tui.screens.runs import RunsScreen
from vitui.tui.screens.study import StudyScreen

from .conftest import curves, opened, put_on


def bold(app: object) -> set[str]:
    """Texts that are drawn bold between the title lines and the key line."""
    strips = app.screen._compositor.render_strips()[2:-3]  # type: ignore[attr-defined]
    return {seg.text.strip() for strip in strips for seg in strip if seg.style and seg.style.bold and seg.text.strip()}


async def test_the_table_on_a_small_terminal(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, screen):
        lines = screen_text(app).splitlines()
        assert "9 of 15 done" in lines[0] and "[table]" in lines[1] and "to base" in lines[1]
        rows = {line[2:20].strip(): line for line in lines[2:12]}
        assert "✓✓✓" in rows["base"] and "91.10 ± 0.10" in rows["base"] and "baseline" in rows["base"]
        assert "+0.03" in rows["− Label smoothing"] and "≈ within noise" in rows["− Label smoothing"]
        assert "▶✗·" in rows["− Warm-up"] and "▶ running 40 %" in rows["− Warm-up"].replace("40%", "40 %")
        assert "+2.00" in rows["+ Mixup"] and "▲ better" in rows["+ Mixup"]
        assert "···" in rows["+ CutMix"] and "–" in rows["+ CutMix"]
        assert screen.table.columns_shown == ["label", "seeds", "value", "difference", "verdict"]
        await pilot.press("j")
        await pilot.pause()
        assert "within noise: needs" in bar(app, "detail") and "more seed" in bar(app, "detail")
        await pilot.press("l", "l")
        await pilot.pause()
        assert "91.00 to 91.30" in bar(app, "detail-more")


async def test_only_what_stands_out_is_bold_wherever_the_cursor_is(home: StudyHome) -> None:
    async with opened(home, size=(160, 40)) as (app, pilot, _):
        for _ in range(5):
            await pilot.pause()
            found = bold(app)
            assert {"93.10 ± 0.10", "+2.00"} <= found
            assert not {text for text in found if text.startswith(("91", "+0", "≈", "within"))}, found
            await pilot.press("j")


async def test_columns_that_do_not_fit_are_scrolled_to(home: StudyHome) -> None:
    async with opened(home, size=(60, 15)) as (app, pilot, screen):
        assert screen.table.columns_shown == ["label", "seeds", "value", "difference"]
        for _ in range(len(screen.table._columns)):
            await pilot.press("right")
        await pilot.pause()
        assert (
            screen.table.columns_shown[0] == "label" and screen.table.columns_shown[-1] == screen.table._columns[-1].key
        )
        assert "‹" in screen_text(app) and "›" not in screen_text(app)
        await pilot.press(*["left"] * 20)
        await pilot.resize_terminal(240, 40)
        await until(
            pilot,
            lambda: {"interval", "p", "last", "time", "params", "macs", "speed"} <= set(screen.table.columns_shown),
        )


async def test_before_anything_is_trained_published_values_have_the_room(home: StudyHome) -> None:
    async with opened(home, "compact-large") as (app, pilot, screen):
        await pilot.pause()
        assert [column.key for column in screen.table._columns] == ["label", "seeds", "value", "published"]
        assert "published" in screen.table.columns_shown and "97.19" in screen_text(app), screen_text(app)


async def test_a_result_shows_up_while_one_looks(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, _):
        cutmix = home.planned("ab").variants[4]
        home.run(cutmix, 0, 95.25)
        await until(pilot, lambda: "95.25 (±" in screen_text(app))
        assert "10 of 15 done" in bar(app, "head")
        run_id = next(run.id for run in home.lab.runs(states={"running"}))
        with home.lab.store.writing() as db:
            db.execute("UPDATE runs SET step = 240 WHERE id = ?", (run_id,))
        await until(pilot, lambda: "running 80" in screen_text(app))


async def test_seeds_open_their_run_and_rows_let_one_pick(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, screen):
        await pilot.press("tab", "j", "j", "l")
        await pilot.pause()
        text = screen_text(app)
        assert "seed 0" in text and "▶ running 40" in text and "✗ failed at" in text and "· missing" in text
        assert "seed 0: ▶ running" in bar(app, "detail-more")
        await pilot.press("l")
        await pilot.pause()
        assert "killed by SIGKILL at step 12" in bar(app, "detail-more")
        await pilot.press("l", "enter")
        assert "there is no run yet" in notes(app)
        await pilot.press("h", "enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert home.row(app.screen.run_id).state == "failed"  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.press("escape")
        assert screen.pane == "table"
        put_on(screen.table, "base")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        assert "seed 2" in screen_text(app) and "✓ 91.10" in screen_text(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))


async def test_sorted_searched_marked_and_another_baseline(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, screen):
        await pilot.press("l", "l", "s")
        assert [row.key for row in screen.table.rows][:2] == ["mixup", "no-label-smoothing"]
        await pilot.press("s")
        assert [row.key for row in screen.table.rows][:2] == ["base", "no-label-smoothing"]
        assert [row.key for row in screen.table.rows][3:] == ["no-warmup", "cutmix"], "those without a value stay last"
        await pilot.press("s", "slash", *"mix", "enter")
        assert [row.key for row in screen.table.rows] == ["mixup", "cutmix"] and "/mix: 2 of 5" in bar(app, "tabs")
        await pilot.press("space", "escape", "escape")
        assert not screen.marked and len(screen.table.rows) == 5
        put_on(screen.table, "mixup")
        await pilot.press("b")
        await until(pilot, lambda: screen.report is not None and screen.report.baseline == 3)
        assert "to + Mixup" in bar(app, "tabs") and "until you leave" in notes(app)
        assert home.lab.study("ab").baseline == ""


async def test_one_cell_one_row_or_all_of_it_is_queued(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, screen):
        await pilot.press("j", "r")
        assert "no run is missing or broken here" in notes(app)
        await pilot.press("j", "r")
        assert "several are missing; tab shows each seed" in notes(app)
        await pilot.press("tab", "l", "l", "r")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        text = screen_text(app)
        assert "Resume 1 run of no-warmup, seed 1?" in text and "goes on from checkpoints" in text
        assert "reused" not in text, "what other cells have is not asked about"
        await pilot.press("y")
        await until(pilot, lambda: "1 resumed" in notes(app))
        await until(pilot, lambda: screen.report is not None and screen.report.counts.get("queued") == 1)
        await pilot.press("j", "j", "R")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert "Queue 3 runs of variant + CutMix?" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: screen.report is not None and screen.report.counts.get("queued") == 4)
        with home.lab.store.writing() as db:  # as its process writes it: such a row cannot be hashed
            db.execute("UPDATE runs SET handle = ? WHERE state = 'running'", ('{"pid": 1}',))
        await until(pilot, lambda: any(run.handle for run in screen.stop_runs() or ()))
        await pilot.press("x")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert "Stop 5 runs?" in screen_text(app)
        await pilot.press("y")
        await until(pilot, lambda: screen.report is not None and screen.report.counts.get("stopped") == 4)
        assert [run.stop_requested is not None for run in home.lab.runs(states={"running"})] == [True]


async def test_presets_that_have_changed_since_are_told_and_it_is_forked(home: StudyHome) -> None:
    folder = home.lab.home / "presets"
    folder.mkdir()
    (folder / "mine.toml").write_text('extends = "demo-digits"\n[optim]\nlr = 3e-3\n')
    home.write("own", 'base = "mine"\nseeds = [0, 1]')
    home.lab.launch_study("own", only={("base", 0)})
    (folder / "mine.toml").write_text('extends = "demo-digits"\n[optim]\nlr = 5e-3\n')
    async with opened(home, "own", (100, 30)) as (app, pilot, _):
        assert "optim.lr" in bar(app, "unfair"), screen_text(app)
        await pilot.press("Q")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        text = screen_text(app)
        assert "Presets have changed since own was queued. Fork it?" in text and "optim.lr: 0.003 -> 0.005" in text
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, StudyScreen) and app.screen.name_shown == "own-2")
        await until(pilot, lambda: app.screen.view is not None and app.screen.view.report is not None)  # type: ignore[attr-defined]
        assert not home.planned("own-2").changed


async def test_the_heat_map(home: StudyHome) -> None:
    async with opened(home, "grid") as (app, pilot, screen):
        await pilot.press("tab", "tab")
        await until(pilot, lambda: screen.heat_map.heat is not None)
        await pilot.pause()
        text = screen_text(app)
        assert "91.0=" in text and "93.0" in text and "80.0▼" in text and "worse by up to" in bar(app, "legend")
        assert "0.0 − 0.05" in text and "+1.0" in text, text
        await pilot.press("l", "j")
        await pilot.pause()
        assert "[" in text and "80.0" in bar(app, "detail") and "-8.00 against the row's =" in bar(app, "detail")
        await pilot.press("o")
        assert "one kind of value only" in notes(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, RunScreen))
        assert home.row(app.screen.run_id).report_best == 80.0  # type: ignore[attr-defined]
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        assert screen.pane == "heat map"
        await pilot.press("l", "R")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert "Queue 1 run of variant 0.0005, 0.0?" in screen_text(app)


async def test_a_study_without_a_grid_has_no_heat_map_and_says_why(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, screen):
        await pilot.press("tab", "tab")
        assert screen.pane == "curves", "it is passed over"
        screen.action_go_to("heat map")
        await until(pilot, lambda: "needs a grid of two [[axis]] tables" in screen_text(app))


async def test_curves_of_the_marked_variants_with_bands(home: StudyHome) -> None:
    curves(home)
    async with opened(home, size=(120, 40)) as (app, pilot, screen):
        await pilot.press("shift+tab")
        await until(pilot, lambda: screen.grid.panels)
        await pilot.pause()
        loss = screen.grid.panels[0]
        assert [trace.label for trace in loss.traces] == ["base of 3", "− Label smoothing of 3", "+ Mixup of 3"]
        assert all(trace.banded for trace in loss.traces) and "A base" in bar(app, "legend")
        accuracy = next(panel for panel in screen.grid.panels if panel.key == "minival/top1")
        base = accuracy.traces[0].series
        assert base.mean.tolist() == pytest.approx([91.1 - 60 + 1, 91.1 - 30 + 1, 91.1 - 20 + 1])
        assert base.hi[0] - base.mean[0] == pytest.approx(1.0, abs=0.15)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press("space", "enter")
        await until(pilot, lambda: [panel.key for panel in screen.grid.panels] == ["minival/top1"])
        before = screen.grid.look.x
        await pilot.press("X")
        assert screen.grid.look.x is not before
        await pilot.press("tab")
        put_on(screen.table, "mixup")
        await pilot.press("space", "shift+tab")
        await until(pilot, lambda: [t.label for t in screen.grid.panels[0].traces] == ["+ Mixup of 3"])
    kept = json.loads((home.lab.home / "tui.json").read_text())["study"]
    assert kept["pane"] == "curves" and kept["series"] == ["minival/top1"] and kept["study"] == "ab"


async def test_its_runs_in_the_list(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, _):
        await pilot.press("a")
        await until(pilot, lambda: app.screen is app.runs_screen and len(app.runs_screen.listed()) == 11)
        assert app.runs_screen.arrangement.filter == "study:ab"


async def test_the_mouse_puts_cursors_opens_sorts_and_changes_the_view(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, screen):
        await pilot.click("#table", offset=(5, 2))
        assert screen.current_row is not None and screen.current_row.variant.name == "no-label-smoothing"
        await pilot.click("#table", offset=(35, 0))
        assert screen.table.column is not None and screen.table.column.key == "value"
        await pilot.click("#table", offset=(35, 0))
        assert screen.order == ("value", False) and screen.table.rows[0].key == "mixup"
        await pilot.click("#tabs", offset=(10, 0))
        assert screen.pane == "seeds"
        await pilot.click("#table", offset=(30, 1))
        await pilot.click("#table", offset=(30, 1))
        await until(pilot, lambda: isinstance(app.screen, RunScreen))


async def test_a_tall_terminal_has_the_curves_under_the_table(home: StudyHome) -> None:
    curves(home)
    async with opened(home, size=(120, 40)) as (app, pilot, screen):
        await until(pilot, lambda: screen.grid.panels)
        await pilot.pause()
        assert screen.pane == "table" and screen.grid.region.height > 12 and screen.table.region.height == 7
        legend = screen.query_one("#legend")
        assert "A base" in bar(app, "legend") and legend.region.bottom == screen.grid.region.y, "what letters mean"
        await pilot.press("space")
        await until(pilot, lambda: [trace.label for trace in screen.grid.panels[0].traces] == ["base of 3"])
        before = screen.grid.look.smoothing
        await pilot.press("right_square_bracket")
        assert screen.grid.look.smoothing == before and "only where curves are in front" in notes(app)
        await pilot.resize_terminal(120, 24)
        await until(pilot, lambda: not screen.grid.region and screen.table.region.height > 10)


async def test_marked_variants_are_compared_run_by_run(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, _):
        await pilot.press("space", "space", "c")
        await until(pilot, lambda: app.screen is app.compare_screen)
        assert len(app.compare_screen.run_ids) == 6
        await pilot.press("5")
        await until(pilot, lambda: app.screen.KIND == "studies")  # type: ignore[attr-defined]


async def test_the_report_is_copied_and_written(
    home: StudyHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves(home)
    copied: list[tuple[str, str]] = []
    async with opened(home) as (app, pilot, _):
        monkeypatch.setattr(app, "copy", lambda text, what: copied.append((text, what)))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(app.screen, PickScreen))
        await pilot.press(*"pipe", "enter")
        await until(pilot, lambda: copied)
        assert copied[0][1] == "study ab as Markdown" and "| + Mixup |" in copied[0][0]
        for name in ("report.html", "report.tex"):
            await pilot.press("w")
            await until(pilot, lambda: isinstance(app.screen, PromptScreen))
            app.screen.query_one("#prompt-field").value = str(tmp_path / name)  # type: ignore[attr-defined]
            await pilot.press("enter")
            await until(pilot, (tmp_path / name).exists)
        assert "<svg" in (tmp_path / "report.html").read_text() and r"\toprule" in (tmp_path / "report.tex").read_text()


async def test_a_broken_study_says_what_is_wrong_and_heals(home: StudyHome) -> None:
    home.write("bad", 'base = "no-such-preset"')
    async with opened(home, "bad") as (app, pilot, screen):
        assert "no-such-preset" in screen_text(app) and "E edits its file" in screen_text(app)
        await pilot.press("l", "tab", "s")
        assert app.screen is screen and "there is no table of this study" in notes(app)
        home.write("bad", 'base = "demo-digits"')
        await until(pilot, lambda: screen.report is not None and len(screen.report.rows) == 1)
        (home.lab.home / "studies/bad.toml").unlink()
        await until(pilot, lambda: isinstance(app.screen, RunsScreen))
        await until(pilot, lambda: "study bad is not there any more" in notes(app))


async def test_about_has_question_and_every_note(home: StudyHome) -> None:
    async with opened(home) as (app, pilot, _):
        await pilot.press("i")
        await until(pilot, lambda: "What matters?" in screen_text(app))
        await pilot.press("G")
        await until(pilot, lambda: "(Holm)" in screen_text(app))


async def test_hostile_texts_at_any_size(home: StudyHome) -> None:
    from tests.tui.test_hostile import wrong

    evil = "\\u001b[2J[/b]\\u202e" + "宽" * 60
    home.write("evil", f'title = "{evil}"\nquestion = "{evil}"\nbase = "demo-digits"\nseeds = [0, 1]\n'
               f'[[variant]]\nname = "{evil}"\nlabel = "{evil}"\nset = {{ optim.lr = 0.01 }}')  # fmt: skip
    variant = home.planned("evil").variants[1]
    home.run(variant, 0, state="failed", evidence="\x9b31m[/] \u202e" * 20)
    async with opened(home, "evil", (60, 15)) as (app, pilot, screen):
        for width, height in ((1, 1), (61, 16), (80, 24), (200, 60)):
            await pilot.resize_terminal(width, height)
            for pane in ("table", "seeds", "heat map", "curves"):
                screen.action_go_to(pane)
                for key in ("j", "l", "l"):
                    await pilot.press(key)
                await pilot.pause()
                assert wrong(app) == [], (width, pane)
        for keys in (["i"], ["escape"], ["F"], ["escape"], ["D"], ["n"], ["5"], ["slash", "e"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert wrong(app) == [], keys
