"""Runs as offline runs of W&B, which `wandb sync` uploads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vitui import display
from vitui.errors import VitError
from vitui.exporting.places import staged
from vitui.exporting.request import PROJECT, Request
from vitui.exporting.series import closing, rows, wanted
from vitui.store.series import direction
from vitui.text import safe

if TYPE_CHECKING:
    from vitui.comparing import RunFacts
    from vitui.lab import Lab
    from vitui.store import Run

FOLDER: Final = "wandb"
NAME_LIMIT, TAG_LIMIT = 128, 64
"""Characters that W&B takes; what is longer ends in an ellipsis."""
TOLD_EVERY: Final = 100_000
FAILED: Final = frozenset({"failed", "diverged", "lost"})
"""States that W&B shows as failed."""
_RESULTS: Final = (
    "state", "best", "best_epoch", "best_step", "last", "report_best", "report_last", "reference", "params", "epoch",
)  # fmt: skip
"""Fields of a run that become columns of W&B's run table, where they are known."""


def write(lab: Lab, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write OUT/wandb/offline-run-… for each run and return these folders. Nothing leaves this machine.

    W&B's step is the trainer's step, and its time of a row that of the journal. W&B takes a value for each series and
    step, and rows by ascending step, so everything of one step is one row.
    """
    from vitui.comparing import FactsReader

    folder, names = request.folder / FOLDER, {run: _folder_of(lab.run(run)) for run in request.runs}
    os.environ["WANDB_ERROR_REPORTING"] = "false"  # its own reports go to a server, in offline mode too
    import wandb

    with staged(folder, list(names.values()), force=request.force) as inside:
        for run, name in names.items():
            try:
                _write_run(lab, FactsReader(lab, run).read(), request, inside / "made", tell)
            except wandb.Error as error:
                raise VitError(f"W&B: {error}") from None
            [made] = (inside / "made" / FOLDER).glob(f"offline-run-*-{run}")
            for needless in ("logs", "tmp"):  # of the export itself; links among them end outside
                shutil.rmtree(made / needless, ignore_errors=True)
            made.rename(inside / name)
    return [str(folder / name) for name in names.values()]


def _folder_of(run: Run) -> str:
    """What W&B calls the folder of an offline run, with the time of the run rather than that of the export."""
    return f"offline-run-{display.moment(run.created, '%Y%m%d_%H%M%S')}-{run.id}"


def _write_run(lab: Lab, facts: RunFacts, request: Request, folder: Path, tell: Callable[[str], None]) -> None:
    import wandb

    run = facts.run
    folder.mkdir(exist_ok=True)
    quiet: dict[str, Any] = {
        "console": "off", "silent": True, "disable_git": True, "disable_code": True, "save_code": False,
        "x_disable_meta": True, "x_disable_stats": True, "x_disable_machine_info": True, "x_save_requirements": False,
    }  # fmt: skip
    live = wandb.init(
        mode="offline",
        dir=str(folder),
        id=run.id,
        project=request.project or PROJECT,
        name=safe(run.name, NAME_LIMIT),
        notes="\n".join(safe(line) for line in run.notes.split("\n")) or None,
        tags=list(dict.fromkeys(safe(tag, TAG_LIMIT) for tag in run.tags)) or None,
        config={**_nested(facts.config), "vitui": _about(facts)},
        settings=wandb.Settings(**quiet),
    )
    try:
        for key in lab.keys(run.id):
            if (better := direction(key)) and wanted(key, request.keys):
                live.define_metric(key, summary="max,last" if better > 0 else "min,last")
        for number, (step, at, values) in enumerate(rows(lab, run.id, request.keys), 1):
            live.log({**values, "_timestamp": at}, step=step)
            if number % TOLD_EVERY == 0:
                tell(f"{run.id}: {number:,} steps are in W&B's file")
        known = {name: getattr(run, name) for name in _RESULTS if getattr(run, name) is not None}
        ends = {one.key: one.value for one in closing(lab.evals(run.id), request.keys)}
        live.summary.update({**known, **ends})
    finally:
        live.finish(exit_code=1 if run.state in FAILED else 0)
        wandb.teardown()  # its process has closed all files then, and the folder can be moved


def _nested(config: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted fields as the tree they come from, which is how W&B filters them."""
    tree: dict[str, Any] = {}
    for key, value in config.items():
        *path, name = key.split(".")
        branch = tree
        for part in path:
            branch = branch.setdefault(part, {})
        branch[name] = value
    return tree


def _about(facts: RunFacts) -> dict[str, Any]:
    """What W&B has no place for: when it really ran, how it ended, where it comes from."""
    run, git = facts.run, facts.provenance.get("git")
    names = ("id", "name", "preset", "state", "evidence", "created", "started", "ended", "host", "placed", "question")
    return {
        **{name: getattr(run, name) for name in names},
        "commit": git.get("commit") if isinstance(git, Mapping) else None,
        "packages": facts.provenance.get("packages"),
    }
