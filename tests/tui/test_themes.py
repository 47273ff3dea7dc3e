"""Every theme can be read, its curves can be told apart, and NO_COLOR sends none."""

from __future__ import annotations

from dataclasses import fields

import pytest
from rich.color import ColorSystem
from rich.style import Style
from textual.color import Color

from tests.tui.driving import screen_text, until
from tests.tui.fake_lab import NOW, RUNNING, FakeLab
from vitui.settings import Settings
from vitui.tui.app import VituiApp
from vitui.tui.theme import Palette
from vitui.tui.themes import APPEARANCES, appearance_for

OF_RGB = ("dark", "light", "contrast")
TEXTS = ("text", "dim", "strong", "key", "good", "warn", "bad", "mark")


def luminance(colour: Color) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-relative-luminance"""
    parts = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (c / 255 for c in colour.rgb)]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(ink: Color, ground: Color) -> float:
    """https://www.w3.org/TR/WCAG21/#dfn-contrast-ratio"""
    light, dark = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def ink(style: Style) -> Color:
    assert style.color is not None
    return Color.from_rich_color(style.color)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast(Color.parse("#ffffff"), Color.parse("#000000")) == pytest.approx(21)
    assert contrast(Color.parse("#777777"), Color.parse("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("name", OF_RGB)
def test_text_can_be_read_on_every_ground(name: str) -> None:
    one = APPEARANCES[name]
    grounds = {kind: Color.parse(str(getattr(one.theme, kind))) for kind in ("background", "surface", "panel")}
    if one.palette.cursor_tones:
        assert one.palette.cursor.bgcolor is not None
        grounds["cursor"] = Color.from_rich_color(one.palette.cursor.bgcolor)
    found = {
        (text, kind): round(contrast(ink(getattr(one.palette, text)), ground), 2)
        for text in TEXTS
        for kind, ground in grounds.items()
    }
    assert {where: value for where, value in found.items() if value < 4.5} == {}
    for curve, band in zip(one.palette.curves, one.palette.bands, strict=True):
        assert contrast(ink(curve), grounds["background"]) >= 4.5, "curves have letters and values in their colour"
        assert contrast(ink(curve), ink(band)) >= 1.8, "a curve stands out of its band"


def test_the_cursor_of_the_contrast_theme_can_be_read() -> None:
    cursor = APPEARANCES["contrast"].palette.cursor
    assert cursor.bgcolor is not None and contrast(ink(cursor), Color.from_rich_color(cursor.bgcolor)) > 7


@pytest.mark.parametrize("name", OF_RGB)
def test_curves_differ_in_256_colours(name: str) -> None:
    palette = APPEARANCES[name].palette
    numbers = [c.color.downgrade(ColorSystem.EIGHT_BIT).number for c in palette.curves if c.color]
    assert len(set(numbers)) == len(palette.curves) == 8
    bands = [b.color.downgrade(ColorSystem.EIGHT_BIT).number for b in palette.bands if b.color]
    assert all(curve != band for curve, band in zip(numbers, bands, strict=True))


@pytest.mark.parametrize("name", APPEARANCES)
def test_in_sixteen_colours_they_are_the_terminal_s_own_and_differ(name: str) -> None:
    palette = appearance_for(name, "standard").palette
    if name == "mono":
        assert len(set(palette.curves)) == len(palette.curves)
        return
    numbers = [c.color.number for c in palette.curves if c.color is not None]
    assert all(number is not None and number < 16 for number in numbers)
    assert len(set(numbers)) == len(palette.curves) >= 6


@pytest.mark.parametrize("name", ["auto", "dark", "ansi-light", "contrast"])
def test_no_color_is_mono_whatever_the_theme(name: str) -> None:
    plain = appearance_for(name, "truecolor", no_color=True).palette
    styles = [s for f in fields(Palette) for s in _styles(getattr(plain, f.name))]
    assert styles and all(style.color is None and style.bgcolor is None for style in styles)


def _styles(value: object) -> list[Style]:
    return (
        [value]
        if isinstance(value, Style)
        else [s for s in value if isinstance(s, Style)]
        if isinstance(value, tuple)
        else []
    )


@pytest.mark.parametrize(("term", "colorterm"), [("xterm-256color", "truecolor"), ("xterm", "")])
async def test_no_colour_leaves_the_app(
    lab: FakeLab, monkeypatch: pytest.MonkeyPatch, term: str, colorterm: str
) -> None:
    for variable, value in (("NO_COLOR", "1"), ("TERM", term), ("COLORTERM", colorterm)):
        monkeypatch.setenv(variable, value)
    app = VituiApp(lab, RUNNING, clock=lambda: NOW)  # type: ignore[arg-type]
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "epoch 18.6/30" in screen_text(app))
        await pilot.press("question_mark")
        await pilot.pause()
        colours = {
            colour.name
            for strip in app.screen._compositor.render_strips()
            for segment in strip
            if segment.style is not None
            for colour in (segment.style.color, segment.style.bgcolor)
            if colour is not None
        }
        assert colours <= {"default"}


async def test_a_theme_chosen_in_the_app_is_drawn_at_once_and_remembered(lab: FakeLab) -> None:
    app = VituiApp(lab, RUNNING, clock=lambda: NOW)  # type: ignore[arg-type]
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "epoch 18.6/30" in screen_text(app))
        before = _colours(app) - {"#ffffff"}  # the ground of the other, which scroll bars use as an ink
        await pilot.press("colon", *"theme light", "enter")
        await until(pilot, lambda: app.theme == "vitui-light")
        await until(pilot, lambda: not any(name in before for name in _colours(app)))
        assert app.palette.text == APPEARANCES["light"].palette.text
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is app.runs_screen)
        await until(pilot, lambda: not any(name in before for name in _colours(app)))
    assert VituiApp(lab, clock=lambda: NOW).theme == "vitui-light"  # type: ignore[arg-type]
    changed = VituiApp(lab, clock=lambda: NOW, settings=Settings(theme="contrast"))  # type: ignore[arg-type]
    assert changed.theme == "vitui-contrast", "a setting changed since comes before what was chosen over the old one"


def _colours(app: VituiApp) -> set[str]:
    """Colours of letters on the screen."""
    return {
        segment.style.color.name
        for strip in app.screen._compositor.render_strips()
        for segment in strip
        if segment.text.strip() and segment.style is not None and segment.style.color is not None
    }
