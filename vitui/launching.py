"""What a launch writes: run directories under hidden names, renamed into place together with their rows."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import RunDir, atomic_write, fsync_dir, new_run_id, write_json
from vitui import labels
from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.composition import Composed
    from vitui.lab import Lab

APART_S = 0.001
"""Between the times of runs that are launched together, so that they are listed in their order."""


def launch_all(
    lab: Lab,
    composed: Sequence[tuple[Composed, str]],
    *,
    device: str,
    tags: Collection[str],
    notes: str,
    question: str,
    tell: Callable[[str], None] | None,
    once: bool = False,
) -> list[str]:
    """Put recipes with their names into the queue, all of them or none; returns their run ids in order.

    `once`: those that a run trains already with the same seed, or has trained, are left out; whoever launches the same
    at the same time comes before or after, so that nothing is trained twice.
    Raises UsageError as `Lab.preflight` and `Lab.describe`; nothing is left behind then.
    """
    from engine.recipe.fingerprint import fingerprint
    from vitui.provenance import gather
    from vitui.store import runs

    now = time.time()
    said = [
        said_of(one, name=name, device=device, tags=tags, notes=notes, question=question, created=now + i * APART_S)
        for i, (one, name) in enumerate(composed)
    ]
    # Seeds change nothing about whether a recipe can be trained here.
    unlike = {fingerprint(one.recipe.flat()): one for one, _ in reversed(composed)}
    for one in reversed(unlike.values()):
        lab.preflight(one, device)
    lab.describe_all([one.recipe for one in reversed(unlike.values())], tell)
    provenance = gather()
    waiting: list[tuple[RunDir, RunDir]] = []
    placed: list[RunDir] = []
    try:
        for (one, _), words in zip(composed, said, strict=True):
            run = lab.run_dir(free_id(lab.home / "runs", {run.id for _, run in waiting}))
            waiting.append((write_run_dir(run, one, words, provenance), run))
        # All under one lock: whoever rebuilds the database meanwhile sees directories and rows, or neither.
        with lab.store.writing() as db:
            for (fresh, run), words, (one, _) in zip(waiting, said, composed, strict=True):
                row = runs.new_run(run.id, words, one.recipe.flat())
                if once and runs.filled(db, row.recipe_fingerprint, row.seed):
                    continue
                fresh.path.rename(run.path)
                placed.append(run)
                runs.insert(db, row)
            fsync_dir(lab.home / "runs")
    except BaseException:
        for run in (*placed, *(fresh for fresh, _ in waiting)):
            shutil.rmtree(run.path, ignore_errors=True)
        raise
    for fresh, _ in waiting:  # those that were left out
        shutil.rmtree(fresh.path, ignore_errors=True)
    return [run.id for run in placed]


def free_id(runs: Path, taken: Collection[str] = ()) -> str:
    """A run id that no directory in `runs` has, nor is among those `taken`."""
    while (run_id := new_run_id()) in taken or (runs / run_id).exists():
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
