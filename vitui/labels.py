"""run.json of a run: its name, tags, notes and marks. The truth of them; the database mirrors it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from engine.journal import RunDir, read_json, write_json
from vitui.errors import NotFound, UsageError
from vitui.store import Run

NAME_LIMIT = 300


def checked_name(given: str) -> str:
    """A run's name as it was given. Raises UsageError for an empty or a very long one."""
    if not given.strip():
        raise UsageError("a run's name cannot be empty")
    if len(given) > NAME_LIMIT:
        raise UsageError(f"the name has {len(given)} characters; at most {NAME_LIMIT} are kept, shorten it")
    return given


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
