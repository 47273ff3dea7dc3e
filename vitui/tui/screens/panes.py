"""Lines of the Run screen's panes: recipe, events, facts. Pure: a view in, styled lines out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vitui import display
from vitui.text import safe
from vitui.tui import format, words
from vitui.tui.theme import Palette
from vitui.tui.views.run import RunView, Setting
from vitui.tui.widgets.lines import Line

if TYPE_CHECKING:
    from vitui.store import Run
    from vitui.store.metrics import Event

KEY_WIDTH = 30
VALUE_WIDTH = 12


def recipe_lines(settings: tuple[Setting, ...], p: Palette) -> list[Line]:
    """What differs from the preset first, then every field; a changed one is marked and shows the preset's value."""
    lines: list[Line] = []
    changed = [s for s in settings if s.changed]
    if changed:
        lines.append([("Changed against the preset", p.strong)])
        lines += [_setting(s, p, with_origin=True) for s in changed]
        lines.append("")
    elif settings:
        lines += [[("As the preset says, nothing changed", p.strong)], ""]
    section = ""
    for setting in settings:
        head = setting.key.split(".")[0]
        if head != section:
            if section:
                lines.append("")
            lines.append([(safe(head, 40), p.strong)])
            section = head
        lines.append(_setting(setting, p))
    return lines


def _setting(setting: Setting, p: Palette, *, with_origin: bool = False) -> Line:
    mark, style = ("≠ ", p.warn) if setting.changed else ("  ", p.text)
    parts = [(mark, p.warn), (f"{safe(setting.key, KEY_WIDTH):<{KEY_WIDTH}} ", p.dim)]
    value = safe(display.value(setting.value), 200)
    parts.append((value.ljust(VALUE_WIDTH) if setting.changed else value, style))
    if setting.changed:
        parts.append((f" preset: {safe(display.value(setting.before), 100)}", p.dim))
        if with_origin and setting.origin:
            parts.append((f"   by {safe(setting.origin, 60)}", p.dim))
    return parts


_TONES = {
    "finished": "good", "checkpoint": "dim", "eval": "text", "phase": "dim", "warning": "warn", "nonfinite": "bad",
    "diverged": "bad", "failed": "bad", "stopped": "warn", "resumed": "key", "started": "key",
}  # fmt: skip


def event_lines(events: tuple[Event, ...], p: Palette, width: int) -> list[Line]:
    """One line an event: when, where in training, what; below 120 cells without date and step."""
    roomy = width >= 120
    lines: list[Line] = []
    for event in events:
        tone = getattr(p, _TONES.get(event.kind, "text"))
        clock = time.strftime("%Y-%m-%d %H:%M:%S" if roomy else "%H:%M:%S", time.localtime(event.at))
        epoch = "" if event.epoch is None else f"epoch {event.epoch:.4g}"
        step = "" if event.step is None or not roomy else f"step {event.step:,}"
        lines.append(
            [
                (f"{clock}  {epoch:<13}{f'{step:<14}' if roomy else ''}", p.dim),
                (f"{safe(event.kind, 12):<12}", tone),
                (safe(event_text(event.kind, event.data), 400), p.text),
            ]
        )
    return lines


def event_text(kind: str, data: Mapping[str, Any]) -> str:
    """What an event says, in words."""
    match kind:
        case "started":
            return f"attempt started on {data.get('host', '?')} ({data.get('device', '?')}, pid {data.get('pid', '?')})"
        case "phase":
            return str(data.get("name", ""))
        case "model":
            params, part = _number(data.get("params")), _number(data.get("trainable_params"))
            trained = "" if part in (None, params) else f", {display.count(part)} trained"
            return f"{data.get('name', '?')}, {display.count(params)} parameters{trained}"
        case "data":
            return (
                f"{data.get('dataset', '?')}: {display.count(_number(data.get('train_images')))} training images, "
                f"selects on {data.get('select_split', '?')}, reports on {data.get('report_split', '?')}"
            )
        case "eval":
            values = data.get("values") or {}
            shown = ", ".join(f"{k} {format.number(_number(v))}" for k, v in values.items())
            weights = " (average of weights)" if data.get("weights") == "ema" else ""
            return f"{data.get('split', '?')}{weights}: {shown}"
        case "checkpoint":
            best = f", best so far: {data.get('metric')} {format.accuracy(_number(data.get('value')))}"
            return f"{data.get('path', '')}{best if data.get('best') else ''}"
        case "nonfinite":
            what, row = data.get("what", "a value"), data.get("consecutive", "?")
            return f"{what} is not finite, {row} in a row; update skipped"
        case "resumed":
            return f"goes on from {data.get('path', 'its checkpoint')}"
        case "failed":
            return " ".join(str(data[k]) for k in ("error", "remedy") if data.get(k))
        case "finished":
            return f"in {display.duration(_number(data.get('seconds')))}"
        case _:
            return str(data.get("message") or data.get("reason") or "")


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def fact_lines(view: RunView, p: Palette) -> list[Line]:
    """What one wants to know beside the curves: what, where, since when, with which code."""
    run, facts = view.run, view.facts
    config = {s.key: s.value for s in view.recipe}
    git = facts.get("git") or {}
    commit = str(git.get("commit") or "")[:10] + (" + changes" if git.get("dirty") else "")
    packages = facts.get("packages") or {}
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
        ("launched", _moment(run.created)),
        ("started", _moment(run.started)),
        ("ended", _moment(run.ended)),
        ("took", display.duration(words.elapsed(run, view.now)) if run.started else ""),
        ("", ""),
        ("commit", commit),
        ("torch, timm", ", ".join(str(packages[k]) for k in ("torch", "timm") if k in packages)),
        ("reference", _reference(run)),
        ("tags", " ".join(run.tags)),
        ("question", run.question),
        ("notes", " ".join(run.notes.split())),
    ]
    lines: list[Line] = []
    for name, value in rows:
        if not name:
            lines.append("")
        elif value.strip() and value != display.percent(None):
            # The panel is narrow: a long value goes on in lines of its own.
            first, *rest = _wrapped(safe(value, 400), 25)
            lines.append([(f"{name:<12}", p.dim), (first, p.text)])
            lines += [[(" " * 12, p.dim), (part, p.text)] for part in rest[:5]]
    return lines


def _reference(run: Run) -> str:
    found = display.percent(run.reference) if run.reference is not None else run.reference_outcome
    return f"{found} {run.reference_source}" if found else ""


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width, break_on_hyphens=False) or [""]


def _moment(at: float | None) -> str:
    return "" if at is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))
