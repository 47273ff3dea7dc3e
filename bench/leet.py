"""The app beside `wandb leet`, on the same curves in the same terminal: start, idle cost, redraw.

    uv venv /tmp/leet && uv pip install --python /tmp/leet/bin/python wandb
    uv run python bench/leet.py --venv /tmp/leet [--points 20000] [--series 8] [--rounds 5]

Both run in panes of one tmux, 160x45, turn by turn in every round. Processor time is user + system of all processes
of the pane; bytes are what the program writes to its terminal. Prints medians and the ratio peer / ours: above 1 we
are ahead.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench import homes
from bench.pane import SIZE, Pane, machine, terminal_environment

IDLE_S = 10.0

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
        homes.finished(home, options.points, options.series)
        python = options.venv / "bin" / "python"
        subprocess.run(
            [str(python), "-c", PEER, str(folder), str(options.points), str(options.series)], check=True, cwd=folder
        )
        run = next((folder / "wandb").glob("offline-run-*"))
        wandb = next(run.glob("*.wandb"))
        environment = terminal_environment(folder)
        ours = Pane("vitui", f"{sys.executable} -m vitui --home {home} watch @", environment, folder)
        peer = Pane("leet", f"{options.venv}/bin/wandb leet {wandb}", environment, folder)
        rounds = [(measure(ours, "L"), measure(peer, "y")) for _ in range(options.rounds)]
    version = subprocess.run(
        [str(python), "-c", "import wandb; print(wandb.__version__)"], capture_output=True, text=True
    )
    print(machine())
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
