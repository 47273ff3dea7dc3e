"""Nothing a run, a file or a user writes can break the screen: every text of a lab is hostile, on every screen."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
import unicodedata
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.events import Paste
from textual.pilot import Pilot
from wcwidth import wcswidth

from tests.tui.driving import until
from tests.tui.fake_lab import NOW, FakeLab
from tests.tui.hostile_lab import TEXTS, WORST, HostileLab
from tests.tui.test_opening import on_a_pty
from vitui.lab import Lab
from vitui.query.arrangement import Arrangement
from vitui.tui.app import VituiApp
from vitui.tui.screens.run import RunScreen
from vitui.tui.widgets.field import Field

COMMANDS = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Categories of characters that a terminal obeys, or misplaces."""
VISITS: dict[str, list[list[str]]] = {
    "list": [["g"], ["j"], ["j"], ["question_mark", "x"], ["escape"], ["colon", *"2611"], ["escape"], ["b"]],
    "dialogs": [["g", "j", "e"], ["escape", "t"], ["escape", "N"], ["escape", "y"], ["escape", "V"], ["escape", "j", "D"], ["escape", "x"]],
    "filter": [["slash", *"tag:"], ["tab"], ["ctrl+u", *"name~"], ["tab"], ["escape", "escape", "ctrl+o"], ["escape", "equals_sign"], ["equals_sign"]],
    "run": [["g", "j", "enter"], ["v"], ["tab"], ["w"], ["tab"], ["tab"], ["tab"], ["G"], ["1", "g", "j", "enter", "o"], ["space", "space", "enter"]],
    "compare": [["g", "space", "space", "space", "space", "c"], ["tab"], ["d"], ["G"], ["a"], ["escape"]],
    "devices": [["4"], ["l"], ["j"], ["j"], ["G", "h"]],
}  # fmt: skip


def wrong(app: VituiApp) -> list[str]:
    """What is wrong with the lines on the screen: their number, a width, a character."""
    width, height = app.size
    strips = app.screen._compositor.render_strips()
    found = [] if len(strips) == height else [f"{len(strips)} lines of {height}"]
    for strip in strips:
        text = strip.text
        if not strip.cell_length == cell_len(text) == wcswidth(text) == width:
            found.append(f"{strip.cell_length}, {cell_len(text)}, {wcswidth(text)} cells of {width}: {text!r}")
        found += [f"{c!r} in {text!r}" for c in text if unicodedata.category(c) in COMMANDS]
    return found


class Stage:
    """One app for many examples, in a thread with a loop of its own."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory()
        self.lab = HostileLab(Path(self._home.name))
        self.app = VituiApp(self.lab, clock=lambda: NOW)  # type: ignore[arg-type]
        self.loop = asyncio.new_event_loop()
        self._work: asyncio.Queue[tuple[Coroutine[Any, Any, None], Future[None]] | None] = asyncio.Queue()
        self._ready = threading.Event()
        self.failed: BaseException | None = None
        self.pilot: Pilot[None]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        assert self._ready.wait(30) and self.failed is None, self.failed

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self._play())
        except BaseException as error:
            self.failed = error
        finally:
            self._ready.set()

    async def _play(self) -> None:
        async with self.app.run_test(size=(100, 30), notifications=True) as self.pilot:
            await until(self.pilot, lambda: self.app.runs_known)
            self._ready.set()
            while (given := await self._work.get()) is not None:
                work, done = given
                try:
                    done.set_result(await work)
                except BaseException as error:
                    done.set_exception(error)

    def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Carry out `work` in the app's own context."""
        done: Future[None] = Future()
        self.loop.call_soon_threadsafe(self._work.put_nowait, (work, done))
        done.result(60)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self._work.put_nowait, None)
        self._thread.join(30)
        self._home.cleanup()
        assert self.failed is None, self.failed


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    found = Stage()
    yield found
    found.close()


def drawn(app: VituiApp) -> bool:
    """Whether what a key has asked for is on the screen."""
    screen = app.screen
    if any(worker.is_running for worker in app.workers):
        return False
    if not isinstance(screen, RunScreen):
        return True
    return screen.view is not None and [one.run.id for one in screen.view.overlays] == list(screen.overlays)


async def visit(stage: Stage, texts: list[str], name: str, size: tuple[int, int]) -> None:
    app, pilot, lab = stage.app, stage.pilot, stage.lab
    lab.say(texts)
    before = app.runs_known
    app.history.sample()
    app.poller.wake()
    if app.size != size:
        await pilot.resize_terminal(*size)
    await until(pilot, lambda: app.runs_known is not before)
    for keys in VISITS[name]:
        await pilot.press(*keys)
        await until(pilot, lambda: drawn(app))
        await pilot.pause()
        assert app._exception is None and not app.trouble, (keys, app.trouble)
        assert wrong(app) == [], (name, keys)
    await pilot.press("escape", "escape")
    app.go("runs")
    await until(pilot, lambda: app.screen is app.runs_screen)
    app.runs_screen.action_unmark()
    app.runs_screen.arranged(Arrangement())
    app.clear_notifications()


@pytest.mark.parametrize("name", VISITS)
def test_the_worst_texts_on_every_screen(stage: Stage, name: str) -> None:
    shift = list(VISITS).index(name) * 7 % len(WORST)
    stage.do(visit(stage, [*WORST[shift:], *WORST[:shift]], name, (100, 30)))


@settings(max_examples=6, deadline=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck))
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=23),
    name=st.sampled_from(sorted(VISITS)),
    size=st.sampled_from([(60, 15), (80, 24), (170, 46)]),
)
def test_any_text_on_any_screen(stage: Stage, texts: list[str], name: str, size: tuple[int, int]) -> None:
    stage.do(visit(stage, texts, name, size))


async def test_what_is_pasted_typed_or_remembered_is_shown_as_its_escape(tmp_path: Path) -> None:
    (tmp_path / "tui.json").write_text(
        '{"runs": {"filter": "name~\\u001b[31m\\u202ex", "order": "\\u001b", "columns": [["\\u009b", 9]]}}'
    )
    app = VituiApp(FakeLab(tmp_path), clock=lambda: NOW)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.runs_screen._view is not None)
        await pilot.press("slash")
        field = app.runs_screen.query_one(Field)
        assert field.value == r"name~\x1b[31m\u202ex" and wrong(app) == []
        field.value = ""
        field.post_message(Paste("a\tb\u009b2J\u200d" + "日\u0301"))
        await until(pilot, lambda: field.value == r"a b\x9b2J\u200d日" + "\u0301")
        assert field.cursor_position == len(field.value)
        await pilot.press("left", "left", "z")
        await until(pilot, lambda: field.value == r"a b\x9b2J\u200dz日" + "\u0301" and wrong(app) == [])


async def test_a_preset_of_one_s_own_on_the_launch_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lab, "_wake", lambda self: None)
    lab = Lab.open(tmp_path / "home", create=True)
    (tmp_path / "home/presets").mkdir()
    text = "\x1b[2J[/b]\u202e日本\U0001f1e9 👍🏽 \x9b" + "x" * 3000
    preset = {
        "extends": "demo-digits",
        "title": text,
        "description": text,
        "reference": [{"value": 98.0, "kind": "measured", "source": text}],
    }
    (tmp_path / "home/presets/mine.toml").write_bytes(tomli_w.dumps(preset).encode())
    (tmp_path / "home/presets/broken\x1b[31m\u202e.toml").write_text("no = [")
    app = VituiApp(lab)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        app.go("launch")
        form = app.launch_screen
        await until(pilot, lambda: form._entries is not None and form.sheet is not None)
        form.query_one("#presets").put_on("mine")  # type: ignore[attr-defined]
        await pilot.press("i")
        await pilot.pause()
        assert wrong(app) == []
        await pilot.press("escape", "enter")
        await until(pilot, lambda: form.sheet and form.sheet.draft)
        for keys in (["tab"], ["tab"], ["tab"], ["enter", "x", "\u202e", "enter"], ["tab"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert wrong(app) == [], keys
        await pilot.resize_terminal(200, 50)
        await until(pilot, lambda: app.size.width == 200)
        await pilot.pause()
        assert wrong(app) == []


HOSTILE_APP = """
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.tui.hostile_lab import HostileLab, WORST
from vitui.tui import run_tui
lab = HostileLab(Path({home!r}))
lab.say(WORST)
sys.exit(run_tui(lab))
"""
# What Textual writes to steer a terminal: colours, cursor, modes it sets, asks about and gives back, the keyboard.
ALLOWED = re.compile(
    r"\x1b\[[\d;:]*m|\x1b\[\d+;\d+H|\x1b\[[<>=?]?[\d;]*[uHJKXC]|\x1b\[\?[\d;]+[hl]|\x1b\[\?\d+\$p|\x1b\[>\d*[a-zA-Z]|\x1b\]22;\w+\x07|\x1b\[c|\x1b\[6n|[\r\n]"
)


def test_a_terminal_is_sent_nothing_but_what_textual_itself_sends(tmp_path: Path) -> None:
    code = HOSTILE_APP.format(root=str(Path(__file__).parents[2]), home=str(tmp_path))
    status, output = on_a_pty(code, b"jj\r\t\t\t\t\x1b1 x\x03")
    assert (status == 0 and r"\x1b[2J\x1b[H\x1b[31mred" in output) or r"\x1b" in output
    left = ALLOWED.sub("", output)
    assert {c for c in left if unicodedata.category(c) in COMMANDS} == set(), re.findall(
        r".{20}[\x00-\x1f\x7f-\x9f].{20}", left
    )[:5]
