"""The fields of the run itself: what its row in the database says. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from vitui import display
from vitui.query.fields import Field

if TYPE_CHECKING:
    from vitui.store import Run

EPOCH_WIDTH = 9
STATE_ORDER = ("running", "starting", "queued", "diverged", "failed", "lost", "stopped", "finished")


def _state(run: Run, _: float) -> str:
    word = "held" if run.state == "queued" and run.held else run.state
    if run.stop_requested is not None and run.state in ("starting", "running"):
        word = "stopping"
    return f"{display.GLYPHS.get(run.state, ' ')} {word}"


def _name(run: Run, _: float) -> str:
    return ("★ " if run.star else "") + (run.name or run.id)


def _best(run: Run, _: float) -> str:
    """Marked where the split that selected is the one that reports."""
    return display.accuracy(run.best) + ("†" if run.select_is_report and run.best is not None else "")


def _epochs(run: Run, _: float) -> str:
    """Without the decimal where thousands of epochs leave no room for it."""
    text = display.progress(run)
    if len(text) <= EPOCH_WIDTH or run.epoch is None:
        return text
    return f"{run.epoch:.0f}/{display.epochs(run.total_epochs)}"


def _part(run: Run, _: float) -> float | None:
    return run.epoch / run.total_epochs if run.total_epochs and run.epoch is not None else None


def _gap(run: Run, _: float) -> float | None:
    return None if run.report_best is None or run.reference is None else run.report_best - run.reference


def _gap_text(run: Run, now: float) -> str:
    gap = _gap(run, now)
    if gap is None:
        return ""
    return f"{gap:+.2f}" if math.isfinite(gap) else display.nonfinite(gap)


def _selecting(run: Run) -> tuple[str, ...]:
    return run.dataset, run.selected_on


def _reporting(run: Run) -> tuple[str, ...]:
    return run.dataset, run.report_split


def _optional(value: float | None) -> str:
    return "" if value is None else display.accuracy(value)


def _seconds(value: float | None) -> str:
    return "" if value is None else display.duration(value)


_ALL = (
    Field("state", "state", "text", "queued, starting, running, finished, stopped, ...", lambda r, _: r.state, width=10,
          tone="state", show=_state,
          rank=lambda r, _: STATE_ORDER.index(r.state) if r.state in STATE_ORDER else None),
    Field("name", "name", "text", "the run's name", lambda r, _: r.name or r.id, width=14, grow=32, tone="strong",
          show=_name),
    Field("epoch", "epoch", "number", "epochs done; sorts by the part of all that is done", lambda r, _: r.epoch,
          width=EPOCH_WIDTH, descending=True, rank=_part, show=_epochs),
    Field("last", "last", "number", "latest accuracy on the split that selects", lambda r, _: r.last, unit="%",
          better=1, width=6, descending=True, show=lambda r, _: display.accuracy(r.last), on=_selecting),
    Field("best", "best", "number", "best accuracy on the split that selects; † where that reports, too",
          lambda r, _: r.best, unit="%", better=1, width=7, descending=True, tone="good", show=_best,
          on=_selecting),
    Field("test", "test", "number", "accuracy of the best checkpoint on the split that reports",
          lambda r, _: r.report_best, unit="%", better=1, width=6, descending=True, tone="strong",
          show=lambda r, _: _optional(r.report_best), on=_reporting),
    Field("ref", "ref", "number", "published accuracy", lambda r, _: r.reference, unit="%", width=6, descending=True,
          tone="dim", show=lambda r, _: _optional(r.reference)),
    Field("gap", "gap", "number", "test accuracy above (+) or below (-) the published one", _gap, unit="%", better=1,
          width=7, descending=True, show=_gap_text, on=_reporting),
    Field("eta", "eta", "duration", "time left at the present speed", lambda r, _: display.eta_seconds(r), width=7,
          show=lambda r, _: _seconds(display.eta_seconds(r))),
    Field("preset", "preset", "text", "preset it was made from", lambda r, _: r.preset, width=13, grow=24),
    Field("age", "age", "duration", "time since it was launched", lambda r, now: max(0.0, now - r.created), width=4,
          tone="dim", rank=lambda r, _: -r.created, show=lambda r, now: display.age(r.created, now)),
    Field("dataset", "dataset", "text", "dataset", lambda r, _: r.dataset, width=13, tone="dim"),
    Field("model", "model", "text", "model", lambda r, _: r.model, width=16, grow=32, tone="dim"),
    Field("speed", "img/s", "number", "training images per second", lambda r, _: r.images_per_s or None,
          unit="images/s", better=1, width=7, descending=True, tone="dim",
          show=lambda r, _: display.rate(r.images_per_s) if r.images_per_s else ""),
    Field("device", "device", "text", "where it trains", lambda r, _: display.device_name(r), width=7, tone="dim",
          show=lambda r, _: display.short_device(display.device_name(r))),
    Field("id", "id", "text", "run id", lambda r, _: r.id, width=18, tone="dim", descending=True),
    Field("family", "family", "text", "family of the preset", lambda r, _: r.family, width=12),
    Field("seed", "seed", "number", "random seed", lambda r, _: r.seed, width=5,
          show=lambda r, _: "" if r.seed is None else str(r.seed)),
    Field("took", "took", "duration", "time since it started, until it ended", display.elapsed, width=7,
          show=lambda r, now: _seconds(display.elapsed(r, now))),
    Field("tag", "tags", "words", "tags", lambda r, _: r.tags, width=12, grow=24,
          show=lambda r, _: " ".join(r.tags)),
    Field("star", "star", "flag", "starred", lambda r, _: r.star, width=4, descending=True,
          show=lambda r, _: "★" if r.star else ""),
    Field("notes", "notes", "text", "notes", lambda r, _: r.notes, width=16, grow=40, tone="dim"),
    Field("question", "question", "text", "what the run is to answer", lambda r, _: r.question, width=16, grow=40,
          tone="dim"),
    Field("why", "why", "text", "why it waits, or how it ended", lambda r, _: r.reason or r.evidence, width=16, grow=40,
          tone="dim"),
    Field("epochs", "epochs", "number", "epochs of the whole run", lambda r, _: r.total_epochs, width=6,
          show=lambda r, _: display.epochs(r.total_epochs) if r.total_epochs else ""),
    Field("step", "step", "number", "optimiser steps done", lambda r, _: r.step, width=9, descending=True,
          show=lambda r, _: f"{r.step:,}" if r.step else ""),
    Field("best_epoch", "best at", "number", "epoch of the best accuracy", lambda r, _: r.best_epoch, width=7),
    Field("loss", "loss", "number", "latest training loss", lambda r, _: r.loss, better=-1, width=7),
    Field("top5", "top-5", "number", "best top-5 accuracy on the split that selects", source="top5", unit="%", better=1,
          width=7, descending=True, on=_selecting),
    Field("smooth", "smoothed", "number", "best of the moving average of the accuracy that selects", source="smooth",
          unit="%", better=1, width=8, descending=True, on=_selecting),
    Field("params", "params", "number", "parameters", lambda r, _: r.params, width=6,
          show=lambda r, _: display.count(r.params) if r.params else ""),
    Field("trained", "trained", "number", "parameters that are trained", lambda r, _: r.trainable_params, width=7,
          show=lambda r, _: display.count(r.trainable_params) if r.trainable_params else ""),
    Field("selected_on", "selects", "text", "split that selects the best epoch", lambda r, _: r.selected_on, width=8),
    Field("host", "host", "text", "machine it ran on", lambda r, _: r.host, width=12, tone="dim"),
    Field("attempt", "attempt", "number", "attempts so far", lambda r, _: r.attempt, width=7,
          show=lambda r, _: str(r.attempt)),
    Field("created", "created", "time", "when it was launched", lambda r, _: r.created, width=16, descending=True,
          tone="dim"),
    Field("started", "started", "time", "when it first started", lambda r, _: r.started, width=16, descending=True,
          tone="dim"),
    Field("ended", "ended", "time", "when it ended", lambda r, _: r.ended, width=16, descending=True, tone="dim"),
    Field("archived", "archived", "flag", "archived: hidden unless asked for", lambda r, _: r.archived, width=8),
    Field("study", "studies", "words", "studies it is part of, whoever launched it", source="study", width=12, grow=24),
    Field("recipe", "recipe", "text", "same for runs whose recipes differ in the seed alone",
          lambda r, _: r.recipe_fingerprint or None, width=12, tone="dim"),
)  # fmt: skip

RUN_FIELDS: dict[str, Field] = {field.key: field for field in _ALL}
ALIASES: dict[str, str] = {
    "acc": "best", "acc1": "best", "top1": "best", "accuracy": "best", "acc5": "top5",
    "report": "test", "reference": "ref", "published": "ref",
    "tags": "tag", "studies": "study", "note": "notes", "starred": "star", "images_per_s": "speed", "img/s": "speed",
    "lr": "optim.lr", "batch": "train.batch_size", "batch_size": "train.batch_size", "wd": "optim.weight_decay",
    "weight_decay": "optim.weight_decay", "opt": "optim.name", "optimizer": "optim.name", "optimiser": "optim.name",
    "schedule": "schedule.name", "warmup": "schedule.warmup_epochs", "mixup": "mix.mixup", "cutmix": "mix.cutmix",
    "dropout": "regularize.dropout", "drop_path": "regularize.drop_path", "ema": "regularize.ema",
    "img_size": "data.img_size", "precision": "train.precision",
}  # fmt: skip
"""Other names of fields."""
