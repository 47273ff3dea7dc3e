"""What the events of a run say, in words. Pure; what it gives must still be made safe for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vitui import display


def event_text(kind: str, data: Mapping[str, Any]) -> str:
    """What an event says."""
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
            values = data.get("values")
            entries = values.items() if isinstance(values, Mapping) else ()
            shown = ", ".join(f"{k} {display.number(_number(v))}" for k, v in entries)
            weights = " (average of weights)" if data.get("weights") == "ema" else ""
            return f"{data.get('split', '?')}{weights}: {shown}"
        case "checkpoint":
            best = f", best so far: {data.get('metric')} {display.accuracy(_number(data.get('value')))}"
            return f"{data.get('path', '')}{best if data.get('best') else ''}"
        case "nonfinite":
            what, row = data.get("what", "a value"), data.get("consecutive", "?")
            return f"{what} is not finite, {row} in a row; update skipped"
        case "resumed":
            return f"goes on from {data.get('path', 'its checkpoint')}"
        case "failed":
            return " ".join(str(data[k]) for k in ("error", "remedy") if data.get(k))
        case "finished":
            return f"after {display.duration(_number(data.get('seconds')))} of training"
        case _:
            return str(data.get("message") or data.get("reason") or "")


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
