"""Blocks of Markdown, and YAML, from texts of runs, so that none of them is taken for markup."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from vitui.escaping import pipes
from vitui.text import safe

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/-]*(?:\.[A-Za-z0-9_/-]+)*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})
"""What YAML 1.1 takes for something else than text."""


def code(text: str) -> str:
    """`text` as inline code: between more backquotes than it has in a row."""
    shown = safe(text).strip() or " "
    ticks = "`" * (_longest(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}"


def fenced(text: str, language: str) -> str:
    """`text` as a block of code."""
    fence = "`" * max(3, _longest(text) + 1)
    lines = [safe(line) for line in text.rstrip("\n").split("\n")]
    return "\n".join([f"{fence}{language}", *lines, fence])


def _longest(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, raw: bool = False) -> str:
    """A pipe table. `raw`: the cells are Markdown already."""
    return "\n".join([pipes(head), "|---" * len(head) + "|", *(pipes(row, raw=raw) for row in rows)])


# -- YAML ----------------------------------------------------------------------------------------------------------


def yaml(value: Mapping[str, Any]) -> str:
    """A tree of dicts, lists, texts, numbers, flags and None as block YAML that any YAML 1.1 or 1.2 reader reads back.

    Keys must be plain words. Texts come back as `vitui.text.safe` makes them.
    """
    return "\n".join(_mapping(value, "")) + "\n"


def _mapping(value: Mapping[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            lines += [f"{indent}{key}:", *_mapping(item, indent + "  ")]
        elif isinstance(item, list | tuple) and item:
            lines += [f"{indent}{key}:", *_sequence(item, indent)]
        else:
            lines.append(f"{indent}{key}: {_scalar(item)}")
    return lines


def _sequence(items: Sequence[Any], indent: str) -> list[str]:
    lines: list[str] = []
    for item in items:
        if isinstance(item, Mapping) and item:
            inner = _mapping(item, indent + "  ")
            lines += [f"{indent}- {inner[0].lstrip()}", *inner[1:]]
        else:
            lines.append(f"{indent}- {_scalar(item)}")
    return lines


def _scalar(value: Any) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
        text = repr(value)
        mantissa, e, exponent = text.partition("e")
        # YAML 1.1 wants a point in every float: 1e-06 would be a text.
        return f"{mantissa}{'' if '.' in mantissa else '.0'}e{exponent}" if e else text
    if isinstance(value, str):
        shown = safe(value)
        if _PLAIN.fullmatch(shown) and shown.lower() not in _WORDS:
            return shown
        return json.dumps(shown, ensure_ascii=False)
    return json.dumps(value)
