"""In ascii nothing but ASCII is drawn, on any screen and whatever a run is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.driving import screen_text, until
from tests.tui.fake_lab import NOW, RUNNING, FakeLab
from vitui.display import GLYPHS
from vitui.settings import Settings
from vitui.text import cell_width, safe
from vitui.tui.app import VituiApp
from vitui.tui.glyphs import SIGNS, to_ascii


def test_every_sign_is_one_ascii_character_for_one_cell() -> None:
    assert [
        sign for sign, plain in SIGNS.items() if cell_width(sign) != 1 or len(plain) != 1 or not " " <= plain <= "~"
    ] == []


def test_states_stay_different() -> None:
    assert len({to_ascii(sign) for sign in GLYPHS.values()}) == len(GLYPHS)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("╭─╮│╰━┄╯", "+-+|+=.+"), ("Ångström é", "Angstrom e"), ("日本", "????"), ("acc ± 0.3 ≤ 5", "acc ~ 0.3 < 5"),
        ("e\N{COMBINING ACUTE ACCENT}", "e"), ("⠀⣿", " *"), ("plain", "plain"),
    ],
)  # fmt: skip
def test_signs_letters_and_the_rest(text: str, plain: str) -> None:
    assert to_ascii(text) == plain


@given(st.text())
def test_any_text_keeps_its_width(text: str) -> None:
    shown = safe(text)
    plain = to_ascii(shown)
    assert plain.isascii() and len(plain) == cell_width(shown)


VISITS = (
    ["question_mark"], ["escape", "colon"], ["escape", "x"], ["n", "ctrl+o"], ["escape", "slash", "b"],
    ["escape", "enter"], ["tab"], ["tab"], ["tab"], ["escape", "escape", "2"], ["3"], ["4"],
)  # fmt: skip


async def test_every_screen_in_ascii(lab: FakeLab) -> None:
    lab.rows[RUNNING] = replace_name(lab, RUNNING, "λ-run “日本” naïve ▶")
    app = VituiApp(lab, clock=lambda: NOW, settings=Settings(glyphs="ascii"))  # type: ignore[arg-type]
    assert app.palette.glyphs == "ascii"
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        await until(pilot, lambda: app.runs_known)
        await pilot.press("j")
        for keys in ([], *VISITS):
            await pilot.press(*keys)
            await pilot.pause()
            text = screen_text(app)
            assert {c for c in text if c != "\n" and not " " <= c <= "~"} == set(), f"after {keys}"
            if not keys:
                assert "?-run" in text and "naive >" in text


def replace_name(lab: FakeLab, run_id: str, name: str) -> object:
    return lab.rows[run_id]._replace(name=name)
