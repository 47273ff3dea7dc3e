"""The form of a new study: rows, live preview, saving, and what is asked after that."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.studies.homes import StudyHome
from tests.tui.driving import screen_text, until
from vitui.errors import UsageError
from vitui.studies.drafting import study_text
from vitui.tui.app import VituiApp
from vitui.tui.screens import study_draft as drafts
from vitui.tui.screens.ask import AskScreen
from vitui.tui.screens.pick import PickScreen
from vitui.tui.screens.prompt import PromptScreen
from vitui.tui.screens.study import StudyScreen
from vitui.tui.screens.study_form import StudyFormScreen, drafts_problem

from .conftest import listed


def form_of(app: VituiApp) -> StudyFormScreen:
    """The form, which is open."""
    form = app.screen
    assert isinstance(form, StudyFormScreen)
    return form


async def put(pilot: Pilot[None], form: StudyFormScreen, key: str, text: str) -> None:
    """Type a row's value."""
    form._listing.put_on(key)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PromptScreen))
    field: Any = pilot.app.screen.query_one("#prompt-field")
    field.value = text
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen is form)


async def pick(pilot: Pilot[None], form: StudyFormScreen, key: str, *keys: str) -> None:
    """Pick a row's value."""
    form._listing.put_on(key)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PickScreen))
    await pilot.press(*keys)
    await until(pilot, lambda: pilot.app.screen is form)


async def test_an_ablation_from_nothing_to_the_queue(home: StudyHome) -> None:
    async with listed(home, (100, 40)) as (app, pilot, _):
        await pilot.press("n")
        form = form_of(app)
        assert "pick a base" in screen_text(app)
        await pilot.press("s")
        assert app.screen is form
        await pick(pilot, form, "base", *"demo-digits", "enter")
        await until(pilot, lambda: "5 variants x 3 seeds = 15 runs" in screen_text(app))
        assert "demo-digits-ablation" in screen_text(app) and "no-sincos-positions" in screen_text(app)
        assert "with the same recipe and seed are reused" in screen_text(app), "those of the study ab"
        await pick(pilot, form, "leave_out", *"weight decay", "space", "enter")
        await put(pilot, form, "seeds", "2")
        await put(pilot, form, "sets", "train.epochs=7")
        await until(pilot, lambda: "2 variants x 2 seeds = 4 runs" in screen_text(app))
        await put(pilot, form, "name", "mine")
        await until(pilot, lambda: form._previewed is not None)
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, AskScreen))
        assert "Queue 4 runs of study mine?" in screen_text(app)
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, StudyScreen))
        study = home.lab.study("mine")
        assert study.leave_out == ("weight-decay",) and study.seeds == 2 and study.set == {"train.epochs": 7}
        assert app.study_draft == {}


async def test_in_a_small_terminal_all_of_what_it_costs_is_in_view(home: StudyHome) -> None:
    async with listed(home) as (app, pilot, _):
        app.study_draft.update(base="demo-digits")
        await pilot.press("n")
        await until(pilot, lambda: "5 variants x 3 seeds = 15 runs" in screen_text(app))
        text = screen_text(app)
        assert "are reused" in text and "device time" in text and "disk" in text and "goes on from checkpoints" in text


async def test_a_grid_a_search_and_what_does_not_go_together(home: StudyHome) -> None:
    async with listed(home, (100, 40)) as (app, pilot, screen):
        await pilot.press("n")
        form = form_of(app)
        form.draft.update(base="demo-digits", kinds="grid")
        form.changed()
        assert "type the axes of the grid" in screen_text(app) or form._previewed is None
        await put(pilot, form, "axes", "optim.lr=1e-3,3e-3; mix=none,mixup")
        await until(pilot, lambda: "4 variants x 3 seeds = 12 runs" in screen_text(app))
        await pick(pilot, form, "kinds", "space", "enter")
        await until(pilot, lambda: "a grid has all its variants from its axes" in screen_text(app))
        await pick(pilot, form, "kinds", "space", "down", "space", "down", "down", "space", "enter")
        form._listing.put_on("random")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        field: Any = app.screen.query_one("#prompt-field")
        field.value = "optim.lr=1..x"
        await pilot.press("enter")
        assert isinstance(app.screen, PromptScreen) and "a range is two numbers" in screen_text(app)
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is screen)
        assert app.study_draft["axes"].startswith("optim.lr"), "it is there the next time"


async def test_what_makes_no_recipe_is_said_and_not_saved(home: StudyHome) -> None:
    async with listed(home, (100, 40)) as (app, pilot, _):
        app.study_draft.update(base="demo-digits", sets="optim.nonsense=3", name="bad")
        await pilot.press("n")
        await until(pilot, lambda: "nonsense" in screen_text(app) and "unknown" in screen_text(app))
        await pilot.press("s", "s")
        form = form_of(app)
        assert "bad" not in home.lab.study_files()
        form._listing.put_on("sets")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, PromptScreen))
        field: Any = app.screen.query_one("#prompt-field")
        assert field.value == "optim.nonsense=3", "what is wrong can be mended where it stands"
        field.value = "optim.lr=3e-3"
        await pilot.press("enter")
        await until(pilot, lambda: "5 variants x 3 seeds" in screen_text(app))


@pytest.mark.parametrize(
    ("draft", "lines"),
    [
        ({"base": "a", "kinds": "leave-one-out"}, ['base = "a"', 'leave_out = "all"', "seeds = 3"]),
        ({"base": "a", "kinds": "leave-one-out", "leave_out": "x y"}, ['leave_out = ["x", "y"]']),
        ({"base": "a", "kinds": "add-one-in", "add": "mixup", "leave_out": "x"}, ['add = ["mixup"]']),
        ({"kinds": "presets", "presets": "a b"}, ['presets = ["a", "b"]']),
        (
            {"base": "a", "kinds": "random search", "random": "optim.lr=1e-4..1e-2:log", "n": "8"},
            ["n = 8", "log = true"],
        ),
    ],
)
def test_drafts_as_files(draft: dict[str, str], lines: list[str]) -> None:
    assert drafts.lacking(draft) == ""
    text = study_text(drafts.wish(draft))
    assert all(line in text for line in lines), text
    assert ("leave_out" in text) == ("leave-one-out" in draft["kinds"])


@pytest.mark.parametrize(("key", "text"), [("name", "a b"), ("seeds", "x"), ("n", "0"), ("axes", "a"), ("sets", "lr")])
def test_what_cannot_stand_in_a_row(key: str, text: str) -> None:
    with pytest.raises(UsageError):
        drafts_problem(key, text)
    drafts_problem(key, "")
