"""Keys as people write them, and the table of actions with a user's own keys in it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from textual.binding import Binding
from textual.keys import Keys

from vitui.errors import UsageError
from vitui.text import safe
from vitui.tui.actions.base import Action

ALWAYS = {"ctrl+c": "leave the app", "ctrl+q": "leave the app"}
"""Keys that mean the same everywhere, whatever is in focus."""
MODIFIERS = ("ctrl", "alt", "shift")
# What a terminal sends for these is the same byte as the key on the right.
_SAME_BYTE = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
_NAMES = {key.value for key in Keys if "+" not in key.value and not key.value.startswith("<")}
_SHORT = {"pageup": "pgup", "pagedown": "pgdn", "escape": "esc", "delete": "del"}
_LONG = {short: long for long, short in _SHORT.items()} | {"return": "enter"}


def _key(character: str) -> str:
    """Textual's name of the key that types a character."""
    return "comma" if character == "," else next(iter(Binding.make_bindings([Binding(character, "")]))).key


_SIGNS = {_key(sign): sign for sign in r"""!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"""}


def key_name(key: str) -> str:
    """How one of Textual's keys is written: ``question_mark`` is ``?``, ``pagedown`` is ``pgdn``. ASCII alone."""
    *modifiers, last = key.split("+")
    return "+".join([*modifiers, _SIGNS.get(last, _SHORT.get(last, last))])


def key_names(keys: Iterable[str]) -> str:
    """Several keys, as they are written, with a space between."""
    return " ".join(key_name(key) for key in keys)


def parse_key(text: str) -> str:
    """Textual's name of a key as a user writes it: ``x``, ``?``, ``ctrl+x``, ``pgdn``, ``f5``, ``shift+up``.

    Raises ValueError with what is wrong, fit for ``... is no key: ...``.
    """
    head, _, last = text.rpartition("+")
    if not last:
        head, last = text[:-2], text[-1:]
    modifiers = head.split("+") if head else []
    for modifier in modifiers:
        if modifier not in MODIFIERS:
            raise ValueError(f"{modifier} is no modifier; there are {', '.join(MODIFIERS)}")
    last = _LONG.get(last, last)
    if len(last) <= 1:
        if not last.isprintable() or last in ("", " "):
            raise ValueError("write space, tab, enter, escape by name")
        if modifiers and last.isupper():
            raise ValueError(f"write {'+'.join([*dict.fromkeys([*modifiers, 'shift'])])}+{last.lower()}")
        if modifiers == ["shift"] and last.isalpha():
            raise ValueError(f"write {last.upper()}")
        last = _key(last)
    elif last not in _NAMES and last not in _SIGNS:
        near = difflib.get_close_matches(last, [*_NAMES, *_SIGNS, *_LONG], 1)
        raise ValueError("no key has this name" + (f"; did you mean {near[0]}?" if near else ""))
    key = "+".join([*(m for m in MODIFIERS if m in modifiers), last])
    if key in _SAME_BYTE:
        raise ValueError(f"terminals send {_SAME_BYTE[key]} for it")
    if key in ALWAYS:
        raise ValueError(f"it always means to {ALWAYS[key]}")
    return key


def remapped(actions: Sequence[Action], keys: Mapping[str, Sequence[str]], where: str = "") -> tuple[Action, ...]:
    """`actions` with the keys a user gave some of them (an action id and its keys, none to take them away).

    Raises UsageError with a sentence for every unknown action, every key that cannot be understood, and every key
    that would mean two things on a screen; each begins with `where`, the file they are from.
    """
    known = {action.id for action in actions}
    problems: list[str] = []
    changed: dict[str, tuple[str, ...]] = {}
    for id, wanted in keys.items():
        if id not in known:
            near = difflib.get_close_matches(id, known, 1, cutoff=0.5)
            problems.append(f"[keys] {safe(id, 60)}: no such action" + (f"; did you mean {near[0]}?" if near else ""))
            continue
        found = []
        for text in wanted:
            try:
                found.append(parse_key(text))
            except ValueError as error:
                problems.append(f"[keys] {id}: {safe(text, 40) or 'an empty text'} is no key that can be used: {error}")
        changed[id] = tuple(dict.fromkeys(found))
    out = tuple(
        action if action.id not in changed else replace(
            action, keys=changed[action.id], shown=key_name(changed[action.id][0]) if changed[action.id] else ""
        )
        for action in actions
    )  # fmt: skip
    problems += collisions(out, changed)
    if problems:
        raise UsageError("\n".join(where + problem for problem in problems))
    return out


def collisions(actions: Sequence[Action], changed: Iterable[str] = ()) -> list[str]:
    """A sentence for each key that two actions of a screen share; `changed` ids are named first."""
    mine = set(changed)
    screens = dict.fromkeys(screen for action in actions for screen in action.screens)
    told: dict[tuple[str, str, str], list[str]] = {}
    for screen in screens:
        holder: dict[str, str] = {}
        for action in sorted((a for a in actions if screen in a.screens), key=lambda a: a.id in mine):
            for key in action.keys:
                if key in holder:
                    told.setdefault((key, action.id, holder[key]), []).append(screen)
                else:
                    holder[key] = action.id
    return [
        f"[keys] {id}: {key_name(key)} means {other} already ({', '.join(on)}); give that one another key too"
        for (key, id, other), on in told.items()
    ]
