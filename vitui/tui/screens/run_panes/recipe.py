"""The recipe of a run: what differs from the preset first."""

from __future__ import annotations

from collections.abc import Sequence

from vitui import display
from vitui.text import safe
from vitui.tui.theme import Palette
from vitui.tui.views.run import Setting
from vitui.tui.widgets.lines import Line

KEY_WIDTH = 30
VALUE_WIDTH = 12


def recipe_lines(settings: Sequence[Setting], p: Palette, words: str = "", problem: str = "") -> list[Line]:
    """What differs from the preset first, then every field; a changed one is marked and shows the preset's value.

    `words`: only fields that have all of these in their name, value or origin. `problem`: why there is no recipe.
    """
    if problem:
        return [[(safe(problem, 400), p.warn)]]
    if words.split():
        found = [s for s in settings if matches(s, words)]
        head: Line = [(f"{len(found)} of {len(settings)} fields", p.strong)]
        return [head, "", *(_setting(s, p, with_origin=True) for s in found)]
    lines: list[Line] = []
    changed = [s for s in settings if s.changed]
    if changed:
        lines.append([("Changed against the preset", p.strong)])
        lines += [_setting(s, p, with_origin=True) for s in changed]
        lines.append("")
    elif settings:
        lines += [[("As the preset says, nothing changed", p.strong)], ""]
    section = ""
    for setting in settings:
        head_of = setting.key.split(".")[0]
        if head_of != section:
            if section:
                lines.append("")
            lines.append([(safe(head_of, 40), p.strong)])
            section = head_of
        lines.append(_setting(setting, p))
    return lines


def matches(setting: Setting, words: str) -> bool:
    """Whether a field has every word in its name, value, preset's value or origin."""
    text = f"{setting.key} {display.value(setting.value)} {display.value(setting.before)} {setting.origin}".casefold()
    return all(word in text for word in words.casefold().split())


def _setting(setting: Setting, p: Palette, *, with_origin: bool = False) -> Line:
    mark, style = ("≠ ", p.warn) if setting.changed else ("  ", p.text)
    parts = [(mark, p.warn), (f"{safe(setting.key, KEY_WIDTH):<{KEY_WIDTH}} ", p.dim)]
    value = safe(display.value(setting.value), 200)
    parts.append((value.ljust(VALUE_WIDTH) if setting.changed else value, style))
    if setting.changed:
        parts.append((f" preset: {safe(display.value(setting.before), 100)}", p.dim))
        if with_origin and setting.origin:
            parts.append((f"   by {safe(setting.origin, 60)}", p.dim))
    return parts
