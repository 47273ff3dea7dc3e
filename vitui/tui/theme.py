"""Styles that everything is drawn with; the other themes than the default are in vitui.tui.themes.

Nothing is told by colour alone: states have a sign and a word, curves a letter, the cursor row a bar.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from rich.style import Style


@dataclass(eq=False)
class Palette:
    """Styles without a background: they are laid over the widget's own.

    An app has one palette for its life, which every widget holds; another theme is put into it with `become`.
    """

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
    glyphs: str = "braille"
    """What curves are drawn with: braille, block or ascii."""

    def become(self, other: Palette) -> dict[Style, Style]:
        """Take the styles of another palette; `glyphs` stays. What became of each style; of equal ones, the first."""
        change: dict[Style, Style] = {}
        for name in ("text", "dim", "strong", "key", "good", "warn", "bad", "mark"):
            change.setdefault(getattr(self, name), getattr(other, name))
        for ours, theirs in ((self.curves, other.curves), (self.bands, other.bands)):
            for index, style in enumerate(ours):
                change.setdefault(style, theirs[index % len(theirs)])
        for field in fields(self):
            if field.name != "glyphs":
                setattr(self, field.name, getattr(other, field.name))
        return change

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


def inks(*colours: str) -> tuple[Style, ...]:
    """A style for each colour."""
    return tuple(Style(color=colour) for colour in colours)


OKABE_ITO = Palette(
    curves=inks("#56b4e9", "#e69f00", "#2fbf95", "#cc79a7", "#f0e442", "#ec7d45", "#4a98dc", "#c0c5cc"),
    bands=inks("#2a5470", "#6b4d0d", "#1b5b49", "#5f3b4f", "#6b6622", "#6b3a21", "#234a6b", "#555a61"),
    text=Style(color="#d5d9de"),
    dim=Style(color="#8f99a5"),
    strong=Style(color="#ffffff", bold=True),
    key=Style(color="#56b4e9", bold=True),
    good=Style(color="#2fbf95"),
    warn=Style(color="#e69f00"),
    bad=Style(color="#ec7d45", bold=True),
    cursor=Style(bgcolor="#25303d", bold=True),
    cursor_tones=True,
    mark=Style(color="#f0e442", bold=True),
)
