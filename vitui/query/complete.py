"""What may follow in a filter that is being typed: fields, operators, values, and/or/not. Pure, never raises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vitui.query.fields import ANY, NO_VALUES, Field, Fields, Values
from vitui.query.run_fields import ALIASES
from vitui.query.tokens import Token, tokens
from vitui.store.states import STATES

if TYPE_CHECKING:
    from vitui.store import Run

MOST = 50
_FIRST = ("state", "tag", "preset", "model", "best", "name", "age", "optim.lr", "has")
_WORDS = {"and": "both must hold; may be left out", "or": "one of them must hold", "not": "the opposite; - for short"}
_SEEN = ("preset", "family", "model", "dataset", "device", "host", "selected_on")
_OPERATORS = {
    "text": ((":", "is"), ("~", "contains"), ("!=", "is not"), ("~/", "matches a pattern")),
    "words": ((":", "has this one"), ("~", "has one that contains"), ("!=", "does not have")),
    "flag": ((":yes", "is so"), (":no", "is not so")),
    "number": ((">", "more than"), ("<", "less than"), (">=", "at least"), ("<=", "at most"), (":", "is")),
    "duration": (("<", "less than, e.g. 2d"), (">", "more than, e.g. 1h30m")),
    "time": ((">", "after, e.g. 2026-11-20"), ("<", "before"), (":", "on this day")),
    "value": ((":", "is"), ("!=", "is not"), (">", "more than"), ("<", "less than"), ("~", "contains")),
}


@dataclass(frozen=True, slots=True)
class Completion:
    """`text` to stand for what is between `start` and `end` now; `help` says what it is."""

    text: str
    help: str
    start: int
    end: int

    def applied(self, typed: str) -> tuple[str, int]:
        """The text after taking it, and where the cursor is then."""
        return typed[: self.start] + self.text + typed[self.end :], self.start + len(self.text)


def complete(
    text: str, cursor: int, fields: Fields = ANY, values: Mapping[str, Sequence[str]] | None = None
) -> list[Completion]:
    """What may stand at the cursor, the likeliest first. `values`: field key -> texts that runs have (see `seen`)."""
    before = text[:cursor]
    found = tokens(before)
    last = found[-1] if found and found[-1].end == len(before) and not before[-1:].isspace() else None
    if last is not None and last.kind == "term":
        return _values(before, last, fields, values or {})[:MOST]
    if last is None or last.kind in ("(", ")", "not"):
        return _anything(cursor, after=last is None and bool(found))
    return _names(before[last.at :], last.at, cursor, fields)[:MOST]


def seen(runs: Iterable[Run], values: Values = NO_VALUES) -> dict[str, list[str]]:
    """The values that runs have of the fields of few values, the commonest first; of studies as far as `values` has."""
    counts: dict[str, Counter[str]] = {key: Counter() for key in ("state", "tag", "study", *_SEEN)}
    for names in values.get("study", {}).values():
        counts["study"].update(names)
    for run in runs:
        counts["state"][run.state] += 1
        counts["tag"].update(run.tags)
        counts["device"][run.placed or run.device] += 1
        for key in _SEEN:
            if key != "device":
                counts[key][getattr(run, key)] += 1
    return {key: [value for value, _ in count.most_common() if value] for key, count in counts.items()}


def _anything(cursor: int, *, after: bool) -> list[Completion]:
    words = ("and", "or", "not") if after else ("not",)
    out = []
    for key in _FIRST:
        field = ANY.find(key)
        out.append(Completion(*_opened(key, field), cursor, cursor))
    return out + [Completion(word + " ", _WORDS[word], cursor, cursor) for word in words]


def _opened(name: str, field: Field | None) -> tuple[str, str]:
    """A field's name with the operator that is wanted most often, and its help."""
    if field is None:
        return "has:", "anything is known of a field"
    sign = {"number": ">", "duration": "<", "time": ">"}.get(field.kind, ":")
    return name + sign, field.help


def _names(word: str, start: int, end: int, fields: Fields) -> list[Completion]:
    folded = word.casefold()
    exact = fields.find(word)
    out = []
    if exact is not None:
        out += [Completion(word + sign, help, start, end) for sign, help in _OPERATORS[exact.kind]]
    names = [*fields.names(), *ALIASES, "has"]
    begins = [name for name in names if name.casefold().startswith(folded) and name.casefold() != folded]
    inside = [name for name in names if folded in name.casefold() and not name.casefold().startswith(folded)]
    out += [Completion(*_opened(name, fields.find(name)), start, end) for name in (*begins, *inside)
            if name == "has" or fields.find(name) is not None]  # fmt: skip
    out += [Completion(w + " ", help, start, end) for w, help in _WORDS.items() if w.startswith(folded)]
    return out


def _values(
    before: str, term: Token, fields: Fields, values: Mapping[str, Sequence[str]]
) -> list[Completion]:  # fmt: skip
    start = _last_value(before, term)
    part = before[start:].replace('"', "").casefold()
    end = len(before)
    if term.field.casefold() == "has":
        return [Completion(f.key, f.help, start, end) for f in fields.all() if f.key.casefold().startswith(part)]
    field = fields.find(term.field)
    if field is None or term.pattern:
        return []
    known = [str(value) for value in values.get(field.key, ())]
    if field.key == "state":
        known += [state for state in STATES if state not in known]
    if field.kind == "flag":
        known = ["yes", "no"]
    matching = [v for v in known if v.casefold().startswith(part)]
    matching += [v for v in known if part in v.casefold() and v not in matching]
    return [Completion(_quoted(v), field.help, start, end) for v in matching if v.casefold() != part]


def _last_value(before: str, term: Token) -> int:
    """Where the value begins that the cursor is in: commas outside quotes part values."""
    quoted, start = False, term.value_at
    for at in range(term.value_at, len(before)):
        if before[at] == '"':
            quoted = not quoted
        elif before[at] == "," and not quoted:
            start = at + 1
    return start


def _quoted(value: str) -> str:
    value = value.replace('"', "")
    return f'"{value}"' if any(c.isspace() or c in ",()" for c in value) or value.startswith("/") else value
