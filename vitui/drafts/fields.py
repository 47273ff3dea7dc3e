"""What can be typed into a recipe: fields with kind, choices, range, unit and help, all read from the schema."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from engine.recipe import Recipe, RecipeError, parse_set, validate
from engine.recipe.compose import as_text, merge
from engine.recipe.errors import section_types
from engine.recipe.schema import DEFAULT_TAGS

OPTIONS = "model.options"

Kind = Literal["flag", "integer", "number", "choice", "text", "list"]


@dataclass(frozen=True)
class FormField:
    """One field of the form."""

    key: str
    """Dotted, as after ``--set``."""
    section: str
    kind: Kind
    choices: tuple[str, ...] = ()
    """What a choice may be, in the schema's order; "" is one where the field may be empty."""
    low: float | None = None
    """Lower bound of a number, or of each of a list; None: none."""
    high: float | None = None
    low_open: bool = False
    """The bound itself is not allowed."""
    high_open: bool = False
    unit: str = ""
    help: str = ""
    allows_auto: bool = False
    """Besides numbers it takes "auto", decided when the run starts."""
    default: str = ""
    """As it is typed."""
    length: int | None = None
    """How many members a list has; None: as many as one likes."""
    advanced: bool = False
    """Rarely touched."""

    @property
    def range(self) -> str:
        """What it may be, in signs: ``≥ 0, < 1 or auto``, ``none, pad``, ``true, false``; empty for any text."""
        if self.kind == "flag":
            return "true, false"
        if self.kind == "choice":
            return ", ".join(choice or "empty" for choice in self.choices)
        if self.kind == "text":
            return ""
        words = [
            f"{sign} {bound:g}" if abs(bound) < 1e6 else f"{sign} {bound:,.0f}"
            for sign, bound in ((">" if self.low_open else "≥", self.low), ("<" if self.high_open else "≤", self.high))
            if bound is not None
        ]
        if self.kind == "list":
            words.insert(0, f"{self.length} numbers" if self.length else "numbers")
        elif self.kind == "integer":
            words.insert(0, "whole number")
        return (", ".join(words) or "any number") + (" or auto" if self.allows_auto else "")


def form_fields(recipe: Recipe) -> list[FormField]:
    """The fields a recipe has, in the schema's order: those of its optimiser and schedule, each of its model options,
    and after them ``model.options`` itself, where one more is typed as ``NAME=VALUE``.
    """
    tags = tuple(getattr(recipe, section).name for section in DEFAULT_TAGS)
    found: list[FormField] = []
    for one in _fields(tags):
        if one.key == OPTIONS:
            found += [_option(one, name, value) for name, value in recipe.model.options.items()]
        found.append(one)
    return found


@cache
def _fields(tags: tuple[str, ...]) -> tuple[FormField, ...]:
    """The fields of recipes with these optimiser and schedule."""
    chosen = dict(zip(DEFAULT_TAGS, tags, strict=True))
    found: list[FormField] = []
    for section, info in Recipe.model_fields.items():
        variants = section_types(info.annotation)
        tag = chosen.get(section)
        variant = variants[0] if tag is None else next(v for v in variants if v.model_fields["name"].default == tag)
        named = [name for name in variant.model_fields if name == "name"]  # before the fields it decides about
        for name in named + [name for name in variant.model_fields if name != "name"]:
            if tag is not None and name == "name":
                tags_known = tuple(str(v.model_fields["name"].default) for v in variants)
                default = DEFAULT_TAGS[section]
                help_ = " ".join((variant.__doc__ or "").split())
                found.append(FormField(f"{section}.name", section, "choice", tags_known, help=help_, default=default))
            else:
                found.append(_field(section, name, variant.model_fields[name]))
    return tuple(found)


def _field(section: str, name: str, info: FieldInfo) -> FormField:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    default = info.get_default(call_default_factory=True, validated_data={})
    key = f"{section}.{name}"
    one = FormField(
        key,
        section,
        "text",
        unit=str(extra.get("unit", "")),
        help=" ".join((info.description or "").split()),
        default="" if key == OPTIONS else as_text(default),
        advanced=bool(extra.get("advanced", False)),
    )
    return _bounded(_typed(one, info.annotation), info.metadata)


def _typed(one: FormField, kind: Any) -> FormField:
    """With the kind, choices and bounds that a type says."""
    origin = get_origin(kind)
    if origin is Literal:
        choices = tuple(map(str, get_args(kind)))
        return replace(one, allows_auto=True) if choices == ("auto",) else replace(one, kind="choice", choices=choices)
    if metadata := getattr(kind, "__metadata__", None):
        inner = _typed(one, kind.__origin__)
        for item in metadata:
            inner = _bounded(inner, item.metadata if isinstance(item, FieldInfo) else [item])
        return inner
    if origin is tuple:
        members = [item for item in get_args(kind) if item is not Ellipsis]
        listed = _typed(one, members[0])
        return replace(listed, kind="list", length=None if Ellipsis in get_args(kind) else len(members))
    if origin is None:
        kinds: dict[Any, Kind] = {bool: "flag", int: "integer", float: "number", str: "text"}
        return replace(one, kind=kinds.get(kind, "text"))
    if one.key != OPTIONS:  # a number, or "auto"
        for member in get_args(kind):
            one = _typed(one, member)
    return one


def _bounded(one: FormField, metadata: Iterable[Any]) -> FormField:
    for item in metadata:
        for name, is_open in (("ge", False), ("gt", True)):
            if (bound := getattr(item, name, None)) is not None:
                one = replace(one, low=float(bound), low_open=is_open)
        for name, is_open in (("le", False), ("lt", True)):
            if (bound := getattr(item, name, None)) is not None:
                one = replace(one, high=float(bound), high_open=is_open)
    return one


def _option(options: FormField, name: str, value: Any) -> FormField:
    kind: Kind = "text"
    if isinstance(value, bool):
        kind = "flag"
    elif isinstance(value, int | float):  # 4 may become 4.5: the schema does not know this argument
        kind = "number"
    elif isinstance(value, list):
        kind = "list"
    return replace(
        options, key=f"{OPTIONS}.{name}", kind=kind, help=f"{name} of the model's constructor in timm.", default=""
    )


# -- what is typed -----------------------------------------------------------------------------------------------


def entered(key: str, text: str) -> tuple[str, str]:
    """Field and text of ``--set`` for what was typed into a field of the form: text fields need no quotes, lists no
    brackets, and ``model.options`` takes ``NAME=VALUE``.
    """
    text = text.strip()
    if key == OPTIONS and (name := text.partition("=")[0].strip()).replace("_", "").isalnum():
        return f"{OPTIONS}.{name}", text.partition("=")[2].strip()
    match _kind(key):
        case "text" if _text_of(key, text) != text:
            return key, text if _is_quoted(text) else as_text(text)
        case "list" if not text.startswith("["):
            return key, f"[{text}]"
    return key, text


def _is_quoted(text: str) -> bool:
    if text[:1] not in ('"', "'"):
        return False
    try:
        return isinstance(tomllib.loads(f"x = {text}")["x"], str)
    except tomllib.TOMLDecodeError:
        return False


def _text_of(key: str, text: str) -> Any:
    """The value that text has after ``FIELD=``."""
    value: Any = parse_set(f"{key}={text}")
    for part in key.split("."):
        value = value[part]
    return value


@cache
def _kind(key: str) -> Kind | None:
    return next((one.kind for one in all_fields() if one.key == key and key != OPTIONS), None)


@cache
def all_fields() -> tuple[FormField, ...]:
    """Every field of every optimiser and schedule, each once."""
    found: dict[str, FormField] = {}
    sections = [section_types(Recipe.model_fields[section].annotation) for section in DEFAULT_TAGS]
    names = [[str(v.model_fields["name"].default) for v in variants] for variants in sections]
    for i in range(max(map(len, names))):
        tags = tuple(of[min(i, len(of) - 1)] for of in names)
        found |= {one.key: one for one in _fields(tags) if one.key not in found}
    return tuple(found.values())


def problem_of(recipe: Recipe, key: str, text: str) -> str:
    """Why what was typed into a field of a recipe is refused, as one sentence; empty when it is fine.

    Type, range, choice with the nearest spelling, and what does not go together with the recipe's other fields.
    """
    return _problem(recipe, key, text)[0]


def value_problem(recipe: Recipe, key: str, text: str) -> str:
    """As `problem_of` for the value alone: empty where it only does not go together with other fields.

    A form lets such a value in: two fields that need each other could not be typed one after the other.
    """
    sentence, combination = _problem(recipe, key, text)
    return "" if combination else sentence


def _problem(recipe: Recipe, key: str, text: str) -> tuple[str, bool]:
    """The sentence, and whether it is about a combination."""
    if key == OPTIONS and "=" not in text:
        return f"{key}: {text.strip() or 'nothing'} is not NAME=VALUE; write for example depth=6", False
    key, text = entered(key, text)
    tree = merge(recipe.model_dump(mode="json"), _set(key, text))
    try:
        Recipe.model_validate(tree)
    except ValidationError as error:
        own = [p for p in error.errors(include_url=False) if p["type"] != "value_error"]
        told = _sentence(tree, key)
        return told, not own and not told.startswith(f"{key}:")
    return "", False


def _set(key: str, text: str) -> dict[str, Any]:
    try:
        return parse_set(f"{key}={text}")
    except RecipeError:  # a key that is none: the schema says so
        return {key: text}


def _sentence(tree: dict[str, Any], key: str) -> str:
    """The first sentence about the field, else the first."""
    try:
        validate(tree)
    except RecipeError as error:
        lines = str(error).splitlines()
        return next((line for line in lines if line.startswith(key)), lines[0])
    return ""
