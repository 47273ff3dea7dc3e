"""The themes: colours of the app, Okabe and Ito's for the colour-blind first, and the terminal's own sixteen.

A theme is one of Textual's (grounds, borders, scroll bars) and a palette (everything written or drawn on them).
https://jfly.uni-koeln.de/color/ is the source of the colours; some are a little lighter or darker for contrast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rich.style import Style
from textual.theme import BUILTIN_THEMES, Theme

from vitui.tui.theme import OKABE_ITO, Palette, inks


@dataclass(frozen=True)
class Appearance:
    """A theme under its name in vitui.toml, with its description, and what takes its place in sixteen colours."""

    name: str
    title: str
    theme: Theme
    palette: Palette
    in_sixteen: str


def _theme(name: str, ink: str, grounds: tuple[str, str, str], tones: tuple[str, str, str, str], dark: bool) -> Theme:
    background, surface, panel = grounds
    key, good, warn, bad = tones
    return Theme(
        name=name, primary=key, secondary=warn, accent=warn, warning=warn, error=bad, success=good, foreground=ink,
        background=background, surface=surface, panel=panel, dark=dark, variables={"footer-key-foreground": key},
    )  # fmt: skip


DAYLIGHT = Palette(
    curves=inks("#006aa6", "#a84900", "#00704f", "#a83b7b", "#7a6000", "#3d3d3d", "#5e3bb0", "#0a7285"),
    bands=inks("#a9cde3", "#e6c6a8", "#a8d2c3", "#e0bcd2", "#d6cc9f", "#c2c2c2", "#c8bce3", "#a9d0d7"),
    text=Style(color="#1f2328"),
    dim=Style(color="#57606a"),
    strong=Style(color="#000000", bold=True),
    key=Style(color="#005a8e", bold=True),
    good=Style(color="#006045"),
    warn=Style(color="#7d4a00"),
    bad=Style(color="#a32f00", bold=True),
    cursor=Style(bgcolor="#d7e4f0", bold=True),
    cursor_tones=True,
    mark=Style(color="#7a3a6b", bold=True),
)
CONTRAST = Palette(
    curves=inks("#00c8ff", "#ffb000", "#00f59b", "#ff8ade", "#ffff00", "#ff7a55", "#9db2ff", "#ffffff"),
    bands=inks("#00566e", "#6e4c00", "#006943", "#6e3c60", "#6e6e00", "#6e3525", "#444d6e", "#6e6e6e"),
    text=Style(color="#ffffff"),
    dim=Style(color="#c8c8c8"),
    strong=Style(color="#ffffff", bold=True, underline=True),
    key=Style(color="#00e0ff", bold=True),
    good=Style(color="#00ff9c", bold=True),
    warn=Style(color="#ffd000", bold=True),
    bad=Style(color="#ff9a80", bold=True),
    cursor=Style(color="#000000", bgcolor="#ffff00", bold=True),
    cursor_tones=False,
    mark=Style(color="#ffff00", bold=True),
)
SIXTEEN = Palette(
    curves=inks(
        "bright_cyan", "bright_yellow", "bright_green", "bright_magenta", "bright_blue", "bright_red", "bright_white"
    ),
    bands=inks("cyan", "yellow", "green", "magenta", "blue", "red", "white"),
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
SIXTEEN_LIGHT = replace(
    SIXTEEN,
    curves=inks("blue", "red", "green", "magenta", "cyan", "black", "yellow"),
    bands=inks("bright_blue", "bright_red", "bright_green", "bright_magenta", "bright_cyan", "white", "bright_yellow"),
    key=Style(color="blue", bold=True),
    good=Style(color="green"),
    warn=Style(color="magenta"),
    bad=Style(color="red", bold=True),
    mark=Style(color="magenta", bold=True),
)
PLAIN = Palette(
    curves=(Style(bold=True), Style(), Style(underline=True)),
    bands=(Style(dim=True),),
    text=Style(),
    dim=Style(dim=True),
    strong=Style(bold=True),
    key=Style(bold=True, underline=True),
    good=Style(),
    warn=Style(bold=True),
    bad=Style(bold=True, reverse=True),
    cursor=Style(reverse=True),
    cursor_tones=False,
    mark=Style(bold=True),
)


def _own(name: str, base: str, **variables: str) -> Theme:
    """One of Textual's themes of the terminal's own colours, under a name of ours."""
    theme = BUILTIN_THEMES[base]
    return replace(theme, name=name, variables={**theme.variables, **variables})


def _colourless() -> Theme:
    theme, default = BUILTIN_THEMES["ansi-dark"], "ansi_default"
    tones: dict[str, Any] = dict.fromkeys(("primary", "secondary", "warning", "error", "success", "accent"), default)
    variables = {**dict.fromkeys(theme.variables, default), "input-cursor-text-style": "reverse"}
    return replace(theme, name="vitui-mono", variables=variables, **tones)


APPEARANCES = {
    one.name: one
    for one in (
        Appearance("dark", "Dark, safe for the colour-blind", _theme(
            "vitui", "#d5d9de", ("#0e1116", "#161b22", "#1f2630"), ("#56b4e9", "#2fbf95", "#e69f00", "#ec7d45"), True,
        ), OKABE_ITO, "ansi-dark"),
        Appearance("light", "Light, safe for the colour-blind", _theme(
            "vitui-light", "#1f2328", ("#ffffff", "#f2f4f7", "#e6eaef"), ("#005a8e", "#006045", "#7d4a00", "#a32f00"),
            False,
        ), DAYLIGHT, "ansi-light"),
        Appearance("contrast", "Black and white, strong colours", _theme(
            "vitui-contrast", "#ffffff", ("#000000", "#000000", "#101010"),
            ("#00e0ff", "#00ff9c", "#ffd000", "#ff9a80"), True,
        ), CONTRAST, "ansi-dark"),
        Appearance("ansi-dark", "The terminal's own colours, on a dark ground", _own(
            "vitui-ansi-dark", "ansi-dark"
        ), SIXTEEN, "ansi-dark"),
        Appearance("ansi-light", "The terminal's own colours, on a light ground", _own(
            "vitui-ansi-light", "ansi-light"
        ), SIXTEEN_LIGHT, "ansi-light"),
        Appearance("mono", "No colours: bold, underlined, reversed", _colourless(), PLAIN, "mono"),
    )
}  # fmt: skip


def appearance_for(name: str, colour_system: str | None, *, no_color: bool = False) -> Appearance:
    """The appearance for a theme's name on a terminal: rich's "truecolor", "256", "standard" (sixteen) or None.

    `no_color`: NO_COLOR is set (https://no-color.org), and no colour is sent, whatever the name.
    """
    if no_color:
        return APPEARANCES["mono"]
    chosen = APPEARANCES["dark" if name == "auto" else name]
    return APPEARANCES[chosen.in_sixteen] if colour_system not in ("truecolor", "256") else chosen
