"""What a field of a run looks like in a cell. Pure; the text may still hold what a terminal would obey (see `fit`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vitui import display
from vitui.query.fields import Field, Values
from vitui.text import cell_width, safe

if TYPE_CHECKING:
    from vitui.store import Run


def cell(field: Field, run: Run, values: Values, now: float) -> str:
    """The text of one field of one run; empty or a dash where nothing is known. Not made safe."""
    if field.show is not None:
        return field.show(run, now)
    return shown(field, field.get(run, values, now))


def shown(field: Field, value: Any) -> str:
    """A value of `field` as text, in the way of its kind."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or field.kind == "flag":
        return "yes" if value else "no"
    if field.kind == "words":
        return " ".join(value)
    if field.kind == "duration":
        return display.duration(value)
    if field.kind == "time":
        return display.moment(value, "%Y-%m-%d %H:%M")
    if isinstance(value, float | int):
        if field.unit == "%":
            return display.accuracy(value)
        if isinstance(value, int) or value.is_integer():
            return display.count(value) if field.kind == "number" and abs(value) >= 1e5 else f"{value:.0f}"
        return display.value(value) if field.kind == "value" else display.number(value)
    return str(value)


def fit(text: str, width: int, right: bool) -> str:
    """`text`, made safe, in exactly `width` cells."""
    text = safe(text, width)
    pad = " " * (width - cell_width(text))
    return pad + text if right else text + pad
