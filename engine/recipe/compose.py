"""Layers -> Recipe: deep merge, dotted overrides, provenance of every leaf, differences. Torch-free."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from engine.recipe.errors import RecipeError, sentences
from engine.recipe.schema import DEFAULT_TAGS, Recipe, flatten

Tree = dict[str, Any]
_OPTIONS = ("model", "options")


@dataclass(frozen=True)
class Layer:
    """One source of values: ``origin`` is shown to the user (``preset NAME``, ``--set``, ``toggle no-mixup``)."""

    origin: str
    tree: Tree


@dataclass(frozen=True)
class Change:
    """One differing leaf. A side that does not have the field at all is None."""

    key: str
    before: Any
    after: Any


def merge(base: Mapping[str, Any], patch: Mapping[str, Any], path: tuple[str, ...] = ()) -> Tree:
    """`patch` over `base`, table by table. Naming another optimiser or schedule drops what was set for the old one;
    ``model.options = {}`` drops those that are there, which are of another model.

    An AdamW learning rate left over in an SGD run is a known way to a wrong ablation (recipes T5), hence the drop.
    """
    out = dict(base)
    if len(path) == 1 and path[0] in DEFAULT_TAGS:
        tag = base.get("name", DEFAULT_TAGS[path[0]])
        if patch.get("name", tag) != tag:
            out = {}
    for key, value in patch.items():
        old = out.get(key)
        if isinstance(value, Mapping) and (value or (*path, key) != _OPTIONS):
            out[key] = merge(old if isinstance(old, Mapping) else {}, value, (*path, key))
        else:
            out[key] = value
    return out


def compose(layers: Iterable[Layer]) -> tuple[Recipe, dict[str, str]]:
    """Merge layers in order and validate once.

    Returns the recipe and, for each of its leaves, the origin of its value ("default" where no layer set it).
    Raises RecipeError with every problem, one a line.
    """
    tree: Tree = {}
    origins: dict[str, str] = {}
    for layer in layers:
        tree = merge(tree, layer.tree)
        origins.update(dict.fromkeys(flatten(layer.tree), layer.origin))
    recipe = validate(tree)
    set_leaves = flatten(tree)
    return recipe, {key: origins[key] if key in set_leaves else "default" for key in recipe.flat()}


def validate(tree: Mapping[str, Any]) -> Recipe:
    """A nested dict as Recipe. Raises RecipeError with every problem, one a line."""
    try:
        return Recipe.model_validate(dict(tree))
    except ValidationError as error:
        raise RecipeError("\n".join(sentences(error, Recipe))) from None


def parse_set(assignment: str) -> Tree:
    """``optim.lr=3e-4`` as a nested dict. The value is TOML where it parses as TOML, else plain text.

    Raises RecipeError when there is no ``=`` or the key is not dotted words.
    """
    key, equals, text = assignment.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(part.replace("_", "").isalnum() for part in parts):
        raise RecipeError(f'"{assignment}" is not FIELD=VALUE; write for example optim.lr=3e-4')
    tree: Tree = {parts[-1]: _value(text.strip())}
    for part in reversed(parts[:-1]):
        tree = {part: tree}
    return tree


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    # A newline could smuggle in a second key.
    return parsed["value"] if len(parsed) == 1 else text


def diff(before: Recipe, after: Recipe) -> list[Change]:
    """Leaves that differ, in the order of the schema."""
    a, b = before.flat(), after.flat()
    keys = list(b) + [key for key in a if key not in b]
    return [Change(k, a.get(k), b.get(k)) for k in keys if a.get(k) != b.get(k)]


def get(recipe: Recipe, key: str) -> Any:
    """The value of a dotted leaf. Raises KeyError for a field this recipe does not have."""
    return recipe.flat()[key]


def to_sets(before: Recipe, after: Recipe) -> list[str]:
    """The words of ``--set`` that make `before` into `after`, in an order that works."""
    old, new = before.flat(), after.flat()
    words = []
    dropped = {key for key in old if key not in new and key.startswith("model.options.")}
    if dropped:  # a single option cannot be taken away, so all of them are
        words.append("model.options={}")
        old = {key: value for key, value in old.items() if not key.startswith("model.options.")}
    for section in DEFAULT_TAGS:  # another optimiser or schedule starts from its own defaults
        tag = f"{section}.name"
        if old[tag] != new[tag]:
            words.append(f"{tag}={as_text(new[tag])}")
            fresh = validate({section: {"name": new[tag]}}).flat()
            old |= {key: value for key, value in fresh.items() if key.startswith(f"{section}.")}
    return words + [f"{key}={as_text(value)}" for key, value in new.items() if key not in old or old[key] != value]


def as_text(value: Any) -> str:
    """A leaf as it is written after ``FIELD=``: `parse_set` reads the very same value back."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_quoted(v) if isinstance(v, str) else as_text(v) for v in value) + "]"
    if isinstance(value, str):
        return value if _value(value.strip()) == value else _quoted(value)
    return repr(value)


def _quoted(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
