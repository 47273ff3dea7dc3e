"""Recipe errors as sentences: the field, the value, what is allowed, the nearest valid spelling."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

UNION_TAGS = {
    "optim": ("adamw", "sgd"),
    "schedule": ("cosine", "warm-restarts", "lec", "multistep", "hand-cosine", "constant"),
}


class RecipeError(ValueError):
    """Something about a recipe, preset, toggle or override is wrong. `str()` is one or more whole sentences."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """``; did you mean X?`` for the closest valid word, else an empty string."""
    match = difflib.get_close_matches(word, list(valid), n=1, cutoff=0.6)
    return f"; did you mean {match[0]}?" if match else ""


def sentences(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """One sentence for each problem in a pydantic error about `model`."""
    out: dict[str, str] = {}
    for problem in error.errors(include_url=False):
        loc = [str(part) for part in problem["loc"]]
        # A tagged union puts its tag into the path: optim.adamw.lr is optim.lr to the user.
        tag = ""
        if len(loc) > 1 and loc[0] in UNION_TAGS and loc[1] in UNION_TAGS[loc[0]]:
            tag = loc.pop(1)
        loc = _strip_types(loc)[:3]  # members of a list or of model.options are spoken of as the whole
        field = ".".join(loc) or problem["msg"]
        if field in out and problem["type"] == "literal_error":  # the other half of "a number or auto"
            out[field] += ", or auto"
        else:
            out[field] = _sentence(problem, loc, model, tag)
    return list(dict.fromkeys(out.values()))


def _strip_types(loc: list[str]) -> list[str]:
    # Members of a plain union (float or "auto") appear as type names behind the field's own name.
    return [p for p in loc if not p.startswith(("literal[", "constrained-", "function-")) and p not in _TYPE_NAMES]


_TYPE_NAMES = {"int", "float", "str", "bool", "list[int]", "list[float]", "list[str]"}


def _sentence(problem: Any, loc: list[str], model: type[BaseModel], tag: str) -> str:
    field, kind, value = ".".join(loc), problem["type"], problem.get("input")
    context = problem.get("ctx", {})
    if kind == "extra_forbidden":
        parents = fields_at(model, loc[:-1])
        prefix = ".".join(loc[:-1])
        if tag and loc[-1] in parents:
            return f'{field} does not exist for {prefix}.name = "{tag}"; set {prefix}.name to the one that has it'
        dotted = [f"{prefix}.{name}" if prefix else name for name in parents]
        hint = nearest(field, dotted) or nearest(field, all_fields(model)) or f"; known here: {', '.join(dotted)}"
        return f"unknown field {field}{hint}"
    if kind == "value_error":
        return str(context.get("error", problem["msg"]))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = UNION_TAGS.get(field, ())
        given = str(context.get("tag", value.get("name", "") if isinstance(value, dict) else value))
        return f'{field}.name = "{given}" must be one of {", ".join(tags)}{nearest(given, tags)}'
    if kind == "literal_error":
        allowed = [part.strip().strip("'") for part in context["expected"].replace(" or ", ", ").split(",")]
        return f"{field} = {_show(value)} must be one of {', '.join(allowed)}{nearest(str(value), allowed)}"
    if kind == "string_pattern_mismatch" and field == "augment.randaugment":
        known = "rand-m9-mstd0.5-inc1, tv-n2-m9 or tf-n2-m15"
        return f"{field} = {_show(value)} is not a RandAugment string such as {known} (empty: off)"
    if field.startswith("model.options."):
        return f"{field} = {_show(value)} must be true, false, a number, text, or a list of one of these"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"{field} = {_show(value)} must be a table of fields, e.g. --set {field}.FIELD=VALUE"
    message = problem["msg"].removeprefix("Input ").replace("should be", "must be")
    return f"{field} = {_show(value)} {message}"


def _show(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def fields_at(model: type[BaseModel], loc: list[str]) -> list[str]:
    """Names of the fields of the section at `loc`; of all its variants where it is a tagged union."""
    names: list[str] = []
    for variant in _variants(model, loc):
        names += [n for n in variant.model_fields if n not in names]
    return names


def _variants(model: type[BaseModel], loc: list[str]) -> list[type[BaseModel]]:
    found = [model]
    for part in loc:
        step = []
        for current in found:
            if part in current.model_fields:
                step += section_types(current.model_fields[part].annotation)
        found = step
    return found


def section_types(annotation: Any) -> list[type[BaseModel]]:
    """The section classes inside an annotation: one, several for a union, none for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    out = []
    for argument in getattr(annotation, "__args__", ()):
        out += section_types(argument)
    return out


def all_fields(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Every dotted leaf of the tree, variants of unions together."""
    out: list[str] = []
    for name, info in model.model_fields.items():
        inner = section_types(info.annotation)
        for section in inner:
            out += [f for f in all_fields(section, f"{prefix}{name}.") if f not in out]
        if not inner:
            out.append(f"{prefix}{name}")
    return out
