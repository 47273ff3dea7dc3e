"""What one wants to know beside the curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitui import display
from vitui.text import safe, wrapped
from vitui.tui.theme import Palette
from vitui.tui.views.run import RunView
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.store import Run

NAME_WIDTH, VALUE_WIDTH = 12, 25


def fact_lines(view: RunView, p: Palette) -> list[Line]:
    """What, where, since when, with which code; the runs laid over."""
    run, facts = view.run, view.facts
    config = {s.key: s.value for s in view.recipe}
    git, packages = facts.get("git"), facts.get("packages")
    git = git if isinstance(git, dict) else {}
    packages = packages if isinstance(packages, dict) else {}
    commit = str(git.get("commit") or "")[:10] + (" + changes" if git.get("dirty") else "")
    rows: list[tuple[str, str]] = [
        ("preset", run.preset),
        ("model", run.model),
        ("parameters", display.trained(run).replace(" parameters", "")),
        ("dataset", run.dataset),
        ("optimiser", f"{config.get('optim.name', '')} lr {display.value(config.get('optim.lr'))}"),
        ("batch", display.value(config.get("train.batch_size"))),
        ("precision", display.value(config.get("train.precision"))),
        ("seed", display.value(run.seed)),
        ("", ""),
        ("device", display.device_name(run)),
        ("host", run.host),
        ("attempt", str(run.attempt or "")),
        ("launched", display.moment(run.created)),
        ("started", display.moment(run.started)),
        ("ended", display.moment(run.ended)),
        ("took", display.duration(display.elapsed(run, view.now)) if run.started else ""),
        ("", ""),
        ("commit", commit),
        ("torch, timm", ", ".join(str(packages[k]) for k in ("torch", "timm") if k in packages)),
        ("reference", _reference(view)),
        ("tags", " ".join(run.tags)),
        ("question", run.question),
        ("notes", " ".join(run.notes.split())),
    ]
    lines: list[Line] = []
    for name, value in rows:
        if not name:
            lines.append("")
        elif value.strip() and value != display.percent(None):
            lines += row(name, value, p)
    return lines


def row(name: str, value: str, p: Palette, name_width: int = NAME_WIDTH, width: int = VALUE_WIDTH) -> list[Line]:
    """A name and its value, which goes on in lines of its own where it is long."""
    first, *rest = wrapped(safe(value, 2000), max(2, width)) or [""]
    lines: list[Line] = [[(f"{name:<{name_width}}", p.dim), (first, p.text)]]
    return lines + [[(" " * name_width, p.dim), (part, p.text)] for part in rest[:5]]


def _reference(view: RunView) -> str:
    run: Run = view.run
    found = display.percent(run.reference) if run.reference is not None else run.reference_outcome
    metric, split = view.reference.get("metric"), view.reference.get("split")
    about = f" {metric} on {split}," if found and metric and split else ""
    return f"{found}{about} {run.reference_source}" if found else ""
