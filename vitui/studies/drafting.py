"""The text of a new study from words as people type them: ``lr=1e-3,3e-4``, ``aug=none,mixup``, ``lr=1e-4..1e-2:log``.

Pure. What is written is a file as a person would write it, with a comment at each part, to be edited further.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.recipe import RecipeError, parse_set, toggles
from engine.recipe.schema import flatten
from vitui.errors import UsageError
from vitui.query.run_fields import ALIASES

NOTHING = "none"
"""The level of an axis of toggles that flips nothing."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a study is to have, as typed. Lists may hold several words in one, with commas between them."""

    base: str = ""
    leave_out: Sequence[str] = ()
    """Toggles, or "all"."""
    add: Sequence[str] = ()
    presets: Sequence[str] = ()
    axes: Sequence[str] = ()
    """``FIELD=VALUE,VALUE`` or ``NAME=TOGGLE+TOGGLE,none``; of a name in the base's pattern, ``NAME=TEXT,TEXT``."""
    random: Sequence[str] = ()
    """``FIELD=LOW..HIGH``, with ``:log`` or ``:int`` behind it, or ``FIELD=CHOICE,CHOICE``."""
    n: int | None = None
    """Variants that are drawn at random: of the fields in `random`, else of the grid of the axes."""
    seeds: str = ""
    """``0,1,2``, or ``3`` for three from the recipe's own on."""
    sets: Sequence[str] = ()
    """``FIELD=VALUE``, in every run."""
    baseline: str = ""
    device: str = ""
    title: str = ""
    question: str = ""


def study_text(wish: Wish) -> str:
    """The TOML file. Raises UsageError for words that are none of the above; whether the recipes can be is not asked.

    Sentences name the options of `vitui study new`.
    """
    out = "\n\n".join("\n".join(part) for part in (_head(wish), *_tables(wish)) if part)
    return out + "\n"


def _head(wish: Wish) -> list[str]:
    lines = [_line("title", wish.title), _line("question", wish.question)]
    lines.append(_line("base", wish.base))
    if wish.seeds:
        lines.append(_line("seeds", seeds(wish.seeds)))
    lines += [_line("baseline", wish.baseline), _line("device", wish.device)]
    out = [line for line in lines if line]
    leave_out = _listed(wish.leave_out)
    if leave_out:
        alone = "each toggle of the base that is on" if leave_out == ["all"] else "each of these toggles"
        out += [
            "",
            f"# {alone} is switched off alone",
            _line("leave_out", "all" if leave_out == ["all"] else leave_out),
        ]
    if add := _listed(wish.add):
        out += ["", "# each of these toggles is switched on alone", _line("add", add)]
    if presets := _listed(wish.presets):
        out += ["", "# each is a variant", _line("presets", presets)]
    return out


def _tables(wish: Wish) -> Iterator[list[str]]:
    if wish.sets:
        told: dict[str, Any] = {}
        for word in wish.sets:
            told |= _set(word)
        yield ["# in every run", "[set]", *(f"{_key(key)} = {_value(value)}" for key, value in told.items())]
    for number, word in enumerate(wish.axes):
        lines = _axis(word, wish.base)
        yield ["# the grid: every combination of the axes is a variant", *lines] if not number else lines
    if wish.random:
        if wish.n is None:
            raise UsageError("fields are to be drawn at random, but for how many variants? say it with --n")
        fields = ["[search.fields]", *(_sampled(word) for word in wish.random)]
        yield ["# variants with fields drawn at random", "[search]", f"n = {wish.n}", *fields]
    elif wish.n is not None:
        if not wish.axes:
            raise UsageError("--n says how many variants are drawn at random; give what to draw, --random or --axis")
        yield ["# so many combinations of the grid, drawn at random", "[search]", f"n = {wish.n}", "grid = true"]


def seeds(text: str) -> int | list[int]:
    """``3`` as how many, ``0,1,2`` (and ``7,``) as they stand. Raises UsageError."""
    words = [word.strip() for word in text.split(",")]
    listed = len(words) > 1
    words = [word for word in words if word]
    bad = next((word for word in words if not (word.isascii() and word.isdigit() and len(word) < 11)), None)
    if bad is not None or not words:
        raise UsageError(f'seeds = "{text}" are no whole numbers from 0; write 0,1,2, or 3 for three')
    return [int(word) for word in words] if listed else int(words[0])


# -- one option --------------------------------------------------------------------------------------------------


def _axis(word: str, base: str) -> list[str]:
    name, values = _parted(word, "axis", "an axis is FIELD=VALUE,VALUE or NAME=TOGGLE,TOGGLE")
    parts = _pieces(values)
    if len(parts) < 1 or "" in parts:
        raise UsageError(f'axis "{word}" has an empty value; write for example lr=1e-3,3e-4 or aug=none,mixup')
    field = _field(name)
    head = ["[[axis]]"]
    if f"{{{name}}}" in base:
        return [*head, _line("name", name), *_levels([f"{{ name = {_value(part)} }}" for part in parts])]
    if field:
        told = [next(iter(_set(f"{field}={part}").values())) for part in parts]
        short = name if "." not in name else field.rpartition(".")[2]
        return [*head, _line("name", short), _line("field", field), _line("values", told)]
    return [*head, _line("name", name), *_levels([_level(part, word) for part in parts])]


def _levels(levels: Sequence[str]) -> list[str]:
    return ["levels = [", *(f"  {level}," for level in levels), "]"]


def _level(part: str, word: str) -> str:
    if part == NOTHING:
        return f"{{ name = {_value(part)} }}"
    flips = [flip.strip() for flip in part.split("+")]
    for flip in flips:
        try:
            toggles.parse(flip)
        except RecipeError as error:
            raise UsageError(
                f'axis "{word}": {error}; an axis of a field has its dotted name, e.g. optim.lr=…'
            ) from None
    return f"{{ name = {_value(part)}, toggles = {_value(flips)} }}"


def _sampled(word: str) -> str:
    name, range_ = _parted(word, "random", "a field to draw is FIELD=LOW..HIGH, FIELD=LOW..HIGH:log or FIELD=A,B,C")
    field = _field(name)
    if not field:
        raise UsageError(f'random "{word}": {name} is no field; use its dotted name, e.g. optim.lr=1e-4..1e-2:log')
    body, *marks = range_.split(":") if ".." in range_ else [range_]
    if ".." not in body:
        told = [next(iter(_set(f"{field}={part}").values())) for part in _pieces(body)]
        return f"{_value(field)} = {{ choices = {_value(told)} }}"
    stray = next((mark for mark in marks if mark not in ("log", "int")), None)
    if stray is not None:
        raise UsageError(f'random "{word}": what stands behind the range is log or int, not {stray}')
    try:
        low, high = (float(part) for part in body.split(".."))
    except ValueError:
        raise UsageError(f'random "{word}": a range is two numbers, e.g. 1e-4..1e-2') from None
    whole = "int" in marks
    numbers = [int(edge) if whole and edge == int(edge) else edge for edge in (low, high)]
    parts = [f"low = {_value(numbers[0])}", f"high = {_value(numbers[1])}"]
    parts += [f"{key} = true" for key, mark in (("log", "log"), ("integer", "int")) if mark in marks]
    return f"{_value(field)} = {{ {', '.join(parts)} }}"


def _field(name: str) -> str:
    """The dotted field of a name or a short one (``lr``); empty for none."""
    if "." in name:
        return name
    known = ALIASES.get(name.casefold(), "")
    return known if "." in known else ""


def _parted(word: str, what: str, hint: str) -> tuple[str, str]:
    name, equals, rest = word.partition("=")
    if not equals or not name.strip() or not rest.strip():
        raise UsageError(f'{what} "{word}" cannot be read: {hint}')
    return name.strip(), rest.strip()


def _set(word: str) -> dict[str, Any]:
    try:
        return flatten(parse_set(word))
    except RecipeError as error:
        raise UsageError(str(error)) from None


def _listed(words: Sequence[str]) -> list[str]:
    """Words, each of which may be several with commas between them."""
    return list(dict.fromkeys(part for word in words for part in _pieces(word) if part))


def _pieces(text: str) -> list[str]:
    """Split at commas that are outside brackets and quotes: a value may be a list or hold a comma."""
    out, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in "[{":
            depth += 1
        elif character in "]}":
            depth -= 1
        elif character == "," and depth <= 0:
            out.append("")
            continue
        out[-1] += character
    return [part.strip() for part in out]


# -- TOML --------------------------------------------------------------------------------------------------------


def _line(key: str, value: Any) -> str:
    return f"{key} = {_value(value)}" if value not in ("", []) else ""


def _key(dotted: str) -> str:
    return dotted if re.fullmatch(r"[A-Za-z0-9_.-]+", dotted) else _value(dotted)


def _value(value: Any) -> str:
    import tomli_w

    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return tomli_w.dumps({"x": value}).removeprefix("x = ").strip()
