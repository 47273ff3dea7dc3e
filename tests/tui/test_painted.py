"""Only what is new on the terminal is written, and all of that: checked on a terminal that is played back."""

from __future__ import annotations

import re

import numpy as np
from textual.app import App, ComposeResult
from textual.geometry import Size

from tests.tui.driving import running
from tests.tui.fake_lab import FakeLab
from vitui.tui.app import VituiApp
from vitui.tui.painted import Painted, terse
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
    for escape, text in re.findall(r"(\x1b\[[\d;]*[mH])|([^\x1b])", sequences):
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
            out.append(("move", escape))
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
        else:
            cells[y][x] = what
            x, count = x + 1, count + 1
    return ["".join(line) for line in cells], count


async def test_a_moved_crosshair_writes_two_columns_and_is_complete() -> None:
    steps = np.arange(1.0, 1001)
    panels = [Panel(k, k, (Trace(exact(k, steps, np.sin(steps / n)), "train"),)) for n, k in enumerate("abcdef", 50)]
    app = Stage()
    async with app.run_test(size=(120, 40)) as pilot:
        painted, compositor = Painted(), app.screen._compositor
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
    assert terse("") == "" and terse("\x1b[3;1Hplain") == "\x1b[3;1Hplain"


async def test_the_app_writes_through_it(lab: FakeLab) -> None:
    async with running(lab) as (app, pilot):
        assert isinstance(app, VituiApp)
        seen = []
        app._painted.only_new = lambda update, size: seen.append(size) or update  # type: ignore[method-assign, func-returns-value]
        await pilot.press("j")
        await pilot.pause()
        assert seen and seen[0] == app.size
