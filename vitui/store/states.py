"""The states of a run and which may follow which."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

STATES: Final = ("queued", "starting", "running", "finished", "stopped", "diverged", "failed", "lost")
WAITING: Final = frozenset({"queued"})
LIVE: Final = frozenset({"starting", "running"})
ENDED: Final = frozenset(STATES) - WAITING - LIVE
RESUMABLE: Final = ENDED - {"finished"}

EDGES: Final[Mapping[str, frozenset[str]]] = {
    "queued": frozenset({"starting", "stopped", "failed"}),
    "starting": frozenset({"running", "queued", "failed", "lost", "stopped", "finished", "diverged"}),
    "running": frozenset({"finished", "stopped", "diverged", "failed", "lost"}),
    "stopped": frozenset({"queued"}),
    "failed": frozenset({"queued"}),
    "lost": frozenset({"queued"}),
    "diverged": frozenset({"queued"}),
    "finished": frozenset(),
}


def check_edge(frm: Collection[str], to: str) -> None:
    """Raises ValueError for a state that does not exist and for a step that is not in the table."""
    unknown = sorted({*frm, to} - set(STATES))
    if unknown or not frm:
        raise ValueError(f"no such state: {', '.join(unknown) or 'none given'}")
    wrong = sorted(state for state in frm if to not in EDGES[state])
    if wrong:
        raise ValueError(f"a run cannot go from {' or '.join(wrong)} to {to}")


def check_state(state: str) -> None:
    """Raises ValueError for a word that is no state."""
    if state not in STATES:
        raise ValueError(f"no such state: {state}")
