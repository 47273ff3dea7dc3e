"""The real app in a real terminal on a real home: start with 10,000 runs, at rest, and while eight runs train.

    uv run python bench/live.py [--runs 10000] [--seconds 20] [--rounds 3] [--part start] [--part live] [--part hour]

start: first frame that shows rows, then at rest on the list and on a finished run of 20,000 steps x 8 curves.
live:  eight trainers (bench/trainer.py, real worker) write an event a second each, then ten, beside the 10,000 runs;
       list, Run and Devices screen in front. The delay is from the journal's write to the character in the terminal,
       over all events, sampled every 20 ms.
hour:  3,600 events of each of eight runs as fast as they come (a minute or two), memory before and after.

Processor time is user + system of all processes of the pane, bytes are what the app writes to its terminal. Medians of
the rounds; five minutes in all. tmux is needed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import homes
from bench.pane import SIZE, Pane, machine, terminal_environment
from engine.journal import RunDir
from vitui.supervisor.ensure import ensure_worker, worker_pid

LIVE = 8
TRAINER = str(Path(__file__).with_name("trainer.py"))
ENDLESS = 9_999


@dataclass
class Bench:
    """A folder with a home, and how long to look at something."""

    folder: Path
    seconds: float
    rounds: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @contextmanager
    def app(self, *words: str) -> Iterator[Pane]:
        """The app in a pane, `words` after its command."""
        command = " ".join([sys.executable, "-m", "vitui", "--home", str(self.home), *words])
        pane = Pane("vitui", command, terminal_environment(self.folder), self.folder)
        pane.start()
        try:
            yield pane
        finally:
            pane.stop()
            for report in self.home.glob("crash-*.log"):
                print(report.read_text(), file=sys.stderr)


def say(what: str, figure: float | Sequence[float], unit: str) -> None:
    figures = [figure] if isinstance(figure, int | float) else figure
    spread = f"   ({min(figures):.2f} to {max(figures):.2f})" if len(figures) > 1 else ""
    print(f"{what:<58} {statistics.median(figures):10.2f} {unit}{spread}", flush=True)


def at_rest(pane: Pane, seconds: float) -> tuple[float, float]:
    """Percent of a core and bytes a second, with no key pressed."""
    time.sleep(4)  # what comes after the first frame: fields, the preview
    pane.settled()
    cpu, written, since = pane.cpu(), pane.written(), time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - since
    return (pane.cpu() - cpu) / passed * 100, (pane.written() - written) / passed


def start(bench: Bench) -> None:
    """First frame and rest. The home has all its runs already."""
    first, spent, rest, memory = [], [], [], []
    for _ in range(bench.rounds):
        with bench.app() as pane:
            pane.wait("the list", lambda shown: "preset-" in shown)
            first.append(time.monotonic() - pane.started)
            spent.append(pane.cpu())
            rest.append(at_rest(pane, bench.seconds))
            memory.append(pane.memory())
    say("start to the first frame with rows", first, "s")
    say("  processor time to there", spent, "s")
    say("list at rest", [cpu for cpu, _ in rest], "% of a core")
    say("  bytes", [written for _, written in rest], "bytes/s")
    say("  memory", memory, "MB")
    first, rest, memory = [], [], []
    for _ in range(bench.rounds):
        with bench.app("watch", homes.FINISHED) as pane:
            pane.wait("curves", lambda shown: any("\u2801" <= c <= "\u28ff" for c in shown))
            first.append(time.monotonic() - pane.started)
            rest.append(at_rest(pane, bench.seconds))
            memory.append(pane.memory())
    say("start to the curves of a finished run", first, "s")
    say("Run screen at rest", [cpu for cpu, _ in rest], "% of a core")
    say("  bytes", [written for _, written in rest], "bytes/s")
    say("  memory", memory, "MB")


@contextmanager
def training(bench: Bench, events: int, events_per_s: float) -> Iterator[list[RunDir]]:
    """Eight runs that train under the real worker; all of them over at the end."""
    runs = homes.queue(bench.home, LIVE, "gpu", events=events, events_per_s=events_per_s, steps=10)
    ensure_worker(bench.home, command=(sys.executable, TRAINER, "worker"))
    try:
        deadline = time.monotonic() + 60
        while not all(run.journal.exists() for run in runs):
            if time.monotonic() > deadline:
                raise SystemExit(f"the trainers have not started:\n{(bench.home / 'worker.log').read_text()[-2000:]}")
            time.sleep(0.05)
        yield runs
    finally:
        finish(bench.home)


def finish(home: Path) -> None:
    """Ask every trainer of this home to stop, then wait for the worker and the runners to be gone of themselves."""
    deadline = time.monotonic() + 30
    while (left := _of(home)) and time.monotonic() < deadline:
        for process in left:
            with suppress(psutil.Error):  # it may be gone by now
                if TRAINER in process.cmdline()[1:2] and "worker" not in process.cmdline():
                    process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
    for process in left:
        with suppress(psutil.Error):
            process.kill()


def _of(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if any(str(home) in word for word in words) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return [process for process in found if "tmux" not in process.name() and process.pid != psutil.Process().pid]


def written_at(run: RunDir) -> dict[int, float]:
    """When each epoch of a run was journalled."""
    out: dict[int, float] = {}
    for line in run.journal.read_bytes().splitlines():
        event = json.loads(line)
        if event["kind"] == "metrics":
            out[round(event["epoch"])] = event["at"]
    return out


def epoch_on(shown: str, name: str) -> int | None:
    """The newest epoch that the screen tells of a run: in its row of the list, or in the head of the Run screen."""
    lines = shown.splitlines()
    for line in lines:
        if name in line and (found := re.search(r"([\d,.]+)/9,?999", line)):
            return int(float(found[1].replace(",", "")))
    found = re.search(r"epoch ([\d,.]+)/", shown)
    return int(float(found[1].replace(",", ""))) if found else None


def live_screen(bench: Bench, runs: list[RunDir], what: str, words: Sequence[str], keys: Sequence[str]) -> None:
    """One screen while they train."""
    pid = worker_pid(bench.home)
    assert pid is not None
    worker = psutil.Process(pid)
    with bench.app(*words) as pane:
        pane.wait("the app", lambda shown: "quit" in shown)
        for key in keys:
            pane.press(key)
            time.sleep(0.3)
        time.sleep(2)
        cpu, written, since = pane.cpu(), pane.written(), time.monotonic()
        theirs = sum(worker.cpu_times()[:2])
        time.sleep(bench.seconds)
        passed = time.monotonic() - since
        say(f"{what}: app", (pane.cpu() - cpu) / passed * 100, "% of a core")
        say("  worker", (sum(worker.cpu_times()[:2]) - theirs) / passed * 100, "% of a core")
        say("  bytes", (pane.written() - written) / passed, "bytes/s")
        say("  memory: app", pane.memory(), "MB")
        say("  memory: worker", worker.memory_info().rss / 1e6, "MB")
        delays = delay(pane, runs[0], bench.seconds)
        if delays:
            say("  delay, journal to terminal, median of events", statistics.median(delays), "s")
            say("  …, slowest of them", max(delays), "s")


def delay(pane: Pane, run: RunDir, seconds: float) -> list[float]:
    """Seconds from the journal to the terminal, of every event in that time. Empty where the screen tells no epoch."""
    seen: list[tuple[int, float]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        epoch, at = epoch_on(pane.screen(), "live 0"), time.time()
        if epoch is not None and (not seen or epoch > seen[-1][0]):
            seen.append((epoch, at))
        time.sleep(0.02)
    events = written_at(run)
    return [
        at - events[epoch]
        for (before, _), (newest, at) in itertools.pairwise(seen)
        for epoch in range(before + 1, newest + 1)
        if epoch in events
    ]


def live(bench: Bench) -> None:
    for events_per_s in (1.0, 10.0):
        with training(bench, ENDLESS, events_per_s) as runs:
            rate = f"8 runs x {events_per_s:g}/s"
            live_screen(bench, runs, f"{rate}, list", (), ())
            live_screen(bench, runs, f"{rate}, Run screen", ("watch", runs[0].id), ())
            live_screen(bench, runs, f"{rate}, Devices screen", (), ("4",))


def hour(bench: Bench) -> None:
    """An hour of events at one a second, as fast as the trainers and the worker are."""
    screens: dict[str, tuple[Sequence[str], Callable[[list[RunDir]], Sequence[str]]]] = {
        "list": ((), lambda runs: ()),
        "Run screen": (("watch", "@"), lambda runs: ()),
        "Compare screen, 4 runs": ((), lambda runs: ("Space", "Space", "Space", "Space", "c")),
    }
    for what, (words, keys) in screens.items():
        with training(bench, 3600, 120.0) as runs, bench.app(*words) as pane:
            pane.wait("the app", lambda shown: "quit" in shown)
            for key in keys(runs):
                pane.press(key)
                time.sleep(0.3)
            if keys(runs):
                pane.wait(what, lambda shown: "baseline" in shown or "compare" in shown.splitlines()[0])
            time.sleep(3)
            before, cpu, begun = pane.memory(), pane.cpu(), time.monotonic()
            while any(b'"kind":"finished"' not in run.journal.read_bytes()[-400:] for run in runs):
                time.sleep(0.5)
            pane.settled()
            passed = time.monotonic() - begun
            say(f"hour, {what}: memory before", before, "MB")
            say("  after 3,600 events x 8", pane.memory(), "MB")
            say(f"  app, in these {passed:.0f} s", (pane.cpu() - cpu) / passed * 100, "% of a core")


PARTS = {"start": start, "live": live, "hour": hour}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", action="append", choices=PARTS)
    options = parser.parse_args()
    if shutil.which("tmux") is None:
        raise SystemExit("tmux is needed")
    print(f"{machine()}; {SIZE[0]}x{SIZE[1]} in tmux, {options.runs:,} runs\n")
    with tempfile.TemporaryDirectory(prefix="vitui-live-") as name:
        bench = Bench(Path(name), options.seconds, options.rounds)
        homes.finished(bench.home, 20_000, 8)
        homes.many(bench.home, options.runs)
        for part in options.part or PARTS:
            PARTS[part](bench)


if __name__ == "__main__":
    main()
