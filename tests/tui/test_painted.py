"""Only what is new on the terminal is written, and all of that: checked on a terminal that is played back."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from textual._compositor import LayoutUpdate
from textual.app import App, ComposeResult
from textual.geometry import Region, Size

from tests.tui.driving import running, until
from tests.tui.fake_lab import FakeLab
from vitui.tui.app import VituiApp
from vitui.tui.painted import Painted, terse, terser
from vitui.tui.series import exact
from vitui.tui.theme import OKABE_ITO
from vitui.tui.widgets.bar import Bar
from vitui.tui.widgets.chart_grid import ChartGrid
from vitui.tui.widgets.look import Panel, Trace


class Stage(App[None]):
    def compose(self) -> ComposeResult:
        yield Bar(id="head")
        yield ChartGrid(OKABE_ITO)


def played(sequences: str) -> list[tuple[str, str]]:
    """Each character written with the style that is in force, moves of the cursor as they are."""
    style, out = "", []
    sequences = re.sub(r"\x1b\[(\d+)X\x1b\[\1C", lambda erased: " " * int(erased[1]), sequences)
    for escape, text in re.findall(r"(\x1b\[[\d;]*[mHK])|([^\x1b])", sequences):
        if escape.endswith("m"):
            for codes in re.findall(r"(?:[34]8;5;\d+|[34]8;2;\d+;\d+;\d+|\d+)", escape):
                kind = (
                    "front"
                    if re.match(r"38|3\d|9\d", codes)
                    else "back"
                    if re.match(r"48|4\d|10\d", codes)
                    else "attribute"
                )
                now = {} if codes == "0" else dict(part.split("=", 1) for part in style.split("|") if part)
                if codes != "0":
                    now[kind if kind != "attribute" else f"attribute{codes}"] = codes
                style = "|".join(f"{key}={now[key]}" for key in sorted(now))
        elif escape:
            out.append(("move" if escape.endswith("H") else "rest of the line", escape))
        else:
            out.append((text, style))
    return out


def lines_of(update: str, width: int, height: int, before: list[str]) -> tuple[list[str], int]:
    """What a terminal that shows `before` shows after `update`, and how many cells were written."""
    cells, count, x, y = [list(line) for line in before], 0, 0, 0
    for what, value in played(update):
        if what == "move":
            row, column = re.fullmatch(r"\x1b\[(\d+);(\d+)H", value).groups()  # type: ignore[union-attr]
            x, y = int(column) - 1, int(row) - 1
        elif what == "rest of the line":
            cells[y][x:] = " " * (width - x)
            count += width - x
        elif what in "\r\n":
            x, y = (0, y) if what == "\r" else (x, y + 1)
        else:
            cells[y][x] = what
            x, count = x + 1, count + 1
    return ["".join(line) for line in cells], count


@pytest.mark.parametrize("erases", [False, True])
async def test_a_moved_crosshair_writes_two_columns_and_is_complete(erases: bool) -> None:
    steps = np.arange(1.0, 1001)
    panels = [Panel(k, k, (Trace(exact(k, steps, np.sin(steps / n)), "train"),)) for n, k in enumerate("abcdef", 50)]
    app = Stage()
    async with app.run_test(size=(120, 40)) as pilot:
        painted, compositor = Painted(erases=erases), app.screen._compositor
        grid, head = app.screen.query_one(ChartGrid), app.screen.query_one(Bar)
        grid.show(panels)
        grid.put_cursor(500)
        head.show([("before", OKABE_ITO.text)])
        await pilot.pause()

        def lines() -> list[str]:
            return [strip.text for strip in compositor.render_strips()]

        def render(update: object) -> str:
            return painted.only_new(update, Size(120, 40)).render_segments(app.console)  # type: ignore[arg-type]

        empty = [" " * 120] * 40
        shown, count = lines_of(render(compositor.render_full_update()), 120, 40, empty)
        assert shown == lines() and count == 120 * 40
        assert render(compositor.render_full_update()) == "", "all of it stands there"
        grid.move_cursor(-30)
        head.show([("after", OKABE_ITO.text)])
        grid.bring_to_front("b")
        compositor.update_widgets({grid, head})
        update = compositor.render_partial_update()
        assert update is not None
        after, count = lines_of(render(update), 120, 40, shown)
        assert after == lines() != shown
        assert 0 < count < 120 * 40 / 5
        again, _ = lines_of(render(compositor.render_full_update()), 120, 40, after)
        assert again == lines(), "lines that changed in part are written whole, not taken for known"
        compositor._dirty_regions.add(Region(0, 0, 120, 40))
        same = compositor.render_partial_update()
        assert same is not None
        assert render(same) == "", "whole lines that stand there are not written again"
        painted.forget()
        assert lines_of(render(compositor.render_full_update()), 120, 40, empty)[0] == lines()


def test_styles_are_changed_not_set_anew() -> None:
    styles = ["38;5;252;48;5;16", "38;5;23;48;5;16", "38;5;23;48;5;16", "1;38;5;74;48;5;16", "38;5;252;48;5;16", "2",
              "38;2;1;2;3;48;2;4;5;6", "38;2;1;2;3;48;2;9;5;6", "97;40", "31;40", "1;3;97;100"]  # fmt: skip
    whole = "".join(f"\x1b[{style}m{letter}\x1b[0m" for style, letter in zip(styles, "abcdefghijk", strict=True))
    whole = whole.replace("c\x1b[0m", "c\x1b[0m\x1b[7;1H")
    short = terse(whole)
    assert played(short) == played(whole)
    assert len(short) < 0.75 * len(whole) and short.endswith("\x1b[0m")
    plain = "\x1b[38;5;1;48;5;2ma\x1b[0mplain\x1b[38;5;3;48;5;2mb\x1b[0m\x1b[38;5;3;48;5;4mc\x1b[0m"
    assert played(terse(plain)) == played(plain), "after text without a style nothing is in force"
    assert terse("") == "" and terse("\x1b[3;1Hplain") == "\x1b[3;1Hplain"


def test_spaces_take_over_the_style_before_where_they_look_the_same() -> None:
    blue, red, on_grey, lined = "38;5;74;48;5;16", "38;5;9;48;5;16", "38;5;74;48;5;237", "4;38;5;74;48;5;16"
    parts = [(blue, "a"), (red, "   "), (blue, "b"), (on_grey, "  "), (lined, "   "), (blue, "c")]
    short = terse("".join(f"\x1b[{style}m{text}\x1b[0m" for style, text in parts))
    assert short.startswith(f"\x1b[{blue}ma   b\x1b[48;5;237m  ")
    assert "\x1b[0;4;38;5;74;48;5;16m   " in short, "an underlined space is seen"


def test_long_blanks_are_erased_where_the_terminal_fills_what_it_erases() -> None:
    plain, lined = "38;5;74;48;5;16", "4;38;5;74;48;5;16"
    whole = f"\x1b[{plain}mx\x1b[0m\x1b[{plain}ma{' ' * 30}b{' ' * 5}\x1b[0m\x1b[{lined}m{' ' * 30}\x1b[0m"
    assert played(terser(whole)) == played(terse(whole)) == played(whole)
    assert f"a\x1b[30X\x1b[30Cb{' ' * 5}" in terser(whole) and " " * 30 in terser(whole)
    assert "X" not in terse(whole)


@pytest.mark.parametrize(
    ("term", "filled"), [("xterm-256color", True), ("screen", False), ("tmux-256color", True), ("no-such", False)]
)
def test_terminfo_says_which_terminals_fill(term: str, filled: bool) -> None:
    code = f"from vitui.tui.painted import fills_what_it_erases as f; print(f({term!r}))"  # curses looks once a process
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == str(filled)


async def test_what_is_drawn_while_updates_are_held_back_is_drawn_afterwards(lab: FakeLab) -> None:
    async with running(lab) as (app, _pilot):
        bar = app.screen.query_one("#title", Bar)
        with app.batch_update():
            bar.show([("something else", OKABE_ITO.text)])
            app.screen._compositor.update_widgets({bar})
            app.screen._compositor_refresh()
            assert app.screen._compositor._dirty_regions, "not taken for drawn"


async def test_another_size_is_one_whole_picture_with_everything_in_its_new_place(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        for kind in ("a list", "a run"):
            drawn: list[object] = []
            app._painted.only_new = lambda update, size, to=drawn: to.append((update, size)) or update  # type: ignore[method-assign, misc]
            await pilot.resize_terminal(*((100, 30) if kind == "a list" else (130, 40)))
            await until(pilot, lambda seen=drawn: any(isinstance(u, LayoutUpdate) for u, _ in seen))
            await pilot.pause()
            first = next(u for u, _ in drawn if isinstance(u, LayoutUpdate))
            lines = ["".join(strip.text for strip in line) for line in first.strips]
            assert lines == [strip.text for strip in app.screen._compositor.render_strips()], kind
            await pilot.press("enter")
            await pilot.pause()


async def test_a_hidden_screen_is_not_laid_out_and_one_behind_a_dialog_is(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        await pilot.press("enter")
        await pilot.pause()
        assert len(app.screen_stack) > 2 and app._background_screens == []
        run = app.screen
        await pilot.press("question_mark")
        assert app._background_screens == [run]


async def test_the_app_writes_through_it(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        assert isinstance(app, VituiApp)
        seen = []
        app._painted.only_new = lambda update, size: seen.append(size) or update  # type: ignore[method-assign, func-returns-value]
        await pilot.press("j")
        await pilot.pause()
        assert seen and seen[0] == app.size
