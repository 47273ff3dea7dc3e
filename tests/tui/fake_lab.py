"""A lab in memory, for tests of layout, keys and drawing. The real lab is under test elsewhere."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from engine.journal import RunDir
from vitui import evidence
from vitui.errors import Busy, NotFound
from vitui.labels import edited_tags
from vitui.occupancy import occupancy
from vitui.query.fields import Field, Fields
from vitui.store import LIVE, WAITING, Run
from vitui.store.metrics import Eval, Extent
from vitui.supervisor.devices import Device, Inventory

NOW = 1_795_000_000.0
"""The frozen present of snapshots."""
FINISHED, RUNNING, DIVERGED, QUEUED, FAILED = (
    "261117-164010-qd7k", "261117-191210-m3xw", "261116-233005-tp9a", "261117-191500-z8bc", "261115-101500-hh2e",
)  # fmt: skip

_NUMBERS = {"state_at": NOW, "created": NOW - 3600, "gpus": 1, "attempt": 1, "epoch": 0.0, "step": 0,
            "journal_offset": 0, "journal_skipped": 0, "metric": "top1", "device": "auto"}  # fmt: skip
_FLAGS = {"select_is_report", "star", "archived", "held"}


def run(run_id: str, **values: Any) -> Run:
    """A row with everything not named empty."""
    row: dict[str, Any] = {}
    for name, kind in Run.__annotations__.items():
        row[name] = (
            _NUMBERS[name] if name in _NUMBERS
            else False if name in _FLAGS
            else None if "None" in str(kind)
            else () if name == "tags"
            else ""
        )  # fmt: skip
    return Run(**{**row, "id": run_id, "name": run_id, "state": "finished", **values})


@dataclass
class Curve:
    steps: np.ndarray
    values: np.ndarray
    at: np.ndarray


@dataclass
class Event:
    kind: str
    at: float
    step: int | None = None
    epoch: float | None = None
    data: dict[str, Any] = field(default_factory=dict)
    attempt: int = 1


class FakeLab:
    """Behaves like vitui.lab.Lab as far as the terminal app uses it. `calls` records what was asked for."""

    def __init__(self, home: Path, rows: list[Run] | None = None) -> None:
        self.home = home
        self.messages: list[str] = []
        self.rows = {r.id: r for r in rows or []}
        self.curves: dict[str, dict[str, Curve]] = {}
        self.journal: dict[str, list[Event]] = {}
        self.recipes: dict[str, dict[str, Any]] = {}
        self.label_files: dict[str, dict[str, Any]] = {}
        self.facts: dict[str, dict[str, Any]] = {}
        self.paused: str | None = None
        self.calls: list[tuple[str, str]] = []
        self.broken: Exception | None = None
        self.readers: set[str] = set()
        self.machine = Inventory((Device("cpu", -1, "2 cores", 1, 16 << 30, 12 << 30),))
        self.calls_for_values: list[str] = []
        self._token = 1

    def change(self, run_id: str, **values: Any) -> None:
        old = self.rows[run_id]
        self.rows[run_id] = old._replace(**values)
        self._token += 1

    def add(self, row: Run) -> None:
        self.rows = {row.id: row, **self.rows}
        self._token += 1

    def touch(self) -> None:
        self._token += 1

    # What the app calls, all of it from threads.

    def _reading(self) -> None:
        self.readers.add(threading.current_thread().name)
        if self.broken is not None:
            raise self.broken

    def changes_token(self) -> int:
        self._reading()
        return self._token

    def runs(
        self, *, states: Any = None, text: Any = None, include_archived: bool = False, limit: Any = None
    ) -> list[Run]:
        self._reading()
        return [
            r for r in self.rows.values()
            if (states is None or r.state in states) and (include_archived or not r.archived)
        ]  # fmt: skip

    def run(self, run_id: str) -> Run:
        self._reading()
        if run_id not in self.rows:
            raise NotFound(f"no run {run_id}")
        return self.rows[run_id]

    def values(self, field: Field, run_ids: Any = None, *, until: float | None = None) -> dict[str, Any]:
        self._reading()
        self.calls_for_values.append(field.key)
        out: dict[str, Any] = {}
        for run_id in self.rows if run_ids is None else run_ids:
            value = self.recipes.get(run_id, {}).get(field.series)
            curve = self.curves.get(run_id, {}).get(field.series or f"{self.rows[run_id].selected_on}/top1")
            if field.source != "recipe" and curve is not None and len(curve.values):
                value = float(curve.values[-1] if field.source == "last" else np.nanmax(curve.values))
            if value is not None:
                out[run_id] = value
        return out

    def fields(self) -> Fields:
        recipe = dict.fromkeys((key for one in self.recipes.values() for key in one), "recipe field")
        return Fields(recipe, {key for one in self.curves.values() for key in one})

    def differing(self, run_ids: Any) -> list[str]:
        keys = sorted({key for run_id in run_ids for key in self.recipes.get(run_id, {})})
        return [k for k in keys if len({repr(self.recipes.get(i, {}).get(k)) for i in run_ids}) > 1]

    def queue(self) -> Any:
        return SimpleNamespace(paused=self.paused, waiting=[], worker_alive=True, worker_pid=1)

    def inventory(self) -> Inventory:
        return self.machine

    def occupancy(self, found: Inventory | None = None) -> Any:
        live = [r for r in self.rows.values() if r.state in LIVE]
        return occupancy((found or self.machine).devices, live, {}), (found or self.machine).trouble

    def study_files(self) -> dict[str, Path]:
        return {}

    def scoreboard(self) -> list[Any]:
        return []

    def worker_log(self, lines: int) -> tuple[str, ...]:
        return ("the worker has started",)[:lines]

    def keys(self, run_id: str) -> list[str]:
        return list(self.curves.get(run_id, {}))

    def extents(self, run_id: str) -> dict[str, Any]:
        resumed = len(self.events(run_id, {"resumed"}))
        return {
            key: Extent(len(c.steps), int(c.steps[-1]) if len(c.steps) else 0, float(c.at[-1]) if len(c.at) else 0.0, resumed)
            for key, c in self.curves.get(run_id, {}).items()
        }  # fmt: skip

    def curve(self, run_id: str, key: str, step_min: float | None = None, step_max: float | None = None) -> Curve:
        none = np.zeros(0)
        c = self.curves.get(run_id, {}).get(key, Curve(none, none, none))
        keep = (c.steps >= (step_min or 0)) & (c.steps <= (math.inf if step_max is None else step_max))
        return Curve(c.steps[keep], c.values[keep], c.at[keep])

    def envelope(self, run_id: str, key: str, buckets: int = 2000, **window: float) -> Any:
        c = self.curve(run_id, key, **window)
        parts = np.array_split(np.arange(len(c.steps)), min(buckets, max(1, len(c.steps))))
        with np.errstate(all="ignore"):
            values = [c.values[i] for i in parts]
            return SimpleNamespace(
                step_first=np.array([c.steps[i[0]] for i in parts]), step_last=np.array([c.steps[i[-1]] for i in parts]),
                at_first=np.array([c.at[i[0]] for i in parts]), at_last=np.array([c.at[i[-1]] for i in parts]),
                first=np.array([v[0] for v in values]), last=np.array([v[-1] for v in values]),
                min=np.array([np.nanmin(v) for v in values]), max=np.array([np.nanmax(v) for v in values]),
                mean=np.array([np.nanmean(v) for v in values]), count=np.array([len(v) for v in values], dtype=float),
                nan_count=np.array([float(np.sum(~np.isfinite(v))) for v in values]),
            )  # fmt: skip

    def events(self, run_id: str, kinds: Any = None) -> list[Event]:
        return [e for e in self.journal.get(run_id, []) if kinds is None or e.kind in kinds]

    def evals(self, run_id: str) -> list[Eval]:
        return [
            Eval(
                e.step or 0,
                e.epoch,
                d["split"],
                d["weights"],
                d.get("role", "select"),
                d.get("images"),
                e.at,
                d["values"],
            )
            for e in self.journal.get(run_id, [])
            if e.kind == "eval" and (d := e.data)
        ]

    def config(self, run_id: str) -> dict[str, Any]:
        return self.recipes.get(run_id, {})

    def labels(self, run_id: str) -> dict[str, Any]:
        return self.label_files.get(run_id, {})

    def provenance(self, run_id: str) -> dict[str, Any]:
        return self.facts.get(run_id, {})

    def attempts(self, run_id: str) -> list[Any]:
        return evidence.attempts(self.run_dir(run_id))

    def checkpoints(self, run_id: str) -> list[tuple[str, int]]:
        return evidence.file_sizes(self.run_dir(run_id).checkpoints)

    def run_dir(self, run_id: str) -> RunDir:
        return RunDir(self.home / "runs" / run_id)

    def stop(self, run_id: str) -> None:
        self.calls.append(("stop", run_id))
        if self.rows[run_id].state not in LIVE | WAITING:
            raise Busy(f"run {run_id} has already ended ({self.rows[run_id].state})")
        self.change(run_id, stop_requested=NOW)

    def set_notes(self, run_id: str, notes: str) -> None:
        self.calls.append(("note", run_id))
        self.change(run_id, notes=notes)

    def add_note(self, run_id: str, line: str) -> None:
        self.set_notes(run_id, f"{self.run(run_id).notes}\n{line}".lstrip("\n"))

    def set_name(self, run_id: str, name: str) -> None:
        self.calls.append(("name", run_id))
        self.change(run_id, name=name)

    def edit_tags(self, run_id: str, text: str, *, replace: bool = False) -> None:
        self.calls.append(("tags", run_id))
        self.change(run_id, tags=tuple(edited_tags(text, self.run(run_id).tags, replace=replace)))

    def set_star(self, run_id: str, star: bool) -> None:
        self.calls.append(("star", run_id))
        self.change(run_id, star=star)

    def set_archived(self, run_id: str, archived: bool) -> None:
        self.calls.append(("archive", run_id))
        self.change(run_id, archived=archived)

    def size(self, run_id: str) -> int:
        return 1 << 20

    def delete(self, run_ids: Any) -> None:
        for run_id in run_ids:
            self.calls.append(("delete", run_id))
            if self.run(run_id).state in LIVE | WAITING:
                raise Busy(f"run {run_id} is {self.rows[run_id].state}; stop it first, then it can be deleted")
            del self.rows[run_id]
        self.touch()

    def rerun(self, run_id: str, seeds: str = "", **given: Any) -> list[str]:
        self.calls.append((f"rerun {seeds}".strip(), run_id))
        return [run_id]

    def command_of(self, run_id: str) -> str:
        return f"vitui run {self.rows[run_id].preset}"

    def recipe_text(self, run_id: str) -> str:
        return "seed = 0\n"

    def resume(self, run_id: str) -> None:
        self.calls.append(("resume", run_id))
        self.change(run_id, state="queued", position=1, reason="", evidence="")


def train(lab: FakeLab, run_id: str, steps: int, total: int, per_epoch: int, *, final: float, start: float,
          split: str = "minival", seed: int = 0, nan_from: int | None = None) -> None:  # fmt: skip
    """Curves of a run as a training would leave them, `steps` long."""
    rng = np.random.default_rng(seed)
    step = np.arange(1, steps + 1, dtype=np.float64)
    part = step / total
    level = 2.3 * np.exp(-5 * part) + 0.55
    loss = level + rng.normal(0, 0.12, steps) * (0.4 + np.exp(-4 * part))
    at = start + step * 0.045
    if nan_from is not None:
        loss[nan_from - 40 : nan_from] *= np.geomspace(1, 12, 40)
        loss[nan_from:] = math.nan
    epochs = np.arange(per_epoch, steps + 1, per_epoch, dtype=np.float64)
    done = epochs / total
    top1 = final * (1 - 0.85 * np.exp(-6 * done)) + rng.normal(0, 0.5, len(epochs)) * np.exp(-2 * done)
    eval_loss = 2.2 * np.exp(-5 * done) + 0.6 + rng.normal(0, 0.01, len(epochs))
    when = start + epochs * 0.045
    lr = 2e-3 * 0.5 * (1 + np.cos(np.pi * part))
    lab.curves[run_id] = {
        "train/loss": Curve(step, loss, at),
        "train/lr": Curve(step, lr, at),
        f"{split}/top1": Curve(epochs, top1, when),
        f"{split}/top5": Curve(epochs, np.minimum(100, 100 - (100 - top1) / 6), when),
        f"{split}/loss": Curve(epochs, eval_loss, when),
    }
    events = [
        Event("started", start, data={"host": "gpu-box", "device": "cpu", "pid": 4711}),
        Event("phase", start + 0.1, data={"name": "building"}),
        Event("model", start + 1, data={"name": "vit_tiny_patch16_224", "params": 207_882}),
        Event("data", start + 1, data={"dataset": "digits", "train_images": 1294, "select_split": split, "report_split": "test"}),
        Event("phase", start + 1.5, data={"name": "training"}),
    ]  # fmt: skip
    for e, t, v, el in zip(epochs, when, top1, eval_loss, strict=True):
        number = e / per_epoch
        values = {"top1": round(float(v), 2), "loss": round(float(el), 4)}
        events.append(Event("eval", float(t), int(e), number, {"split": split, "weights": "model", "values": values}))
        events.append(
            Event("checkpoint", float(t) + 0.1, int(e), number,
                  {"path": "checkpoints/last.pt", "best": bool(v == top1[: int(number)].max()), "metric": "top1", "value": float(v)})
        )  # fmt: skip
    lab.journal[run_id] = events


RECIPE = {
    "model.name": "vit_tiny_patch16_224", "model.pretrained": False, "model.options.embed_dim": 64,
    "model.options.depth": 4, "model.options.num_heads": 4, "model.options.patch_size": 2, "data.dataset": "digits",
    "data.img_size": 8, "data.minival": 0.1, "augment.hflip": 0.0, "augment.crop": "none", "mix.mixup": 0.2,
    "mix.cutmix": 0.0, "regularize.label_smoothing": 0.1, "regularize.ema": 0.0, "optim.name": "adamw",
    "optim.lr": 0.002, "optim.weight_decay": 0.05, "optim.betas": [0.9, 0.999], "schedule.name": "cosine",
    "schedule.warmup_epochs": 1.0, "train.epochs": 30, "train.batch_size": 32, "train.precision": "fp32",
    "train.seed": 0, "evaluate.every_epochs": 1,
}  # fmt: skip

LOG = [
    "vitui engine 0.1.0, torch 2.15.0, timm 1.0.31, cpu, 2 threads",
    "digits: 1,294 training images, 143 to select on, 360 to report on",
    "\x1b[32mmodel\x1b[0m vit_tiny_patch16_224: 207,882 parameters",
]


def populated(home: Path) -> FakeLab:
    """A lab as it looks after a week: one run of every kind."""
    common = {"preset": "demo-digits", "family": "demo", "model": "vit_tiny_patch16_224", "dataset": "digits",
              "params": 207_882, "seed": 0, "batch_size": 32, "total_epochs": 30, "steps_per_epoch": 41, "total_steps": 1230,
              "selected_on": "minival", "report_split": "test", "reference": 97.0,
              "reference_source": "this program's own demo", "placed": "cpu", "host": "gpu-box"}  # fmt: skip
    cifar = {**common, "preset": "demo-cifar10", "dataset": "cifar10", "total_epochs": 6, "steps_per_epoch": 382,
             "total_steps": 2292, "reference": None, "reference_source": "", "params": 210_442}  # fmt: skip
    rows = [
        run(QUEUED, name="digits seed 1", state="queued", created=NOW - 40, **{**common, "placed": "", "seed": 1},
            reason="the CPU is busy with 261117-191210-m3xw", position=1),
        run(RUNNING, name="digits mixup 0.2", state="running", created=NOW - 75, started=NOW - 62, epoch=18.6,
            step=763, images_per_s=734.2, last=95.8, best=96.5, best_epoch=17, best_step=697, loss=0.712, tags=("mixup",),
            journal_offset=1, **common),
        run(FINISHED, name="demo-digits", created=NOW - 9300, started=NOW - 9290, ended=NOW - 9232, epoch=30.0, step=1230,
            images_per_s=741.0, last=97.9, best=98.6, best_epoch=27, best_step=1107, report_best=97.78, report_last=97.5,
            tags=("baseline", "paper"), star=True, journal_offset=1, **common),
        run(DIVERGED, name="cifar10 lr 0.5", state="diverged", created=NOW - 71_000, started=NOW - 70_990,
            ended=NOW - 70_800, epoch=3.4, step=1300, last=41.2, best=44.1, best_epoch=2, best_step=764,
            evidence="NaN at epoch 3.4, step 1300; best top1 44.10 (epoch 2)", journal_offset=1, **cifar),
        run(FAILED, name="imagefolder pets", state="failed", created=NOW - 205_000, started=NOW - 204_990,
            ended=NOW - 204_900, epoch=0.4, step=12, evidence="killed by SIGKILL at step 12 (not asked for by vitui)",
            **{**common, "dataset": "pets", "preset": "demo-imagefolder", "total_epochs": 20, "reference": None}),
        run("261114-081200-vv3c", name="fashion baseline", state="finished", created=NOW - 260_000,
            started=NOW - 259_990, ended=NOW - 259_800, epoch=3.0, step=1377, images_per_s=912.0, last=87.6, best=87.6,
            best_epoch=3, report_best=86.91, select_is_report=True,
            **{**common, "dataset": "fashion-mnist", "preset": "demo-fashion-mnist", "total_epochs": 3,
               "selected_on": "test", "reference": None}),
        run("261113-200000-kk9d", name="cifar10 stopped halfway", state="stopped", created=NOW - 340_000,
            started=NOW - 339_990, ended=NOW - 339_800, epoch=2.7, step=1031, last=52.3, best=52.3, best_epoch=2,
            evidence="asked to stop; checkpoint at step 1031", **cifar),
        run("261112-030000-ww4f", name="cifar10 overnight", state="lost", created=NOW - 420_000, started=NOW - 419_990,
            ended=NOW - 419_000, epoch=4.1, step=1566, last=58.0, best=58.0, best_epoch=4,
            evidence="its process is gone without a word (the machine was started again)", **cifar),
    ]  # fmt: skip
    lab = FakeLab(home, rows)
    train(lab, RUNNING, 763, 1230, 41, final=96.6, start=NOW - 60, seed=1)
    train(lab, FINISHED, 1230, 1230, 41, final=98.4, start=NOW - 9290, seed=2)
    train(lab, DIVERGED, 1303, 2292, 382, final=62.0, start=NOW - 70_990, seed=3, nan_from=1300)
    lab.journal[DIVERGED].append(Event("nonfinite", NOW - 70_900, 1300, 3.4, {"what": "loss", "consecutive": 3}))
    lab.journal[DIVERGED].append(
        Event("diverged", NOW - 70_890, 1300, 3.4, {"reason": "loss is NaN three times in a row"})
    )
    for run_id in (RUNNING, FINISHED, DIVERGED):
        lab.recipes[run_id] = RECIPE
        lab.label_files[run_id] = {
            "changes": [{"key": "mix.mixup", "before": 0.0, "after": 0.2}], "origins": {"mix.mixup": "--toggle mixup"},
        }  # fmt: skip
        if lab.rows[run_id].reference is not None:
            lab.label_files[run_id]["reference"] = {"metric": "top1", "split": "test", "value": 97.0}
        lab.facts[run_id] = {
            "git": {"commit": "3f9c2d81b04ad", "dirty": True},
            "packages": {"torch": "2.15.0", "timm": "1.0.31"},
        }
        folder = lab.run_dir(run_id).path
        folder.mkdir(parents=True)
        epochs = [f"epoch {n:2d}/30  loss {2.3 * math.exp(-n / 6) + 0.6:.3f}  top1 {96 - 80 * math.exp(-n / 4):.2f}  734 img/s"
                  for n in range(1, 19)]  # fmt: skip
        lab.run_dir(run_id).console.write_text("\n".join([*LOG, *epochs]) + "\n", encoding="utf-8")
    return lab
