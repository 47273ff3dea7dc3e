"""The verdict for every combination of what can be left behind."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from engine import journal
from engine.journal import Journal, RunDir
from vitui.supervisor.facts import Facts, facts, read_back
from vitui.supervisor.judge import judge
from vitui.supervisor.verdict import verdict

EVENTS: dict[str, dict[str, Any] | None] = {
    "nothing": None,
    "finished": {"kind": "finished", "step": 400, "epoch": 40.0},
    "stopped": {"kind": "stopped", "step": 312, "epoch": 31.2, "reason": "asked to"},
    "diverged": {
        "kind": "diverged", "step": 13650, "epoch": 35, "reason": "NaN",
        "best": {"metric": "top1", "value": 80.7, "step": 12870, "epoch": 33},
    },
    "failed": {"kind": "failed", "step": 3, "epoch": 0.1, "error": "CUDA out of memory", "remedy": "halve micro_batch"},
}  # fmt: skip
EXITS: dict[str, dict[str, Any] | None] = {
    "none": None,
    "code 0": {"reason": "exited", "code": 0},
    "code 1": {"reason": "exited", "code": 1},
    "code 2": {"reason": "exited", "code": 2},
    "code 3": {"reason": "exited", "code": 3},
    "code 75": {"reason": "exited", "code": 75},
    "KILL": {"reason": "signal", "signal": 9},
    "SEGV": {"reason": "signal", "signal": 11},
    "KILL, out of memory": {"reason": "signal", "signal": 9, "oom": {"log": "Killed process 1"}, "max_rss_kb": 4 << 20},
    "KILL, group out of memory": {
        "reason": "signal",
        "signal": 9,
        "oom": {"group": 1, "host": 1},
        "max_rss_kb": 4 << 20,
    },
    "KILL, host out of memory": {"reason": "signal", "signal": 9, "oom": {"host": 1}, "max_rss_kb": 4 << 20},
    "KILL after the grace": {
        "reason": "signal",
        "signal": 9,
        "stop_requested": 5.0,
        "killed_after_grace": True,
        "grace_s": 60.0,
    },
    "KILL at once": {"reason": "signal", "signal": 9, "stop_requested": 5.0, "killed_at_once": True},
    "TERM, asked": {"reason": "signal", "signal": 15, "stop_requested": 5.0},
    "TERM, not asked": {"reason": "signal", "signal": 15},
    "lease": {"reason": "lease"},
    "dequeued": {"reason": "dequeued"},
    "unstarted": {"reason": "unstarted", "stop_requested": 5.0},
    "spawn": {"reason": "spawn", "error": "cannot start python: No such file"},
    "gone": {"reason": "gone", "by": "worker"},
    "gone, asked": {"reason": "gone", "by": "worker", "stop_requested": 5.0},
    "reboot": {"reason": "reboot", "by": "worker"},
    "empty": {},
}
# One row an exit.json; columns: nothing, finished, stopped, diverged, failed in the journal.
TABLE = {
    "code 0": "failed finished stopped diverged failed",
    "code 1": "failed failed stopped diverged failed",
    "code 2": "failed failed stopped diverged failed",
    "code 3": "diverged failed stopped diverged failed",
    "code 75": "stopped failed stopped diverged failed",
    "KILL": "failed failed stopped diverged failed",
    "SEGV": "failed failed stopped diverged failed",
    "KILL, out of memory": "failed failed stopped diverged failed",
    "KILL, group out of memory": "failed failed stopped diverged failed",
    "KILL, host out of memory": "failed failed stopped diverged failed",
    "KILL after the grace": "stopped stopped stopped stopped stopped",
    "KILL at once": "stopped stopped stopped stopped stopped",
    "TERM, asked": "stopped failed stopped diverged failed",
    "TERM, not asked": "failed failed stopped diverged failed",
    "lease": "queued queued queued queued queued",
    "dequeued": "stopped stopped stopped stopped stopped",
    "unstarted": "stopped stopped stopped stopped stopped",
    "spawn": "failed failed failed failed failed",
    "gone": "lost finished stopped diverged failed",
    "gone, asked": "stopped finished stopped diverged failed",
    "reboot": "lost finished stopped diverged failed",
    "empty": "lost lost lost lost lost",
}


def seen(event: str, step: int | None = 312, checkpoint: int | None = 300) -> Facts:
    return Facts(EVENTS[event], step, 31.2, 1000.0, checkpoint)


@pytest.mark.parametrize(("exit", "event"), itertools.product(TABLE, EVENTS))
def test_every_combination_with_an_exit(exit: str, event: str) -> None:
    record = EXITS[exit]
    for alive, rebooted in itertools.product((True, False), repeat=2):  # exit.json outranks both
        found = verdict({"at": 9.0, **(record or {})}, seen(event), alive=alive, rebooted=rebooted)
        assert found is not None
        assert found.state == TABLE[exit].split()[list(EVENTS).index(event)]
        assert found.evidence and "None" not in found.evidence and "{" not in found.evidence
        assert (
            found.state != "failed"
            or found.own_fault
            or exit in ("KILL", "KILL, host out of memory", "TERM, not asked")
        )
        assert found.own_fault <= (found.state == "failed")


def test_without_an_exit_the_journal_and_then_silence_decide() -> None:
    for event in EVENTS:
        assert verdict(None, seen(event), alive=True, rebooted=False) is None
        for rebooted in (False, True):
            found = verdict(None, seen(event), alive=False, rebooted=rebooted)
            assert found is not None and found.state == ("lost" if event == "nothing" else event)
            assert ("restarted" in found.evidence) == (event == "nothing" and rebooted)


def evidence(exit: str, event: str = "nothing", **kwargs: Any) -> str:
    found = verdict(EXITS[exit], seen(event, **kwargs), alive=False, rebooted=False)
    assert found is not None
    return found.evidence


def test_evidence_in_words() -> None:
    assert evidence("KILL") == "killed by SIGKILL at step 312 (last checkpoint at step 300); not asked for by vitui"
    assert evidence("SEGV", checkpoint=None) == "crashed with SIGSEGV at step 312 (no checkpoint yet)"
    assert evidence("code 1", step=None) == "exited with code 1 before its first step; see its log"
    assert evidence("code 3", "diverged") == "NaN at epoch 35, step 13650; best top1 80.70 (epoch 33)"
    assert evidence("code 1", "failed") == "CUDA out of memory at epoch 0.1, step 3; halve micro_batch"
    early = {"kind": "failed", "step": 0, "epoch": 0.0, "error": "x = 1 cannot be; use 2", "remedy": ""}
    told = verdict(EXITS["code 1"], Facts(early, None, None, 1.0, None), alive=False, rebooted=False)
    assert told is not None and told.evidence == "x = 1 cannot be; use 2", "no place: it would end what to do"
    assert evidence("KILL, out of memory") == (
        "killed by the kernel because memory ran out at step 312 (last checkpoint at step 300); it had used 4.0 GB"
    )
    assert evidence("KILL, group out of memory").startswith("killed by SIGKILL, most likely because its memory limit")
    assert evidence("KILL, host out of memory").endswith("for lack of memory on this machine meanwhile")
    assert evidence("KILL after the grace") == (
        "killed 60 s after it was asked to stop and did not at step 312 (last checkpoint at step 300)"
    )
    assert evidence("none") == "its process is gone without a word at step 312 (last checkpoint at step 300)"
    assert evidence("spawn") == "cannot start python: No such file"


@pytest.mark.parametrize(
    "junk",
    [{"code": "0"}, {"reason": 5}, {"signal": "KILL", "at": []}, {"signal": 250, "oom": 3}, {"stop_requested": {}}],
)
def test_damaged_exit_files_still_give_a_verdict(junk: dict[str, Any]) -> None:
    found = verdict(junk, seen("nothing"), alive=False, rebooted=False)
    assert found is not None and found.state in ("lost", "failed") and found.evidence


def events(path: Path, count: int, window_filler: str = "") -> Path:
    log = Journal(path, 1)
    log.event("started", pid=1)
    for step in range(1, count + 1):
        log.event("metrics", step=step, epoch=step / 10, values={"train/loss": 1.0, "pad": window_filler})
        if step == 7:
            log.event("checkpoint", step=7, epoch=0.7, path="checkpoints/last.pt")
    log.close()
    return path


@pytest.mark.parametrize("window", [64, 100, 4096, 1 << 20])
def test_reading_backwards_gives_the_same_events(tmp_path: Path, window: int) -> None:
    path = events(tmp_path / "journal.jsonl", 200)
    with open(path, "ab") as file:
        file.write(b"\n\nrubbish\n" + b"\x00" * 300 + b'\n{"kind":"torn')
    assert list(read_back(path, window))[::-1] == list(journal.read_all(path))


def test_facts_are_of_the_attempt_asked_for_but_the_checkpoint_may_be_older(tmp_path: Path) -> None:
    path = events(tmp_path / "journal.jsonl", 20)
    assert (first := facts(path, 1)).step == 20 and first.checkpoint_step == 7 and first.terminal is None
    log = Journal(path, 2)
    log.event("failed", step=20, epoch=2.0, error="x", remedy="")
    log.close()
    second = facts(path, 2)
    assert second.terminal is not None and second.terminal["kind"] == "failed" and second.checkpoint_step == 7
    assert facts(path, 1).terminal is None and facts(path, 3) == Facts(checkpoint_step=7)
    assert facts(tmp_path / "none", 1) == Facts()


def test_judge_reads_the_newest_attempt_that_ran(tmp_path: Path) -> None:
    run = RunDir(tmp_path / "runs" / "r")
    run.path.mkdir(parents=True)
    assert judge(run)[0] == "queued"
    for number, record in ((1, EXITS["KILL"]), (2, EXITS["lease"]), (3, None)):
        run.attempt(number).mkdir(parents=True)
        if record:
            (run.attempt(number) / "exit.json").write_text(json.dumps({"at": 50.0, **record}))
    state, text, columns = judge(run)
    assert state == "failed" and "SIGKILL" in text and columns["attempt"] == 1 and columns["exit_signal"] == 9
    (run.attempt(3) / "launch.json").write_text("{}")
    assert judge(run)[0] == "running"
