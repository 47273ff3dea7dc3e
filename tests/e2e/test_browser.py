"""The same day in a browser: `vitui serve` in headless Chromium."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import day
from tests.e2e.browser import Page, Server, chromium
from tests.e2e.conftest import Vitui, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WINDOW = (1400, 900)
"""Pixels."""


@pytest.fixture(scope="module")
def command() -> str:
    found, problem = chromium()
    if not found:
        pytest.skip(problem)
    return found


@pytest.fixture
def server(vitui: Vitui) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    vitui.warm()
    one = Server(vitui, port)
    yield one
    code, said = one.close()
    assert code == 0 and "Traceback" not in said, said


@pytest.fixture
def page(command: str, server: Server, tmp_path: Path) -> Iterator[Page]:
    one = Page(command, server.link, tmp_path / "chromium", WINDOW)
    yield one
    one.close()


def inked(page: Page) -> float:
    """The part of the page's pixels that are not its most common colour."""
    colours = page.picture().getcolors(1 << 24)
    assert colours is not None
    return 1 - max(number for number, _ in colours) / sum(number for number, _ in colours)


def test_a_day_with_the_real_trainer_in_a_browser(vitui: Vitui, server: Server, page: Page) -> None:
    page.shows("No runs yet", seconds=60)
    assert page.size[0] >= 80 and page.size[1] >= 24
    until(lambda: inked(page) > 0.005)
    empty = inked(page)
    first, second = day.spend(page, vitui)
    until(lambda: page.socket_closed, 20)
    until(lambda: "Training goes on" in page.text(), 20)

    page.open(server.link)
    page.shows("2 in all", "first", "second", seconds=60)
    until(lambda: inked(page) > empty)
    day.come_back(page)
    until(lambda: page.socket_closed, 20)
    assert {vitui.row(run)["state"] for run in (first, second)} == {"stopped"}
