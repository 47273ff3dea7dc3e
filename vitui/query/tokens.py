"""The filter language in pieces: words, terms, brackets, each with its place in the text. Pure, never raises."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["(", ")", "not", "and", "or", "word", "term"]

_NAME = re.compile(r"[A-Za-z_][\w.]*(?:/[\w./-]+(?=[!:~=<>]|\s*(?:[!=]=|[~=<>]))|\([^()\s\"]*\))?")
_OPERATOR = re.compile(r"!=|!~|>=|<=|==|[:~=<>]")
_SPACED = re.compile(r"\s+(!=|!~|>=|<=|==|[~=<>])\s*")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter. A term has field, operator and values; a word has its text as its only value.

    `at` and `end` are places in the text, `value_at` where the values begin. `pattern`: the value is /a pattern/.
    """

    kind: TokenKind
    at: int
    end: int
    field: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()
    value_at: int = 0
    pattern: bool = False
    closed: bool = True
    """Whether quotes and pattern end."""


def tokens(text: str) -> list[Token]:
    """All pieces of `text`, however unfinished it is."""
    out: list[Token] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _next(text, at)
        out.append(token)
        at = token.end
    return out


def _next(text: str, at: int) -> Token:
    character = text[at]
    if character in "()":
        return Token(character, at, at + 1)  # type: ignore[arg-type]
    if character in "-!":
        return Token("not", at, at + 1)
    term = _term(text, at)
    if term is not None:
        return term
    values, end, closed = _values(text, at, lists=False)
    raw = text[at:end]
    if raw.casefold() in ("and", "or", "not"):
        return Token(raw.casefold(), at, end)  # type: ignore[arg-type]
    return Token("word", at, end, values=values, value_at=at, closed=closed)


def _term(text: str, at: int) -> Token | None:
    name = _NAME.match(text, at)
    if name is None or name[0].casefold() in ("and", "or", "not"):
        return None
    operator = _OPERATOR.match(text, name.end())
    spaced = None if operator else _SPACED.match(text, name.end())
    if operator is None and spaced is None:
        return None
    sign = operator[0] if operator else spaced[1]  # type: ignore[index]
    start = operator.end() if operator else spaced.end()  # type: ignore[union-attr]
    if operator and sign != ":" and text[start : start + 1].isspace():  # best> 90
        start = re.compile(r"\s*").match(text, start).end()  # type: ignore[union-attr]
    if sign in ("~", "!~") and text[start : start + 1] == "/":
        pattern, end, closed = _pattern(text, start)
        return Token("term", at, end, name[0], sign, (pattern,), start, True, closed)
    values, end, closed = _values(text, start, lists=True)
    return Token("term", at, end, name[0], sign, values, start, False, closed)


def _pattern(text: str, start: int) -> tuple[str, int, bool]:
    """What stands between slashes; a backslash keeps a slash inside."""
    out, at = "", start + 1
    while at < len(text):
        if text[at] == "/":
            return out, at + 1, True
        if text[at] == "\\" and text[at + 1 : at + 2] == "/":
            at += 1
        out, at = out + text[at], at + 1
    return out, at, False


def _values(text: str, start: int, *, lists: bool) -> tuple[tuple[str, ...], int, bool]:
    """Values up to a space or a closing bracket; commas part them where `lists`. Quotes keep all of these together."""
    parts, depth, at, quoted = [""], 0, start, False
    while at < len(text):
        character = text[at]
        if character == '"':
            quoted = not quoted
        elif quoted:
            parts[-1] += character
        elif character.isspace() or (character == ")" and depth == 0):
            break
        elif character == "," and lists:
            parts.append("")
        else:
            depth += (character == "(") - (character == ")")
            parts[-1] += character
        at += 1
    return tuple(part for part in parts if part), at, not quoted
