"""What the recipe's schema says of its fields, in a sentence each. Loads pydantic."""

from __future__ import annotations

import types
import typing
from functools import cache
from typing import Any


def descriptions() -> dict[str, str]:
    """Dotted recipe field -> the first sentence of its description, over all variants of every section."""
    return dict(_descriptions())


@cache
def _descriptions() -> dict[str, str]:
    from engine.recipe.schema import Recipe

    out: dict[str, str] = {}
    _collect(Recipe, "", out)
    return out


def _collect(section: Any, prefix: str, out: dict[str, str]) -> None:
    for name, info in section.model_fields.items():
        inner = [one for one in _variants(info.annotation) if hasattr(one, "model_fields")]
        for variant in inner:
            _collect(variant, f"{prefix}{name}.", out)
        if not inner and typing.get_origin(info.annotation) is not dict:
            text = " ".join((info.description or "").split())
            out.setdefault(f"{prefix}{name}", text.partition(". ")[0].rstrip("."))


def _variants(annotation: Any) -> list[Any]:
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _variants(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return [variant for part in typing.get_args(annotation) for variant in _variants(part)]
    return [annotation]
