"""How an attempt ended, from what it left behind: a pure function.

Order of truth: exit.json (what the kernel told the runner), the journal (what the trainer said), silence. The journal
says *what* ended (finished, stopped, diverged, failed); `finished` counts only with exit code 0. Where nobody saw the
exit, the worker writes an exit.json of its own, so that a rebuilt database tells the same story.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine import journal
from vitui.supervisor.facts import Facts

OUTSIDE_SIGNALS: Final = frozenset({signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT})
"""Signals that somebody sends; the others are the trainer's own crash."""

DEQUEUED: Final = "stopped while it waited"


@dataclass(frozen=True, slots=True)
class Verdict:
    """State to move to, why in words, and the facts worth a column. `at` in Unix seconds.

    state "queued" means that the attempt never ran and the run may be started again.
    """

    state: str
    evidence: str
    exit_code: int | None = None
    exit_signal: int | None = None
    at: float | None = None
    own_fault: bool = False
    """A failure of the run or the machine rather than somebody's deliberate act: counts towards pausing the queue."""


def verdict(exit: Mapping[str, Any] | None, seen: Facts, *, alive: bool, rebooted: bool) -> Verdict | None:
    """The verdict on one attempt; None while it goes on.

    `exit`: content of exit.json; `seen`: the journal's facts about this attempt; `alive`: whether its runner or
    trainer runs; `rebooted`: whether the machine has restarted since it was launched.
    """
    if exit is None:
        return None if alive else _unseen(seen, "reboot" if rebooted else "gone", None)
    at = _float(exit.get("at"))
    reason = exit.get("reason")
    asked = exit.get("stop_requested") is not None
    if reason == "lease":
        return Verdict("queued", "the device was taken by another process", at=at)
    if reason == "dequeued":
        return Verdict("stopped", DEQUEUED, at=at)
    if reason == "unstarted":
        return Verdict("stopped", "stopped before training began", at=at)
    if reason == "spawn":
        return Verdict("failed", str(exit.get("error") or "could not be started"), at=at, own_fault=True)
    if reason in ("gone", "reboot"):
        return _unseen(seen, str(reason), exit)
    code, signum = exit.get("code"), exit.get("signal")
    if isinstance(signum, int):
        return _signalled(exit, seen, signum, asked, at)
    if isinstance(code, int):
        return _exited(exit, seen, code, asked, at)
    return Verdict("lost", f"exit.json does not say how it ended{_progress(seen)}", at=at)


def _exited(exit: Mapping[str, Any], seen: Facts, code: int, asked: bool, at: float | None) -> Verdict:
    kind = seen.terminal["kind"] if seen.terminal else None
    if kind == "finished":
        if code == journal.EXIT_FINISHED:
            return Verdict("finished", _said(seen), code, at=at)
        text = f"finished training, then exited with code {code} instead of 0; see its log"
        return Verdict("failed", text, code, at=at, own_fault=True)
    if kind == "stopped" or (kind is None and code == journal.EXIT_STOPPED):
        text = _said(seen) if kind else f"stopped (exit code {code}){_progress(seen)}"
        return Verdict("stopped", text, code, at=at)
    if kind == "diverged" or (kind is None and code == journal.EXIT_DIVERGED):
        text = _said(seen) if kind else f"diverged (exit code {code}){_progress(seen)}"
        return Verdict("diverged", text, code, at=at)
    if kind == "failed":
        return Verdict("failed", _said(seen), code, at=at, own_fault=True)
    if asked and code != 0:
        return Verdict("stopped", f"stopped as asked, with exit code {code}{_progress(seen)}", code, at=at)
    if code == journal.EXIT_FINISHED:
        text = f"exited with code 0 without having finished{_progress(seen)}"
    else:
        text = f"exited with code {code}{_progress(seen)}; see its log"
    return Verdict("failed", text, code, at=at, own_fault=True)


def _signalled(exit: Mapping[str, Any], seen: Facts, signum: int, asked: bool, at: float | None) -> Verdict:
    name, kind = _signal_name(signum), seen.terminal["kind"] if seen.terminal else None
    oom = exit.get("oom")
    if exit.get("killed_after_grace"):
        waited = _float(exit.get("grace_s"))
        after = f" {waited:g} s" if waited is not None else ""
        text = f"killed{after} after it was asked to stop and did not{_progress(seen)}"
        return Verdict("stopped", text, exit_signal=signum, at=at)
    if exit.get("killed_at_once"):
        return Verdict("stopped", f"killed at once, as asked{_progress(seen)}", exit_signal=signum, at=at)
    if kind in ("stopped", "diverged"):
        return Verdict(str(kind), f"{_said(seen)}; then died by {name}", exit_signal=signum, at=at)
    if kind == "failed":
        return Verdict("failed", _said(seen), exit_signal=signum, at=at, own_fault=True)
    if kind == "finished":
        text = f"finished training, then died by {name} while shutting down; see its log"
        return Verdict("failed", text, exit_signal=signum, at=at, own_fault=True)
    if isinstance(oom, Mapping) and signum == signal.SIGKILL and ("log" in oom or ("group" in oom and not asked)):
        peak = _float(exit.get("max_rss_kb"))
        size = f"; it had used {peak / 2**20:.1f} GB" if peak else ""
        # The kernel's log names the process; a count tells only that some process of the same group was killed.
        certain = "killed by the kernel because memory ran out" if "log" in oom else ""
        text = f"{certain or f'killed by {name}, most likely because its memory limit was reached'}{_progress(seen)}"
        return Verdict("failed", f"{text}{size}", exit_signal=signum, at=at, own_fault=True)
    if asked:
        return Verdict("stopped", f"stopped by {name}, as asked{_progress(seen)}", exit_signal=signum, at=at)
    if signum in OUTSIDE_SIGNALS:
        text = f"killed by {name}{_progress(seen)}; not asked for by vitui"
        if isinstance(oom, Mapping) and "host" in oom:
            text += "; the kernel killed a process for lack of memory on this machine meanwhile"
        return Verdict("failed", text, exit_signal=signum, at=at)
    return Verdict("failed", f"crashed with {name}{_progress(seen)}", exit_signal=signum, at=at, own_fault=True)


def _unseen(seen: Facts, reason: str, exit: Mapping[str, Any] | None) -> Verdict:
    """Nobody saw the exit: believe the journal's last word, else say what silence means."""
    at = seen.last_at if seen.last_at is not None else _float((exit or {}).get("at"))
    if seen.terminal is not None:
        kind = str(seen.terminal["kind"])
        text = f"{_said(seen)} (its runner was gone: exit code unknown)"
        return Verdict(kind, text, at=at, own_fault=kind == "failed")
    if exit is not None and exit.get("stop_requested") is not None:
        after = " and killed" if exit.get("killed_after_grace") else ""
        return Verdict("stopped", f"asked to stop{after} while its runner was gone{_progress(seen)}", at=at)
    if reason == "reboot":
        return Verdict("lost", f"the machine restarted while it trained{_progress(seen)}", at=at)
    if exit is not None and exit.get("host"):
        text = f"nothing was heard of it for long, on {exit['host']}{_progress(seen)}"
        return Verdict("lost", text, at=at)
    return Verdict("lost", f"its process is gone without a word{_progress(seen)}", at=at)


def _said(seen: Facts) -> str:
    """The trainer's own last word as a sentence."""
    event = seen.terminal or {}
    kind, place = event.get("kind"), _place(event.get("step"), event.get("epoch"))
    if kind == "finished":
        return f"finished{place}"
    if kind == "stopped":
        return f"stopped{place}: {event.get('reason') or 'asked to'}"
    if kind == "diverged":
        best = event.get("best")
        text = f"{event.get('reason') or 'diverged'}{place}"
        return text + (f"; best {_best(best)}" if isinstance(best, Mapping) and best else "")
    remedy = event.get("remedy")
    if event.get("step") == 0:  # it never trained, and sentences about bad input end with what to do
        place = ""
    return f"{event.get('error') or 'failed'}{place}" + (f"; {remedy}" if remedy else "")


def _place(step: Any, epoch: Any) -> str:
    parts = []
    number = _float(epoch)
    if number is not None:
        parts.append(f"epoch {number:.4g}")
    if isinstance(step, int):
        parts.append(f"step {step}")
    return f" at {', '.join(parts)}" if parts else ""


def _best(best: Mapping[str, Any]) -> str:
    value, epoch = _float(best.get("value")), _float(best.get("epoch"))
    text = f"{best.get('metric', 'value')} {value:.2f}" if value is not None else str(best.get("metric", "unknown"))
    return text + (f" (epoch {epoch:.4g})" if epoch is not None else "")


def _progress(seen: Facts) -> str:
    """How far it came and where a resume would go on."""
    if seen.step is None:
        return " before its first step"
    saved = seen.checkpoint_step
    kept = f"last checkpoint at step {saved}" if saved is not None else "no checkpoint yet"
    return f"{_place(seen.step, None)} ({kept})"


def _float(value: Any) -> float | None:
    try:
        return journal.number(value)
    except (TypeError, ValueError):
        return None


def _signal_name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return f"signal {signum}"
