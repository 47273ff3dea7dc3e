"""What a launch writes: a run directory under a hidden name, ready to be renamed into place."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import RunDir, atomic_write, new_run_id, write_json
from vitui import labels
from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.composition import Composed


def free_id(runs: Path) -> str:
    """A run id that no directory in `runs` has."""
    while (runs / (run_id := new_run_id())).exists():
        pass
    return run_id


def said_of(
    composed: Composed, *, name: str, device: str, tags: Collection[str], notes: str, question: str, created: float
) -> dict[str, Any]:
    """The content of run.json. `reference` is the one shown beside results; it may have an outcome for a number.

    Raises UsageError for a name that cannot be kept.
    """
    reference = composed.telling
    return {
        "name": labels.checked_name(name or composed.preset),
        "preset": composed.preset,
        "family": composed.family,
        "tags": labels.clean_tags(tags),
        "notes": notes,
        "question": question,
        "star": False,
        "archived": False,
        "device": device,
        "created": created,
        "reference": reference.model_dump(mode="json") if reference else None,
        "changes": [vars(change) for change in composed.changes],
        "origins": composed.origins,
    }


def write_run_dir(run: RunDir, composed: Composed, said: dict[str, Any], provenance: dict[str, Any]) -> RunDir:
    """The run directory under a hidden name, to be renamed: it is there as a whole or not at all.

    Raises UsageError where it cannot be written.
    """
    import tomli_w

    fresh = RunDir(run.path.with_name(f".new-{run.id}"))
    try:
        fresh.path.mkdir()
        for folder in (fresh.checkpoints, fresh.attempts):
            folder.mkdir()
        atomic_write(fresh.recipe, tomli_w.dumps(composed.recipe.model_dump(mode="json")).encode())
        write_json(fresh.labels, said)
        write_json(fresh.provenance, provenance)
    except OSError as error:
        shutil.rmtree(fresh.path, ignore_errors=True)
        raise UsageError(f"the run directory {run.path} cannot be written: {error.strerror}") from None
    return fresh
