"""Writes docs/recipe.md from the schema: `uv run python docs/recipe.py`. A test holds the page to the schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from engine.recipe import Recipe
from engine.recipe.errors import section_types
from vitui.display import value

PAGE = Path(__file__).with_name("recipe.md")
HEAD = """\
# Every field of a recipe

Written by `docs/recipe.py` from the schema in `engine/recipe/fields/`. Set a field with `--set SECTION.FIELD=VALUE`,
or in a preset's TOML. `auto` is decided when the run starts; the run directory keeps the recipe as it was launched and
as it was decided.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, field in Recipe.model_fields.items():
        variants = section_types(field.annotation)
        for variant in variants:
            title = name if len(variants) == 1 else f'{name}, {name}.name = "{variant.model_fields["name"].default}"'
            doc = field.description if len(variants) == 1 else (variant.__doc__ or "").strip()
            parts.append(f"## {title}\n\n{doc}\n\n{_table(variant, len(variants) > 1)}")
    return "\n".join(parts)


def _table(section: type[BaseModel], variant: bool) -> str:
    rows = ["| field | default | may be | unit | meaning |", "|---|---|---|---|---|"]
    for name, field in section.model_fields.items():
        if variant and name == "name":
            continue
        extra = field.json_schema_extra
        unit = str(extra.get("unit", "")) if isinstance(extra, dict) else ""
        meaning = " ".join((field.description or "").split())
        cells = (f"`{name}`", _default(field), _may_be(field), unit, meaning)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    if default in ("", {}):
        return "empty"
    return value(list(default) if isinstance(default, tuple) else default)


def _may_be(field: FieldInfo) -> str:
    words = list(dict.fromkeys([*_words(field.annotation), *_bounds(field.metadata)]))
    return ", ".join(words)


def _words(kind: Any) -> Iterator[str]:
    """What values of a type are called, with the bounds that are written into it."""
    if get_origin(kind) is Literal:
        yield from (str(choice) or "empty" for choice in get_args(kind))
    elif metadata := getattr(kind, "__metadata__", None):
        yield from _words(kind.__origin__)
        for item in metadata:
            yield from _bounds(item.metadata if isinstance(item, FieldInfo) else [item])
    elif get_origin(kind) is tuple:
        inner = [item for item in get_args(kind) if item is not Ellipsis]
        yield f"list of {'numbers' if len(inner) == 1 else len(inner)}"
        yield from (word for word in _words(inner[0]) if word[0] in "<>≤≥")
    elif get_origin(kind) is dict:
        yield "a table"
    elif get_args(kind):
        for one in get_args(kind):
            yield from _words(one)
    else:
        yield {bool: "true, false", int: "whole number", float: "number", str: "text"}[kind]


def _bounds(metadata: Any) -> Iterator[str]:
    for item in metadata:
        for name, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<")):
            if (bound := getattr(item, name, None)) is not None:
                yield f"{sign} {bound:g}" if abs(bound) < 1e6 else f"{sign} {bound:,.0f}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
