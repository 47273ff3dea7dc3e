"""The filter of the runs table: words, and terms such as ``state:running preset~cifar tag:x best>90``. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitui.store import Run

TEXT_FIELDS: dict[str, Callable[[Run], str]] = {
    "state": lambda r: r.state,
    "name": lambda r: r.name,
    "preset": lambda r: r.preset,
    "family": lambda r: r.family,
    "model": lambda r: r.model,
    "dataset": lambda r: r.dataset,
    "device": lambda r: r.placed or r.device,
    "id": lambda r: r.id,
    "notes": lambda r: r.notes,
}
NUMBER_FIELDS: dict[str, Callable[[Run], Any]] = {
    "best": lambda r: r.best,
    "last": lambda r: r.last,
    "test": lambda r: r.report_best,
    "ref": lambda r: r.reference,
    "epoch": lambda r: r.epoch,
    "epochs": lambda r: r.total_epochs,
    "seed": lambda r: r.seed,
    "loss": lambda r: r.loss,
}
FIELDS = (*TEXT_FIELDS, "tag", *NUMBER_FIELDS)

_TERM = re.compile(r"(?P<not>[-!]?)(?P<field>[A-Za-z]\w*)(?P<op>>=|<=|[:~=<>])(?P<value>.*)", re.DOTALL)
_WORD = re.compile(r'((?:[^\s"]|"[^"]*"?)+)')
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "=": lambda a, b: a == b,
    ":": lambda a, b: a == b,
}

Test = Callable[["Run"], bool]


@dataclass(frozen=True)
class Filter:
    """Every term must hold. `problem` says what could not be understood; such a term is ignored."""

    text: str = ""
    tests: tuple[Test, ...] = ()
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.tests)

    def matches(self, run: Run) -> bool:
        return all(test(run) for test in self.tests)


def parse(text: str) -> Filter:
    """A filter from what was typed, however unfinished it is: an empty value matches everything.

    ``word`` is looked for in name, id, preset, model, dataset, state and tags; ``field:a,b`` is one of these,
    ``field~part`` contains; ``field>number`` and so on compares; a leading ``-`` or ``!`` is "not"; quotes keep spaces.
    """
    tests: list[Test] = []
    problem = ""
    for word in _WORD.findall(text):
        try:
            test = _term(word)
        except ValueError as error:
            problem = str(error)
            continue
        if test is not None:
            tests.append(test)
    return Filter(text, tuple(tests), problem)


def _term(word: str) -> Test | None:
    found = _TERM.fullmatch(word)
    if found is None:
        negated = word[:1] in "-!"
        plain = word[negated:].replace('"', "").casefold()
        return _turned(_contains(plain), negated) if plain else None
    field, operator, value = found["field"].casefold(), found["op"], found["value"].replace('"', "").casefold()
    if field not in FIELDS:
        near = get_close_matches(field, FIELDS, 1)
        hint = f"did you mean {near[0]}?" if near else f"fields: {', '.join(FIELDS)}"
        raise ValueError(f"no field {field}; {hint}")
    if not value:
        return None
    if field in NUMBER_FIELDS:
        return _turned(_number(field, operator, value), bool(found["not"]))
    if operator not in (":", "~", "="):
        raise ValueError(f"{field} is text; use {field}:{value} or {field}~{value}")
    values = tuple(part for part in value.split(",") if part)
    if field == "tag":
        if operator == "~":
            return _turned(lambda r: any(v in t.casefold() for t in r.tags for v in values), bool(found["not"]))
        return _turned(lambda r: any(t.casefold() in values for t in r.tags), bool(found["not"]))
    get = TEXT_FIELDS[field]
    if operator == "~":
        return _turned(lambda r: any(v in get(r).casefold() for v in values), bool(found["not"]))
    return _turned(lambda r: get(r).casefold() in values, bool(found["not"]))


def _number(field: str, operator: str, value: str) -> Test:
    get = NUMBER_FIELDS[field]
    compare = _COMPARE.get(operator)
    if compare is None:
        raise ValueError(f"{field} is a number; use {field}>{value} or {field}={value}")
    try:
        limit = float(value)
    except ValueError:
        raise ValueError(f"{field}{operator}{value}: {value} is not a number") from None

    def test(run: Run) -> bool:
        found = get(run)
        return found is not None and compare(found, limit)

    return test


def _contains(part: str) -> Test:
    def test(run: Run) -> bool:
        return (
            part in run.name.casefold()
            or part in run.id
            or part in run.preset.casefold()
            or part in run.model.casefold()
            or part in run.dataset.casefold()
            or part in run.state
            or any(part in tag.casefold() for tag in run.tags)
        )

    return test


def _turned(test: Test, negated: bool) -> Test:
    return (lambda run: not test(run)) if negated else test
