"""A lab whose every text was written by somebody who wants to break the screen."""

from __future__ import annotations

import json
import typing
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tests.tui.fake_lab import DIVERGED, FINISHED, NOW, RUNNING, Curve, Event, FakeLab, populated
from vitui.errors import Busy
from vitui.reading import Reading
from vitui.store import Run
from vitui.supervisor.devices import Device, Inventory, Process

NASTY = (
    "\x00\x07\x08\x1b\x7f\n\r\t\x0b\x0c\x84\x85\x8d\x90\x9b\x9d\x9c\x9f\xad\u00a0\u034f\u061c\u115f\u200b\u200d\u200e\u2028\u2029"
    "\u202a\u202e\u2066\u2069\u2060\u3000\u3164\ufe0e\ufe0f\ufeff\uffa0\ufff9\ue000\ud800\udfff\U000e0041\U000e0100\U0010ffff"
    "\u0301\u0489\u20e3\u0903\u093f\u1160\u11a8\u302e\u2630\u324f\U0001d300日本️👍🏽👩\U0001f1e9\U0001f1ea🦀ẞﷺ[]{}/@\\'\"=`$%"
)
WORST = (
    "", " ", "\x1b[2J\x1b[H\x1b[31mred\x1b[0m", "\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x1b]8;;http://x\x1b\\link", "\x1bPq#0~~\x1b\\\x1b_G a=T\x1b\\\x1bc",
    "\x9b31m\x9d0;x\x9c\x90q\x9c\x84\x8d", "[/foo] [bold red]x[/] [@click=app.quit]q[/", "[link=http://x]y", "{n} %s %(x)s \\x1b $HOME",
    "日本語" * 30, "Z" + "\u0301\u0489" * 60, "\u202egnp.exe\u2066\u2069\u200f", "a\u200bb\u200dc\ufeffd\u00ade\u2060", "👩‍👩‍👧👍🏽❤️🏴\U000e0067\U000e007f",
    "\U0001f1e9\U0001f1ea\U0001f1e9", "हिन्दी தமிழ் ไทย", "한국 \u1112\u1161\u11ab \u3164\uffa0", "\ue000\uf8ff\U000f0000", "\ud800\udfff", "a\nb\rc\td\x0be",
    "progress\r" * 400, "x" * 100_000, "日" * 5_000, "\u0301" * 300, "word " * 500, "'\"\\`$(reboot);|&", "../../etc/passwd", "\x00" * 50,
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(WORST), st.text(st.one_of(st.characters(), st.sampled_from(NASTY)), max_size=50))
NUMBERS = (None, True, -1, 0, 10**30, 1e300, -1e300, float("nan"), float("inf"), -float("inf"), "12", [], {})
_KEPT = ("id", "state", "metric", "launcher")
_TEXT_FIELDS = [name for name, kind in typing.get_type_hints(Run).items() if kind is str and name not in _KEPT]
assert "name" in _TEXT_FIELDS


class HostileLab(FakeLab):
    """As `populated`, until `say` fills it with other texts."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        known = populated(home)
        self.rows, self.curves, self.journal = dict(known.rows), dict(known.curves), dict(known.journal)
        self._known = dict(known.rows)
        self._said = 0

    def worker_log(self, lines: int) -> tuple[str, ...]:
        return Reading.worker_log(self, lines)  # type: ignore[arg-type]

    def queue(self) -> Any:
        waiting = [row for row in self.rows.values() if row.state == "queued"]
        return SimpleNamespace(paused=self.paused, waiting=waiting, worker_alive=False, worker_pid=None)

    def hold(self, run_id: str) -> None:
        """Refused, in the words of whoever wrote the reason."""
        raise Busy(self.rows[run_id].reason)

    def say(self, texts: Sequence[str]) -> None:
        """Put these texts, one after the other, wherever a run, a file or a user can put one."""
        at = cycle(texts)
        self._said += 1  # so that the list is another one even with the same texts
        numbers = cycle(NUMBERS)
        self.rows = {
            run_id: row._replace(
                **{name: next(at) for name in _TEXT_FIELDS}, tags=tuple(next(at) for _ in range(3)), position=self._said,
                metric=next(at) if row.id != FINISHED else row.metric,
            )
            for run_id, row in self._known.items()
        }  # fmt: skip
        self.paused = next(at)
        gpus = (
            Device(
                f"GPU-{n}",
                n,
                next(at),
                1,
                1 << 37,
                1 << 36,
                (Process(1 << 30, next(at), next(at), 1 << 30),),
                50,
                60,
                70.0,
            )
            for n in range(2)
        )
        self.machine = Inventory((*gpus, Device("cpu", -1, next(at), 1, 1 << 34, 1 << 33)), next(at))
        (self.home / "worker.log").write_bytes(console(at))
        for run_id in (RUNNING, FINISHED, DIVERGED):
            self._say_of(run_id, at, numbers)
        self.touch()

    def _say_of(self, run_id: str, at: Iterator[str], numbers: Iterator[Any]) -> None:
        anything = cycle((lambda: next(at), lambda: next(numbers), lambda: [next(at)], lambda: {next(at): next(at)}))
        few = Curve(np.arange(1.0, 4.0), np.array([1.0, np.nan, 2.0]), np.arange(NOW, NOW + 3))
        known = {key: curve for key, curve in self.curves[run_id].items() if key.endswith(("/loss", "/top1"))}
        self.curves[run_id] = dict(list(known.items())[:4]) | {f"{next(at)}/{next(at)}": few, next(at): few}
        keys = [
            next(at),
            "optim.name",
            "optim.lr",
            "train.batch_size",
            f"model.options.{next(at)}",
            f"{next(at)}.{next(at)}",
        ]
        self.recipes[run_id] = {key: next(anything)() for key in keys}
        self.label_files[run_id] = {
            "changes": [{"key": key, "before": next(anything)()} for key in keys[:3]] + [next(anything)()],
            "origins": {key: next(at) for key in keys},
            "reference": {"metric": next(at), "split": next(at), "value": next(numbers), "source": next(at)},
        }  # fmt: skip
        self.facts[run_id] = {
            "argv": [next(at), next(at)], "at": next(numbers), "user": next(at), "host": next(at), "cwd": next(at), "python": next(anything)(),
            "git": {"commit": next(at), "branch": next(at), "dirty": True, "patch": f"diff --git a/{next(at)} b/{next(at)}\n"},
            "packages": {next(at): next(at), "torch": next(anything)()}, "platform": next(at),
        }  # fmt: skip
        fields = ("host", "device", "pid", "name", "params", "trainable_params", "dataset", "train_images", "select_split", "select_images",
                  "report_split", "fingerprint", "path", "best", "metric", "value", "what", "consecutive", "error", "remedy", "seconds",
                  "message", "reason", "tier")  # fmt: skip
        kinds = ("started", "phase", "model", "data", "checkpoint", "warning", "nonfinite", "diverged", "stopped", "resumed", "failed",
                 "finished", next(at))  # fmt: skip
        events = [Event(kind, NOW, 3, 1.0, {name: next(anything)() for name in fields}) for kind in kinds]
        values = {next(at): 1.0, "top1": 50.0}
        events += [
            Event(
                "eval",
                NOW,
                3,
                1.0,
                {"split": next(at), "weights": next(at), "role": next(at), "images": 10, "values": values},
            )
        ]
        self.journal[run_id] = events
        folder = self.run_dir(run_id)
        folder.console.write_bytes(console(at))
        attempt = folder.attempt(1)
        attempt.mkdir(parents=True, exist_ok=True)
        launch = {"at": next(numbers), "host": next(at), "device": next(at), "trainer": {"pid": next(numbers)}}
        exit = {
            "at": next(numbers),
            "code": next(numbers),
            "signal": next(numbers),
            "evidence": next(at),
            "max_rss_kb": next(numbers),
        }
        for name, said in (("launch.json", launch), ("exit.json", exit)):
            (attempt / name).write_text(json.dumps(said))
        folder.checkpoints.mkdir(exist_ok=True)
        for old in folder.checkpoints.iterdir():
            old.unlink()
        for number in range(4):
            name = next(at).replace("/", "").replace("\0", "").encode("utf-8", "replace")[:60].decode("utf-8", "ignore")
            (folder.checkpoints / f"{number}{name}").write_bytes(b"")


def console(at: Iterator[str]) -> bytes:
    lines = [next(at).encode("utf-8", "surrogatepass") for _ in range(6)]
    return (
        b"\n".join(
            [*lines, b"\xff\xfe\x00\x1b[6n", b"10%\r" * 5000 + b"100%", b"y" * 100_000, b"\x1b]0;" + b"z" * 100_000]
        )
        + b"\n"
    )
