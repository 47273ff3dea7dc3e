"""Which series of a run go into which chart. Pure."""

from __future__ import annotations

from vitui.tui.series import Series
from vitui.tui.views.run import RunView
from vitui.tui.widgets.plot import Level, Trace


def loss_chart(view: RunView) -> tuple[list[Trace], list[Level]]:
    """Training loss, dense and therefore smoothed, and the loss on the evaluated splits."""
    traces = []
    if "train/loss" in view.series:
        traces.append(Trace(view.series["train/loss"], "train", smooth=True))
    traces += [
        Trace(series, _label(key))
        for key, series in _ordered(view)
        if _quantity(key) in ("loss", "ema_loss") and not key.startswith("train/")
    ]
    return traces, []


def accuracy_chart(view: RunView, with_top5: bool = False) -> tuple[list[Trace], list[Level]]:
    """Top-1 (and top-5) of every evaluated split, of the averaged weights too, and the published value."""
    wanted = ("top1", "ema_top1", "top5", "ema_top5") if with_top5 else ("top1", "ema_top1")
    traces = [Trace(series, _label(key)) for key, series in _ordered(view) if _quantity(key) in wanted]
    run = view.run
    levels = [] if run.reference is None else [Level(run.reference, "ref")]
    return traces, levels


def last_step(view: RunView) -> float:
    """The last step any series knows."""
    return max((float(s.step[-1]) for s in view.series.values() if len(s)), default=0.0)


def _ordered(view: RunView) -> list[tuple[str, Series]]:
    """Series with those of the selecting split first: letters and colours then stay when the final ones arrive."""
    selecting = f"{view.run.selected_on}/"
    return sorted(view.series.items(), key=lambda item: (not item[0].startswith(selecting), item[0]))


def _quantity(key: str) -> str:
    return key.rpartition("/")[2]


def _label(key: str) -> str:
    """``minival/ema_top1`` -> ``minival ema``; ``test/top5`` -> ``test top5``."""
    split, _, quantity = key.rpartition("/")
    words = [w for w in quantity.split("_") if w not in ("top1", "loss")]
    return " ".join([split, *words])
