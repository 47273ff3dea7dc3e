"""The app beside `wandb leet`, on the same curves in the same terminal: start, idle cost, redraw.

    uv venv /tmp/leet && uv pip install --python /tmp/leet/bin/python wandb
    uv run python bench/leet.py --venv /tmp/leet [--points 20000] [--series 8] [--rounds 5]

Both run in panes of one tmux, 160x45, turn by turn in every round. Processor time is user + system of all processes
of the pane; bytes are what the program writes to its terminal. Prints medians and the ratio peer / ours: above 1 we
are ahead.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from engine.journal import Journal, RunDir, write_json
from vitui.lab import Lab

SIZE = (160, 45)
IDLE_S = 10.0
PATIENCE_S = 60.0
ROOT = Path(__file__).parents[1]

PEER = """
import math, os, random, sys
os.environ.update(WANDB_MODE="offline", WANDB_DIR=sys.argv[1], WANDB_SILENT="true")
import wandb
points, series = int(sys.argv[2]), int(sys.argv[3])
dice = random.Random(0)
run = wandb.init(project="bench", settings=wandb.Settings(x_disable_stats=True, x_disable_meta=True))
for step in range(points):
    run.log({f"train/series_{k}": math.exp(-3 * step / points) + dice.gauss(0, 0.1) for k in range(series)})
run.finish()
"""


def make_ours(home: Path, points: int, series: int) -> None:
    """A finished run with the same curves, indexed as any run directory is."""
    dice = random.Random(0)
    lab = Lab.open(home, create=True)
    folder = RunDir(home / "runs" / "260101-120000-aaaa")
    folder.attempt(1).mkdir(parents=True)
    write_json(folder.attempt(1) / "launch.json", {})
    write_json(folder.attempt(1) / "exit.json", {"code": 0, "reason": "exit"})
    folder.recipe.write_text('[model]\nname = "vit_tiny_patch16_224"\n[data]\ndataset = "digits"\n')
    write_json(folder.labels, {"name": "bench", "preset": "demo-digits", "created": 1_767_268_800.0})
    journal = Journal(folder.journal, 1)
    journal.event("started", argv=[], pid=1, host="bench", device="cpu", engine_version="0")
    for start in range(0, points, 500):
        block = range(start, min(start + 500, points))
        values = {
            f"train/series_{k}": [math.exp(-3 * step / points) + dice.gauss(0, 0.1) for step in block]
            for k in range(series)
        }
        journal.event("metrics", step=block[-1] + 1, epoch=(block[-1] + 1) / 1000, values=values)
    journal.event("finished", step=points, epoch=points / 1000, seconds=1.0, best={}, last={})
    journal.close()
    lab.rebuild()


@dataclass
class Pane:
    """A program in a tmux pane of its own server."""

    name: str
    command: str
    environment: dict[str, str]
    folder: Path
    started: float = 0.0
    socket: str = field(init=False)

    def __post_init__(self) -> None:
        self.socket = str(self.folder / f"{self.name}.sock")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], capture_output=True, text=True)
        return done.stdout

    def start(self) -> None:
        """Start it with everything it writes going to a file as well."""
        self.output = self.folder / f"{self.name}.out"
        self.output.unlink(missing_ok=True)
        gate = self.folder / f"{self.name}.gate"
        gate.unlink(missing_ok=True)
        waiting = f"while [ ! -e {gate} ]; do sleep 0.01; done; exec {self.command}"
        sets = [word for key, value in self.environment.items() for word in ("-e", f"{key}={value}")]
        self.tmux("new-session", "-d", "-x", str(SIZE[0]), "-y", str(SIZE[1]), *sets, waiting)
        self.tmux("pipe-pane", "-o", f"cat >> {self.output}")
        self.output.touch()
        self.pid = int(self.tmux("display", "-p", "#{pane_pid}"))
        self.started = time.monotonic()
        gate.touch()

    def screen(self) -> str:
        return self.tmux("capture-pane", "-p")

    def wait(self, what: str, condition: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition(shown := self.screen()):
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.name}: {what} not within {PATIENCE_S:g} s:\n{shown}")
            time.sleep(0.02)

    def settled(self) -> None:
        """Until nothing has been written for a while."""
        size = -1
        while size != (size := self.written()):
            time.sleep(0.4)

    def written(self) -> int:
        return self.output.stat().st_size

    def processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.pid)
        return [root, *root.children(recursive=True)]

    def cpu(self) -> float:
        """Processor seconds of all its processes so far."""
        return sum(sum(one.cpu_times()[:2]) for one in self.processes())

    def memory(self) -> float:
        return sum(one.memory_info().rss for one in self.processes()) / 1e6

    def stop(self) -> None:
        self.tmux("kill-server")
        Path(self.socket).unlink(missing_ok=True)  # the server may take a moment to leave; the next one is another


def braille(screen: str) -> bool:
    return any("\u2801" <= character <= "\u28ff" for character in screen)


def measure(pane: Pane, log_key: str) -> dict[str, float]:
    """One life of a program: start, idle, redraws."""
    pane.start()
    try:
        pane.wait("the first curve", braille)
        found = {"start to first curve (wall s)": time.monotonic() - pane.started}
        pane.settled()
        found["processor time until it rests (s)"] = pane.cpu()
        found["memory (MB)"] = pane.memory()
        cpu, bytes_ = pane.cpu(), pane.written()
        time.sleep(IDLE_S)
        found["idle (% of a core)"] = (pane.cpu() - cpu) / IDLE_S * 100
        found["idle (bytes/s)"] = (pane.written() - bytes_) / IDLE_S
        for what, keys in (("redraw one chart, log y", [log_key] * 10), ("key that changes nothing", ["F9"] * 10)):
            cpu, bytes_ = pane.cpu(), pane.written()
            for key in keys:
                pane.tmux("send-keys", key)
                time.sleep(0.15)
            pane.settled()
            found[f"{what} (CPU ms)"] = (pane.cpu() - cpu) / len(keys) * 1e3
            found[f"{what} (bytes)"] = (pane.written() - bytes_) / len(keys)
        cpu, bytes_ = pane.cpu(), pane.written()
        for width in (120, 160) * 3:
            pane.tmux("resize-window", "-x", str(width), "-y", str(SIZE[1]))
            pane.settled()
        found["redraw everything, resize (CPU ms)"] = (pane.cpu() - cpu) / 6 * 1e3
        found["redraw everything, resize (bytes)"] = (pane.written() - bytes_) / 6
        return found
    finally:
        pane.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, required=True, help="virtual environment with wandb in it")
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--series", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if shutil.which("tmux") is None:
        raise SystemExit("tmux is needed")
    with tempfile.TemporaryDirectory(prefix="vitui-leet-") as name:
        folder = Path(name)
        home = folder / "home"
        make_ours(home, options.points, options.series)
        python = options.venv / "bin" / "python"
        subprocess.run(
            [str(python), "-c", PEER, str(folder), str(options.points), str(options.series)], check=True, cwd=folder
        )
        run = next((folder / "wandb").glob("offline-run-*"))
        wandb = next(run.glob("*.wandb"))
        environment = {"TERM": "tmux-256color", "HOME": str(folder), "PATH": os.environ["PATH"]}
        ours = Pane("vitui", f"{sys.executable} -m vitui --home {home} watch @", environment, folder)
        peer = Pane("leet", f"{options.venv}/bin/wandb leet {wandb}", environment, folder)
        rounds = [(measure(ours, "L"), measure(peer, "y")) for _ in range(options.rounds)]
    version = subprocess.run(
        [str(python), "-c", "import wandb; print(wandb.__version__)"], capture_output=True, text=True
    )
    print(f"vitui against wandb {version.stdout.strip()} leet: {options.points:,} points x {options.series} series, "
          f"{SIZE[0]}x{SIZE[1]} in tmux, {options.rounds} rounds, Python {sys.version.split()[0]}")  # fmt: skip
    print(f"{'':<38} {'ours':>10} {'leet':>10} {'leet/ours':>10}")
    for what in rounds[0][0]:
        mine = statistics.median(ours[what] for ours, _ in rounds)
        theirs = statistics.median(peer[what] for _, peer in rounds)
        ratio = f"{theirs / mine:10.2f}" if mine > 0 else f"{'–':>10}"
        print(f"{what:<38} {mine:>10.2f} {theirs:>10.2f} {ratio}")


if __name__ == "__main__":
    main()
