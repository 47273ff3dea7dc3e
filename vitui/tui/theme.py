"""Colours: the Okabe-Ito palette on a dark ground, and the terminal's own sixteen where there are no more.

Nothing is told by colour alone: states have a sign and a word, curves a letter, the cursor row a bar.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.style import Style
from textual.theme import Theme

DARK = Theme(
    name="vitui",
    primary="#56b4e9",
    secondary="#e69f00",
    accent="#e69f00",
    warning="#e69f00",
    error="#e8743b",
    success="#2fbf95",
    foreground="#d5d9de",
    background="#0e1116",
    surface="#161b22",
    panel="#1f2630",
    dark=True,
    variables={"footer-key-foreground": "#56b4e9"},
)


@dataclass(frozen=True)
class Palette:
    """Styles without a background: they are laid over the widget's own."""

    curves: tuple[Style, ...]
    bands: tuple[Style, ...]
    text: Style
    dim: Style
    strong: Style
    key: Style
    good: Style
    warn: Style
    bad: Style
    cursor: Style
    cursor_tones: bool
    """Whether the cursor row keeps the colours of its cells."""
    mark: Style

    def state(self, state: str) -> Style:
        return {
            "running": self.curves[0],
            "starting": self.curves[0],
            "queued": self.dim,
            "finished": self.good,
            "stopped": self.warn,
            "diverged": self.bad,
            "failed": self.bad,
            "lost": self.bad,
        }.get(state, self.text)


def _styles(*colours: str) -> tuple[Style, ...]:
    return tuple(Style(color=colour) for colour in colours)


OKABE_ITO = Palette(
    curves=_styles("#56b4e9", "#e69f00", "#2fbf95", "#cc79a7", "#f0e442", "#e8743b", "#3f8fd6", "#c0c5cc"),
    bands=_styles("#2a5470", "#6b4d0d", "#1b5b49", "#5f3b4f", "#6b6622", "#6b3a21", "#234a6b", "#555a61"),
    text=Style(color="#d5d9de"),
    dim=Style(color="#7d8793"),
    strong=Style(color="#ffffff", bold=True),
    key=Style(color="#56b4e9", bold=True),
    good=Style(color="#2fbf95"),
    warn=Style(color="#e69f00"),
    bad=Style(color="#e8743b", bold=True),
    cursor=Style(bgcolor="#25303d", bold=True),
    cursor_tones=True,
    mark=Style(color="#f0e442", bold=True),
)

SIXTEEN = Palette(
    curves=_styles("bright_cyan", "bright_yellow", "bright_green", "bright_magenta", "bright_blue", "bright_red"),
    bands=_styles("cyan", "yellow", "green", "magenta", "blue", "red"),
    text=Style(),
    dim=Style(color="bright_black"),
    strong=Style(bold=True),
    key=Style(color="bright_cyan", bold=True),
    good=Style(color="bright_green"),
    warn=Style(color="bright_yellow"),
    bad=Style(color="bright_red", bold=True),
    cursor=Style(reverse=True),
    cursor_tones=False,
    mark=Style(color="bright_yellow", bold=True),
)


def palette_for(colour_system: str | None, *, grey: bool = False) -> tuple[str, Palette]:
    """Theme name and palette for rich's colour system: "truecolor", "256", "standard" (16 colours) or None.

    `grey`: Textual turns every colour into a grey (NO_COLOR). The terminal's own colours it takes for black, text and
    ground alike, so they do not serve then.
    """
    return ("ansi-dark", SIXTEEN) if colour_system == "standard" and not grey else (DARK.name, OKABE_ITO)
