"""How a list of runs is looked at: filter, columns, order, groups. Plain data that can be saved under a name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vitui.errors import UsageError
from vitui.query.columns import DEFAULT, Columns
from vitui.query.fields import ANY, Field, Fields
from vitui.query.order import By, Order, parse_order, written
from vitui.query.run_fields import RUN_FIELDS

NEWEST: Order = (By(RUN_FIELDS["age"]),)
MOST_TEXT = 2000
"""Characters of a filter that are read back."""


@dataclass(frozen=True)
class Arrangement:
    """`archived`: with the archived runs. `differing`: only columns, of recipes too, in which the runs differ."""

    filter: str = ""
    columns: Columns = DEFAULT
    order: Order = NEWEST
    groups: tuple[Field, ...] = ()
    archived: bool = False
    differing: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads."""
        return {
            "filter": self.filter, "columns": self.columns.as_json(), "order": written(self.order),
            "groups": [field.key for field in self.groups], "archived": self.archived, "differing": self.differing,
        }  # fmt: skip

    @staticmethod
    def from_json(data: object, fields: Fields = ANY) -> Arrangement:
        """From what `as_json` gave; each part that is damaged or no longer known is as it is at first."""
        found = data if isinstance(data, dict) else {}
        text = found.get("filter")
        return Arrangement(
            text if isinstance(text, str) and len(text) <= MOST_TEXT else "",
            Columns.from_json(found.get("columns"), fields),
            _order(found.get("order"), fields),
            _groups(found.get("groups"), fields),
            found.get("archived") is True,
            found.get("differing") is True,
        )


def _order(data: object, fields: Fields) -> Order:
    if not isinstance(data, str):
        return NEWEST
    try:
        return parse_order(data, fields) or NEWEST
    except UsageError:
        return NEWEST


def _groups(data: object, fields: Fields) -> tuple[Field, ...]:
    keys = [key for key in data if isinstance(key, str)] if isinstance(data, list) else []
    found = [field for key in keys if (field := fields.find(key)) is not None]
    return tuple(dict.fromkeys(found))
