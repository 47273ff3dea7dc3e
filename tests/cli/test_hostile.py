"""What commands print of runs cannot command a terminal, whatever the runs are called and have written."""

from __future__ import annotations

import unicodedata

import pytest

from engine.journal import RunDir, write_json
from tests.cli.conftest import Home
from tests.tui.hostile_lab import WORST, console
from vitui.store import Store

ONE, TWO = "250101-120000-aaaa", "250101-120000-bbbb"
COMMANDS = (
    ["runs"], ["runs", "--group", "preset"], ["runs", "--columns", "name,preset,tag,notes,question,host"], ["runs", "--csv"], ["runs", "--json"],
    ["show", ONE], ["show", ONE, "--json"], ["compare", ONE, TWO], *(["compare", ONE, TWO, "--format", kind] for kind in ("md", "latex", "csv", "json")),
    ["logs", ONE], ["devices"], ["queue"],
)  # fmt: skip


def fill(home: Home, texts: list[str]) -> None:
    """Put texts wherever a run keeps one."""
    given = iter(texts * (60 // len(texts) + 1))
    for run_id in (ONE, TWO):
        run = RunDir(home.path / "runs" / run_id)
        labels = {name: next(given) for name in ("name", "preset", "family", "notes", "question", "device")}
        tags = [next(given), next(given)]
        write_json(run.labels, {**labels, "tags": tags, "created": 1.7e9, "origins": {"optim.lr": next(given)},
                                "reference": {"value": 1.0, "metric": next(given), "split": next(given), "source": next(given)}})  # fmt: skip
        write_json(
            run.provenance,
            {
                "host": next(given),
                "user": next(given),
                "argv": [next(given)],
                "git": {"commit": next(given)},
                "packages": {next(given): next(given)},
            },
        )
        run.console.write_bytes(console(given))
        columns = {**labels, "host": next(given), "placed": next(given), "evidence": next(given), "model": next(given), "dataset": next(given),
                   "reference_source": next(given), "reference_outcome": next(given)}  # fmt: skip
        store = Store(home.path)
        store.open()
        with store.writing() as db:
            db.execute(
                f"UPDATE runs SET {', '.join(f'{name} = ?' for name in columns)} WHERE id = ?",
                (*(clean(v) for v in columns.values()), run_id),
            )
            db.execute("DELETE FROM tags WHERE run = ?", (run_id,))
            db.executemany(
                "INSERT OR IGNORE INTO tags (run, tag) VALUES (?, ?)", [(run_id, clean(tag)) for tag in tags]
            )
        store.close()


def clean(text: str) -> str:
    """As SQLite can hold it."""
    return text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("shift", [0, 9, 18])
def test_no_command_prints_what_a_terminal_obeys(home: Home, shift: int) -> None:
    home.add(ONE)
    home.add(TWO, "failed")
    fill(home, [*WORST[shift:], *WORST[:shift]])
    for words in COMMANDS:
        answer = home(*words)
        found = {
            c
            for c in answer.out + answer.err
            if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        }
        assert found == set(), (words, found)
