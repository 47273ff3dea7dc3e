"""A home with studies and runs that were never trained: rows, events and evaluations as the worker writes them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import tomli_w

from engine.journal import RunDir, write_json
from engine.recipe import presets
from vitui.lab import Lab
from vitui.store import Run, runs
from vitui.studies.plan import Shelf, composed
from vitui.studies.variants import Planned, Variant

IMAGES = 10_000


class StudyHome:
    """A lab whose worker nobody wakes."""

    def __init__(self, path: Path) -> None:
        self.lab = Lab.open(path, create=True, adopt=False)
        self.shelf = Shelf([presets.SHIPPED])
        self._count = 0

    def write(self, name: str, text: str) -> None:
        """A study of one's own, unchecked."""
        folder = self.lab.home / "studies"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.toml").write_text(text)

    def planned(self, name: str) -> Planned:
        return self.lab.planned(name)

    def run(
        self,
        variant: Variant,
        seed: int,
        value: float | None = None,
        *,
        last: float | None = None,
        state: str = "finished",
        **columns: Any,
    ) -> str:
        """A run of a variant with a seed: its directory and its rows. `value`: accuracy on the test split, percent."""
        self._count += 1
        run_id = f"250101-{self._count:06d}-aaaa"
        recipe = composed(variant, self.shelf, seed).recipe
        folder = RunDir(self.lab.home / "runs" / run_id)
        folder.attempts.mkdir(parents=True)
        folder.recipe.write_text(tomli_w.dumps(recipe.model_dump(mode="json")))
        labels = {"name": f"{variant.name} seed {seed}", "preset": variant.preset, "created": 1.7e9 + self._count}
        write_json(folder.labels, labels)
        row: dict[str, Any] = {"state": state, "metric": "top1", "params": 142_000, "host": "gpubox", "placed": "cpu"}
        if state in ("finished", "diverged", "stopped"):
            row |= {"started": 1.7e9, "ended": 1.7e9 + 60, "epoch": 3.0, "step": 300, "images_per_s": 2000.0}
        if value is not None:
            row |= {
                "report_best": value, "report_last": value - 0.1 if last is None else last, "report_split": "test",
                "selected_on": "minival", "best": value + 1, "last": value + 0.5,
            }  # fmt: skip
        row |= columns
        with self.lab.store.writing() as db:
            runs.insert(db, runs.new_run(run_id, labels, recipe.flat()))
            names = ", ".join(f"{name} = ?" for name in row)
            db.execute(f"UPDATE runs SET {names} WHERE id = ?", (*row.values(), run_id))
            if state != "queued":
                db.execute("DELETE FROM queue WHERE run = ?", (run_id,))
            if value is not None:
                self._measured(db, run_id, value, row["report_last"])
        return run_id

    def _measured(self, db: Any, run_id: str, value: float, last: float) -> None:
        for role, top1 in (("report-best", value), ("report-last", last)):
            for key, number in (("top1", top1), ("top5", min(100.0, top1 + 5)), ("loss", 2 - top1 / 100)):
                db.execute(
                    "INSERT INTO evals (run, step, split, weights, role, key, value, epoch, images, at) "
                    "VALUES (?, 300, 'test', 'model', ?, ?, ?, 3.0, ?, ?)",
                    (run_id, role, key, number, IMAGES, time.time()),
                )
        for seq, (kind, data) in enumerate((("model", {"macs": 1.1e7}), ("finished", {"seconds": 58.0}))):
            db.execute(
                "INSERT INTO events (run, seq, kind, attempt, at, data) VALUES (?, ?, ?, 1, ?, ?)",
                (run_id, seq, kind, 1.7e9, json.dumps(data)),
            )

    def fill(self, name: str, values: dict[str, list[float | None]]) -> list[str]:
        """Finished runs: variant -> a value for each of the study's seeds; None leaves the cell missing."""
        planned = self.planned(name)
        made = []
        for variant in planned.variants:
            for seed, value in zip(planned.seeds, values.get(variant.name, []), strict=False):
                if value is not None:
                    made.append(self.run(variant, seed, value))
        return made

    def row(self, run_id: str) -> Run:
        return self.lab.run(run_id)
