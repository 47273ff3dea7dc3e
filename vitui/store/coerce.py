"""Values of unknown origin (journals, run.json, recipes edited by hand) as something SQLite takes, or None."""

from __future__ import annotations

import math
from typing import Any

from engine.journal import number

BIGGEST = 2**53
"""Counts beyond this are damage: no training has as many steps, and floats stop being exact."""


def text(value: Any, default: str = "", limit: int | None = None) -> str:
    """`value` if it is text, else `default`. Lone surrogates, which UTF-8 has no room for, become "?"."""
    if not isinstance(value, str):
        return default
    return value[:limit].encode("utf-8", "replace").decode("utf-8")


def count(value: Any) -> int | None:
    """A whole number from 0 to 2**53 (also one written as 3.0), else None."""
    if type(value) is int:
        return value if 0 <= value <= BIGGEST else None
    if not isinstance(value, float):
        return None
    if not 0 <= value <= BIGGEST or value != int(value):
        return None
    return int(value)


def real(value: Any) -> float | None:
    """A finite number, else None."""
    found = any_real(value)
    return found if found is not None and math.isfinite(found) else None


def any_real(value: Any) -> float | None:
    """A number, NaN and infinities (also as the journal writes them) included, else None."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return number(value)
    except (ValueError, OverflowError):
        return None
