"""What a researcher does in a day, by keys alone: the same story for every terminal that the app may stand in."""

from __future__ import annotations

import re
from functools import partial

from tests.e2e.conftest import Vitui
from tests.e2e.terminal import Seen, braille

EPOCHS = 3000
PANES = ("presets", "toggles", "fields", "run", "preview")


def spend(term: Seen, vitui: Vitui) -> list[str]:
    """Launch with a toggle flipped, watch, stop, resume, launch another, mark both, compare, quit. The two runs' ids."""
    term.shows("No runs yet")
    fill_in(term)
    term.press("C-l")
    term.shows("▶ running", "first", "[curves]", seconds=60)
    (first,) = (row["id"] for row in vitui.json("runs"))
    recipe = vitui.json("show", first)["recipe"]
    assert recipe["mix.mixup"] == 0.8 and recipe["train.epochs"] == EPOCHS
    moves(term)

    stop(term, "first")
    stopped = epoch(term)
    assert stopped > 0 and vitui.row(first)["state"] == "stopped"
    term.press("r")
    term.shows("▶ running", seconds=60)
    term.settled(lambda _: epoch(term) > stopped, 60)
    moves(term)
    assert vitui.row(first)["attempt"] == 2
    stop(term, "first")

    term.press("2")
    term.shows("Launch", "demo-digits")
    to_pane(term, "toggles")
    find(term, "mixup", "● on  Mixup")
    term.press("Enter")
    term.shows("○ off Mixup")
    term.press("Escape")
    name(term, "second")
    term.press("C-l")
    term.shows("▶ running", "second", "[curves]", seconds=60)
    moves(term)
    stop(term, "second")

    term.press("Escape")
    term.shows("2 in all", "■ stopped")
    mark_all(term)
    term.press("c")
    compared(term)
    term.press("q")
    return [row["id"] for row in vitui.json("runs")]


def come_back(term: Seen) -> None:
    """The next morning: everything stands where it was left."""
    term.shows("2 in all", "first", "second", "■ stopped")
    term.press("3")
    compared(term)
    term.press("2")
    term.shows("Launch", "demo-digits", "second")
    term.press("q")


def fill_in(term: Seen) -> None:
    """The demo's preset, one toggle, one field and a name."""
    term.press("2")
    term.shows("Launch", "in1k-swin-t-ln")
    find(term, "demo-digits", "▌  demo-digits")
    term.press("Enter")
    term.shows("Launch · demo-digits")
    to_pane(term, "toggles")
    find(term, "mixup", "○ off Mixup")
    term.press("Enter")
    term.shows("≠ ● on  Mixup", "toggles 1≠")
    term.press("Escape")
    to_pane(term, "fields")
    find(term, "train.epochs", "40 epochs")
    term.press("Enter")
    term.shows("enter keeps")
    term.press("C-u")
    term.type("0")
    term.shows("greater than or equal to 1")
    term.press("C-u")
    term.type(str(EPOCHS))
    term.press("Enter")
    term.shows(f"{EPOCHS} epochs  was 40", "126,000 steps")
    term.press("Escape")
    name(term, "first")


def name(term: Seen, text: str) -> None:
    """Give the run in the form a name."""
    to_pane(term, "run")
    term.press("g", "Enter")
    term.shows("enter keeps")
    term.press("C-u")
    term.type(text)
    term.press("Enter")
    term.settled(lambda screen: re.search(rf"name +{text}", screen) and "enter keeps" not in screen)


def to_pane(term: Seen, pane: str) -> None:
    """Tab until the pane has the keys."""
    for here in (*PANES, *PANES):
        if f"▌{pane}" in term.screen:
            return
        if f"▌{here}" in term.screen:
            term.press("Tab")
            term.settled(partial(lambda left, screen: f"▌{left}" not in screen, here))
    term.shows(f"▌{pane}")


def find(term: Seen, text: str, row: str) -> None:
    """Search the pane until the cursor stands on a row."""
    term.press("/")
    term.type(text)
    term.settled(lambda screen: any(row in line and "▌" in line for line in screen.splitlines()))


def epoch(term: Seen) -> float:
    """The epoch in the progress line, which is told at every width."""
    found = re.search(r"epoch ([\d.]+)/", term.screen)
    return float(found[1]) if found else 0.0


def moves(term: Seen) -> None:
    """The curve has grown, and grows on."""
    before = term.settled(lambda screen: len(braille(screen)) > 5 and "step" in screen, 60)
    term.settled(lambda screen: braille(screen) != braille(before), 30)


def stop(term: Seen, name: str) -> None:
    term.press("x")
    term.shows(f"Stop {name}", "y yes")
    term.press("y")
    term.shows("■ stopped", "SIGTERM", seconds=60)


def mark_all(term: Seen) -> None:
    term.press("g", "Space")
    term.shows("1 marked")
    term.press("j", "Space")
    term.shows("2 marked")


def compared(term: Seen) -> None:
    """Both runs, what differs between them, and their curves."""
    term.shows("Compare", "A ", "B ", "first", "second")
    if "[table]" not in term.screen:
        term.press("Tab")
    term.shows("mixup", "0.8")
