"""One term of a filter as a test of a run: how each kind of field compares. Pure."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vitui import display
from vitui.query.fields import Field, Values, known

if TYPE_CHECKING:
    from vitui.query.tokens import Token
    from vitui.store import Run

Test = Callable[["Run", Values, float], bool]
Accept = Callable[[Any], bool]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le,
    "=": operator.eq, ":": operator.eq, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_IS = (":", "=", "==", "!=")
_UNITS = {"k": 1e3, "m": 1e6, "g": 1e9, "%": 1.0}
_SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:min|[smhdw]))+")
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(min|[smhdw])")
_YES, _NO = ("yes", "true", "on", "1", "y"), ("no", "false", "off", "0", "n")


class TermProblem(ValueError):
    """A term that cannot be understood, in a sentence. `of_field`: it is the name that is wrong, not the value."""

    def __init__(self, text: str, *, of_field: bool = False) -> None:
        super().__init__(text)
        self.of_field = of_field


def is_word(word: str) -> Test:
    """Whether `word` occurs in what a run is called: any case, anywhere."""
    part = word.casefold()

    def test(run: Run, values: Values, now: float) -> bool:
        return (
            part in run.name.casefold()
            or part in run.id
            or part in run.preset.casefold()
            or part in run.model.casefold()
            or part in run.dataset.casefold()
            or part in run.state
            or (bool(run.notes) and part in run.notes.casefold())
            or any(part in tag.casefold() for tag in run.tags)
        )

    return test


def has(field: Field) -> Test:
    """Whether anything is known."""
    if field.kind == "flag":
        return lambda run, values, now: bool(field.get(run, values, now))
    return lambda run, values, now: known(field.get(run, values, now))


def test_of(field: Field, token: Token) -> Test | None:
    """The test that a term stands for, None while its value is not typed yet. Raises TermProblem."""
    if not token.values or token.values == ("",):
        return None
    accept = _accept(field, token)
    negated = token.operator in ("!=", "!~")
    if field.of is not None:
        of = field.of
        if negated:
            return lambda run, values, now: not accept(of(run, now))
        return lambda run, values, now: accept(of(run, now))
    if negated:
        return lambda run, values, now: not accept(field.get(run, values, now))
    return lambda run, values, now: accept(field.get(run, values, now))


def _accept(field: Field, token: Token) -> Accept:
    """What the values of a term accept; what is not known is never accepted. ``!`` is the caller's."""
    if token.pattern:
        return _pattern(field, token.values[0])
    texts = tuple(value.casefold() for value in token.values)
    kind = field.kind
    if kind in ("text", "words"):
        if token.operator not in (*_IS, "~", "!~"):
            example = texts[0]
            raise TermProblem(f"{field.key} is text; use {field.key}:{example} or {field.key}~{example}")
        return _text(kind, token.operator, texts)
    if token.operator in ("~", "!~"):
        if kind == "value":
            return lambda found: found is not None and any(text in display.value(found).casefold() for text in texts)
        what = {"number": "a number", "flag": "yes or no", "duration": "a time span", "time": "a date"}[kind]
        value = "yes" if kind == "flag" else texts[0]
        raise TermProblem(f"{field.key} is {what}; use {field.key}{'>' if kind == 'number' else ':'}{value}")
    if kind == "flag":
        return _flag(field, token.operator, texts)
    if token.operator not in _IS and len(texts) > 1:
        raise TermProblem(f"{field.key}{token.operator} compares with one value, not with {len(texts)}")
    if kind == "value":
        return _value(token.operator, texts)
    limits = [_limit(field, token.operator, text) for text in texts]
    return _any_of([_bounded(token.operator, low, high) for low, high in limits])


def _pattern(field: Field, pattern: str) -> Accept:
    if field.kind not in ("text", "words", "value"):
        raise TermProblem(f"{field.key} is no text; a pattern cannot be looked for in it")
    try:
        found = re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise TermProblem(f"/{pattern}/ is no regular expression: {error}") from None
    search = found.search
    if field.kind == "words":
        return lambda words: any(search(word) is not None for word in words or ())
    if field.kind == "value":
        return lambda value: value is not None and search(display.value(value)) is not None
    return lambda text: text is not None and search(text) is not None


def _text(kind: str, sign: str, texts: tuple[str, ...]) -> Accept:
    if sign in ("~", "!~"):
        if kind == "words":
            return lambda words: any(text in word.casefold() for word in words or () for text in texts)
        if len(texts) == 1:
            one = texts[0]
            return lambda found: found is not None and one in found.casefold()
        return lambda found: found is not None and any(text in found.casefold() for text in texts)
    wanted = frozenset(texts)
    if kind == "words":
        return lambda words: any(word.casefold() in wanted for word in words or ())
    return lambda found: found is not None and found.casefold() in wanted


def _flag(field: Field, sign: str, texts: tuple[str, ...]) -> Accept:
    if sign not in _IS:
        raise TermProblem(f"{field.key} is yes or no; use {field.key}:yes")
    wanted = set()
    for text in texts:
        if text not in (*_YES, *_NO):
            raise TermProblem(f"{field.key} is yes or no, not {text}")
        wanted.add(text in _YES)
    return lambda found: bool(found) in wanted


def _value(sign: str, texts: tuple[str, ...]) -> Accept:
    """Numbers are compared as numbers, everything else as it is written; yes and on are true."""
    if sign not in _IS:
        limit = _number(texts[0])
        if limit is None:
            raise TermProblem(f"{texts[0]} is not a number")
        compare = _COMPARE[sign]
        return lambda found: isinstance(found, int | float) and compare(found, limit)
    numbers = {number for text in texts if (number := _number(text)) is not None}
    words = set(texts)
    words |= {"true"} if words & {"yes", "on"} else set()
    words |= {"false"} if words & {"no", "off"} else set()

    def accept(found: Any) -> bool:
        if isinstance(found, int | float) and not isinstance(found, bool):
            return found in numbers
        return found is not None and display.value(found).casefold() in words

    return accept


def _limit(field: Field, sign: str, text: str) -> tuple[float, float]:
    """The value a term compares with, as the least and the largest that equal it."""
    if field.kind == "duration":
        seconds = duration(text)
        if seconds is None:
            raise TermProblem(f"{field.key}{sign}{text}: a time span needs units, for example 45m, 1h30m or 2d")
        return seconds, seconds
    if field.kind == "time":
        return _moment(field, sign, text)
    number = _number(text)
    if number is None:
        raise TermProblem(f"{field.key}{sign}{text}: {text} is not a number")
    return number, number


def _moment(field: Field, sign: str, text: str) -> tuple[float, float]:
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        raise TermProblem(
            f"{field.key}{sign}{text}: a date is written 2026-11-20 or 2026-11-20T14:30; for time since then use age"
        ) from None
    whole_day = len(text) <= 10
    end = (at + timedelta(days=1)).timestamp() - 1e-3 if whole_day else at.timestamp()
    return at.timestamp(), end


def _bounded(sign: str, low: float, high: float) -> Accept:
    if sign in _IS:
        return lambda found: found is not None and low <= found <= high
    limit = high if sign in (">", "<=") else low
    compare = _COMPARE[sign]
    return lambda found: found is not None and compare(found, limit)


def _any_of(accepts: list[Accept]) -> Accept:
    if len(accepts) == 1:
        return accepts[0]
    return lambda found: any(accept(found) for accept in accepts)


def duration(text: str) -> float | None:
    """Seconds of ``1h30m``, ``2d``, ``45s``, ``1w``; None where that is none."""
    folded = text.casefold()
    if folded in ("0", "0s"):
        return 0.0
    if not _DURATION.fullmatch(folded):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PIECE.findall(folded))


def _number(text: str) -> float | None:
    """A number, with k, M or G for thousands, millions and thousand millions, or a percent sign."""
    try:
        return float(text)
    except ValueError:
        pass
    factor = _UNITS.get(text[-1:].casefold())
    if factor is None:
        return None
    try:
        return float(text[:-1]) * factor
    except ValueError:
        return None
