"""A day's work in a real terminal: launch, watch, stop, resume, mark, compare, quit, come back."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from tests.e2e import day
from tests.e2e.conftest import Vitui, until
from tests.e2e.terminal import SMALL, TINY, Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed; it is the terminal here")


def whole_day(vitui: Vitui, terminal: Callable[..., Terminal], size: tuple[int, int]) -> None:
    vitui.warm()
    term = terminal(size=size)
    day.spend(term, vitui)
    until(lambda: term.exit_code is not None, 10)
    assert term.exit_code == 0
    again = terminal(size=size)
    day.come_back(again)
    until(lambda: again.exit_code is not None, 10)
    assert again.exit_code == 0
    assert [row["state"] for row in vitui.json("runs")] == ["stopped", "stopped"]


def test_a_day_in_a_small_terminal(vitui: Vitui, terminal: Callable[..., Terminal]) -> None:
    vitui.env |= {"PYTHONPATH": TINY, "TINY_WHOLE": "1"}
    whole_day(vitui, terminal, SMALL)


@pytest.mark.slow
@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids="{0[0]}x{0[1]}".format)
def test_a_day_with_the_real_trainer(vitui: Vitui, terminal: Callable[..., Terminal], size: tuple[int, int]) -> None:
    whole_day(vitui, terminal, size)
