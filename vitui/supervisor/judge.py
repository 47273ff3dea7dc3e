"""The verdict on a run from its directory alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine import journal
from engine.journal import RunDir
from vitui.supervisor.facts import facts
from vitui.supervisor.verdict import Verdict, verdict


def read_exit(attempt_dir: Path) -> dict[str, Any] | None:
    """exit.json of an attempt; None when it is missing; empty when it cannot be read."""
    value = journal.read_json(attempt_dir / "exit.json")
    if isinstance(value, dict):
        return value
    return {} if (attempt_dir / "exit.json").exists() else None


def end_columns(found: Verdict, exit: Mapping[str, Any]) -> dict[str, Any]:
    """What the row of an ended run says about its exit, the same whether the worker or a rebuild writes it."""
    asked = exit.get("at") if exit.get("reason") == "dequeued" else exit.get("stop_requested")
    return {
        "exit_code": found.exit_code,
        "exit_signal": found.exit_signal,
        "stop_requested": asked if isinstance(asked, int | float) else None,
    }


def judge(run_dir: RunDir) -> tuple[str, str, dict[str, Any]]:
    """(state, evidence, columns) of a run, as rebuilding the database needs them.

    Judges the newest attempt that ran. A run without one is "queued"; one whose processes may still live is
    "running", for the worker to look at.
    """
    numbers = run_dir.attempt_numbers()
    launched = [number for number in numbers if (run_dir.attempt(number) / "launch.json").exists()]
    for attempt in reversed(numbers):
        exit = read_exit(run_dir.attempt(attempt))
        if exit is None and attempt not in launched:
            continue
        found = verdict(exit, facts(run_dir.journal, attempt), alive=True, rebooted=False)
        if found is None:
            columns = _start_columns(run_dir, attempt)
            handle = {"run": run_dir.id, "attempt": attempt, "places": columns.pop("places")}
            return "running", "", {**columns, "handle": handle}
        if found.state == "queued":
            continue
        exit = exit or {}
        if exit.get("reason") == "dequeued":  # the row keeps the last attempt that was one
            attempt = max(launched, default=0)
        columns = {"attempt": attempt} if exit.get("reason") == "dequeued" else _start_columns(run_dir, attempt)
        columns.pop("places", None)
        times = {"ended": found.at, "state_at": found.at}
        return found.state, found.evidence, {**columns, **end_columns(found, exit), **times}
    return "queued", "", {}


def _start_columns(run_dir: RunDir, attempt: int) -> dict[str, Any]:
    """Where an attempt was put, from its spec.json."""
    spec = journal.read_json(run_dir.attempt(attempt) / "spec.json")
    if not isinstance(spec, dict):
        spec = {}
    return {
        "attempt": attempt,
        "launcher": "local",
        "placed": str(spec.get("device", "")),
        "host": str(spec.get("host", "")),
        "places": spec.get("places", []),
    }
