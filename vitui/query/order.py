"""The order of runs: several fields, each in its natural direction or turned round. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitui.query.fields import ANY, NO_VALUES, Field, Fields, Values, known

if TYPE_CHECKING:
    from vitui.store import Run


@dataclass(frozen=True, slots=True)
class By:
    """One field to sort by. Its natural direction has large accuracies and the newest first; `reverse` turns it."""

    field: Field
    reverse: bool = False

    @property
    def descending(self) -> bool:
        return self.field.descending != self.reverse

    def __str__(self) -> str:
        return ("-" if self.reverse else "") + self.field.key


Order = tuple[By, ...]
"""What to sort by first, second, and so on."""


def parse_order(text: str, fields: Fields = ANY) -> Order:
    """``best,-lr``: by best, then by learning rate the other way round. Raises UsageError for an unknown field."""
    out: list[By] = []
    for word in text.split(","):
        name = word.strip()
        if name:
            by = By(fields.get(name.removeprefix("-")), name.startswith("-"))
            if all(by.field != other.field for other in out):
                out.append(by)
    return tuple(out)


def written(order: Order) -> str:
    """The text that `parse_order` reads back."""
    return ",".join(map(str, order))


def arrange(runs: Sequence[Run], order: Order, values: Values = NO_VALUES, now: float = 0.0) -> list[Run]:
    """`runs` sorted. What has no value comes last either way; equals keep their order."""
    out = list(runs)
    for by in reversed(order):
        out = _sorted(out, by, values, now)
    return out


def _sorted(runs: list[Run], by: By, values: Values, now: float) -> list[Run]:
    rank = ranking(by.field, values, now)
    keyed: list[tuple[Any, Run]] = []
    unknown: list[Run] = []
    for run in runs:
        value = rank(run)
        if value is None:
            unknown.append(run)
        else:
            keyed.append((value, run))
    keyed.sort(key=_first, reverse=by.descending)
    return [run for _, run in keyed] + unknown


def _first(pair: tuple[Any, Run]) -> Any:
    return pair[0]


def ranking(field: Field, values: Values, now: float) -> Callable[[Run], Any]:
    """What a run is sorted by: comparable among all runs, None where nothing is known."""
    if field.rank is not None:
        rank = field.rank
        return lambda run: rank(run, now)

    if field.kind in ("text", "words", "value"):
        return lambda run: _comparable(field.get(run, values, now))

    def number(run: Run) -> Any:
        value = field.get(run, values, now)
        return value if known(value) else None

    return number


def _comparable(value: Any) -> Any:
    """Numbers before texts; texts in any case."""
    if not known(value):
        return None
    if isinstance(value, tuple):
        return 1, 0, "\n".join(value).casefold()
    if isinstance(value, str):
        return 1, 0, value.casefold()
    return 0, value, ""
