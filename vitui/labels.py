"""run.json of a run: its name, tags, notes and marks. The truth of them; the database mirrors it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection
from pathlib import Path
from typing import Any

from engine.journal import RunDir, read_json, write_json
from vitui.errors import NotFound, UsageError
from vitui.store import Run
from vitui.text import safe

NAME_LIMIT = 300
_SEED = re.compile(r"[\s,]*\bseed\s*\d+\s*$", re.IGNORECASE)


def checked_name(given: str) -> str:
    """A run's name as it was given. Raises UsageError for an empty or a very long one."""
    if not given.strip():
        raise UsageError("a run's name cannot be empty")
    if len(given) > NAME_LIMIT:
        raise UsageError(f"the name has {len(given)} characters; at most {NAME_LIMIT} are kept, shorten it")
    return given


def without_seed(name: str) -> str:
    """``vit seed 3`` as ``vit``: what runs are called that differ in the seed alone."""
    return _SEED.sub("", name)


def clean_tags(given: Collection[str]) -> list[str]:
    """Tags sorted, each once, without empty ones."""
    return sorted({tag.strip() for tag in given} - {""})


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty where the file is missing or holds something else."""
    content = read_json(path)
    return content if isinstance(content, dict) else {}


def change(run: RunDir, row: Run, **values: Any) -> None:
    """Write some labels; those of `row` are the others where run.json has been lost.

    Raises NotFound where the directory is gone, UsageError where run.json is damaged: a slip of whoever edited it by
    hand is theirs to put right, not ours to write over.
    """
    if not run.path.is_dir():
        raise NotFound(f"the directory {run.path} is gone; `vitui rebuild` takes the run out of the listing")
    content = read_json(run.labels)
    if run.labels.exists() and not isinstance(content, dict):
        raise UsageError(f"{run.labels} is damaged; put it right or delete it, vitui does not write over it")
    write_json(run.labels, {**(content or _of_row(row)), **values})


def _of_row(run: Run) -> dict[str, Any]:
    told = {"value": run.reference, "source": run.reference_source, "outcome": run.reference_outcome}
    reference = told if run.reference is not None or run.reference_outcome else None
    names = ("name", "preset", "family", "notes", "question", "star", "archived", "device", "created")
    return {name: getattr(run, name) for name in names} | {"tags": list(run.tags), "reference": reference}


def edited_tags(text: str, before: Collection[str], *, replace: bool) -> list[str]:
    """Tags after an edit: ``+x`` adds, ``-y`` takes away; plain words are added too, or with `replace` are all.

    Words in quotes may hold spaces. Raises UsageError for a quote that is not closed and for a sign without a word.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise UsageError("a quote is not closed; put a tag with spaces in two of them") from None
    if bare := next((word for word in words if word in ("+", "-")), None):
        raise UsageError(f"a tag is missing after {bare}; write for example {bare}paper")
    signed = all(word[0] in "+-" for word in words if word) and bool(words)
    tags = set() if replace and not signed else set(before)
    for word in words:
        if word.startswith("-"):
            tags.discard(word[1:].strip())
        else:
            tags.add(word.removeprefix("+"))
    return clean_tags(tags)


def tag_line(tags: Collection[str]) -> str:
    """Tags as they are typed to be these; what a terminal would obey in them is escaped."""
    return " ".join(shlex.quote(safe(tag)) if any(c in tag for c in " \"'\\") else safe(tag) for tag in tags)


def name_from(pattern: str, run: Run, number: int) -> str:
    """`pattern` with ``{n}``, ``{seed}``, ``{preset}``, ``{name}`` and ``{id}`` filled in for one of several runs."""
    seed = "" if run.seed is None else str(run.seed)
    parts = {"{n}": str(number), "{seed}": seed, "{preset}": run.preset, "{name}": run.name, "{id}": run.id}
    return re.sub("|".join(map(re.escape, parts)), lambda found: parts[found[0]], pattern)
