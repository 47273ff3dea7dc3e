"""The filter of runs: ``acc1>90 and model~swin and tag:paper and state:running``. Pure, and never raises.

Words are looked for in name, id, preset, model, dataset, state, notes and tags. ``field:a,b`` is one of these,
``field~part`` contains, ``field~/pattern/`` is a regular expression, ``= != < <= > >=`` compare, ``has:field`` asks
whether anything is known. ``and`` may be left out; ``or``, ``not`` (``-``, ``!``) and brackets do what they say.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.query.fields import ANY, NO_VALUES, Field, Fields, Values
from vitui.query.terms import TermProblem, Test, has, is_word, test_of
from vitui.query.tokens import Token, tokens

if TYPE_CHECKING:
    from vitui.store import Run


@dataclass(frozen=True)
class Filter:
    """What was typed, as far as it is understood.

    `problem` says what is not (a sentence without its end, empty when all is well) and `problem_at` where in the text
    that begins; such a term is ignored. `fields`: those whose values must be given because no run's row has them.
    """

    text: str = ""
    test: Test | None = None
    problem: str = ""
    problem_at: int = 0
    fields: tuple[Field, ...] = ()
    asks_archived: bool = False
    """Whether it says anything about archived runs, so that they must be among those it is asked about."""

    def __bool__(self) -> bool:
        return self.test is not None

    def matches(self, run: Run, values: Values = NO_VALUES, now: float | None = None) -> bool:
        """Whether `run` is wanted. `now`: Unix seconds, for ages."""
        return self.test is None or self.test(run, values, time.time() if now is None else now)

    def select(self, runs: Iterable[Run], values: Values = NO_VALUES, now: float | None = None) -> list[Run]:
        """The runs that are wanted, in their order."""
        test = self.test
        if test is None:
            return list(runs)
        moment = time.time() if now is None else now
        return [run for run in runs if test(run, values, moment)]


def parse(text: str, fields: Fields = ANY) -> Filter:
    """A filter from what was typed, however unfinished: a term without its value is left out."""
    parser = _Parser(tokens(text), fields)
    test = parser.whole()
    at, problem = min(parser.problems, default=(0, ""))
    outside = {field.key: field for field in parser.used if field.outside}
    archived = any(field.key == "archived" for field in parser.used)
    return Filter(text, test, problem, at, tuple(outside.values()), archived)


MAX_DEPTH = 40
"""Brackets inside brackets."""


class _Parser:
    """Recursive descent: or, and, not, brackets. What is not understood is None and counts nowhere."""

    def __init__(self, found: list[Token], fields: Fields) -> None:
        self._tokens = found
        self._at = 0
        self._fields = fields
        self._depth = 0
        self.problems: list[tuple[int, str]] = []
        self.used: list[Field] = []

    def whole(self) -> Test | None:
        parts = []
        while self._at < len(self._tokens):
            parts.append(self._either())
            if (token := self._peek()) is not None and token.kind == ")":
                self.problems.append((token.at, "this ) closes nothing"))
                self._at += 1
        return _all(parts)

    def _peek(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _either(self) -> Test | None:
        parts = [self._both()]
        while (token := self._peek()) is not None and token.kind == "or":
            self._at += 1
            parts.append(self._both())
        return _any(parts)

    def _both(self) -> Test | None:
        parts = []
        while (token := self._peek()) is not None and token.kind not in ("or", ")"):
            if token.kind == "and":
                self._at += 1
                continue
            parts.append(self._one())
        return _all(parts)

    def _one(self) -> Test | None:
        token = self._peek()
        if token is None or token.kind in ("or", "and", ")"):
            return None
        self._at += 1
        if token.kind == "not":
            negated = True
            while (following := self._peek()) is not None and following.kind == "not":
                self._at, negated = self._at + 1, not negated
            inside = self._one()
            return _not(inside) if negated else inside
        if token.kind == "(":
            if self._depth >= MAX_DEPTH:
                self.problems.append((token.at, f"more than {MAX_DEPTH} brackets inside one another"))
                return None
            self._depth += 1
            inside = self._either()
            self._depth -= 1
            closing = self._peek()
            if closing is not None and closing.kind == ")":
                self._at += 1
            elif self._at >= len(self._tokens) and inside is not None:
                self.problems.append((token.at, "this ( is not closed"))
            return inside
        try:
            return self._term(token)
        except TermProblem as problem:
            self.problems.append((token.at if problem.of_field else token.value_at, str(problem)))
            return None

    def _term(self, token: Token) -> Test | None:
        if not token.closed and token.pattern:
            raise TermProblem("this pattern is not closed; end it with /")
        if token.kind == "word":
            return is_word(token.values[0]) if token.values else None
        if token.field.casefold() == "has" and token.operator in (":", "="):
            return _any([has(self._field(name)) for name in token.values])
        return test_of(self._field(token.field), token)

    def _field(self, name: str) -> Field:
        field = self._fields.find(name)
        if field is None:
            raise TermProblem(f"no field {name}; {self._fields.hint(name)}", of_field=True)
        self.used.append(field)
        return field


def _all(parts: list[Test | None]) -> Test | None:
    tests = [part for part in parts if part is not None]
    if len(tests) < 2:
        return tests[0] if tests else None
    if len(tests) == 2:
        first, second = tests
        return lambda run, values, now: first(run, values, now) and second(run, values, now)
    return lambda run, values, now: all(test(run, values, now) for test in tests)


def _any(parts: list[Test | None]) -> Test | None:
    tests = [part for part in parts if part is not None]
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda run, values, now: any(test(run, values, now) for test in tests)


def _not(test: Test | None) -> Test | None:
    return None if test is None else lambda run, values, now: not test(run, values, now)
