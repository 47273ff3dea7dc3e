"""What a study of ten thousand runs costs: planning it, and its report in a fresh process, medians of several.

uv run python bench/study.py [--runs 10000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from vitui.lab import Lab
from vitui.store import runs
from vitui.studies.plan import Shelf, composed
from vitui.studies.variants import Planned

SEEDS = 3
NAME = "large"
PARTS = """
import json, sys, time
start = time.perf_counter()
from pathlib import Path
from vitui.lab import Lab
lab = Lab.open(Path(sys.argv[1]), adopt=False)
opened = time.perf_counter()
planned = lab.planned("large")
filled = time.perf_counter()
from vitui.studies.report import report
found = report(lab, planned)
done = time.perf_counter()
from vitui.studies.formats import FORMATS
text = FORMATS["md"](found)
end = time.perf_counter()
print(json.dumps({"open": opened - start, "plan and fill": filled - opened, "report": done - filled,
                  "Markdown": end - done, "whole": end - start, "rows": len(found.rows)}))
"""


def text_of(count: int) -> str:
    """A random search over learning rate and weight decay, each variant with three seeds."""
    return (
        f'title = "Many"\nbase = "demo-digits"\nseeds = {SEEDS}\n[search]\nn = {count // SEEDS}\n'
        "[search.fields]\noptim.lr = { low = 1e-5, high = 1e-1, log = true }\n"
        "optim.weight_decay = { low = 1e-4, high = 1.0, log = true }\n"
    )


def fill(lab: Lab, planned: Planned) -> int:
    """Finished runs for every cell, with what the journal of a short run leaves in the database."""
    dice, shelf, count = random.Random(0), Shelf([Path(__file__).parents[1] / "presets"]), 0
    with lab.store.writing() as db:
        for variant in planned.variants:
            flat = composed(variant, shelf).recipe.flat()
            level = dice.gauss(90, 3)
            for seed in planned.seeds:
                run, value = f"250101-{count:06d}-aaaa", level + dice.gauss(0, 0.4)
                runs.insert(db, runs.new_run(run, {"name": run, "created": 1.7e9 + count}, flat | {"train.seed": seed}))
                db.execute(
                    "UPDATE runs SET state = 'finished', report_best = ?, report_last = ?, best = ?, last = ?, "
                    "epoch = 40, report_split = 'test', selected_on = 'minival', params = 136000, images_per_s = 2000, "
                    "placed = 'cpu', host = 'gpubox', started = 1.7e9, ended = 1.7e9 + 60 WHERE id = ?",
                    (value, value - 0.2, value + 1, value + 0.5, run),
                )
                kinds = ["started", "model", "data", *["checkpoint"] * 40, "finished"]
                data = {"model": {"macs": 1.1e7}, "finished": {"seconds": 58.0}}
                db.executemany(
                    "INSERT INTO events (run, seq, kind, attempt, at, data) VALUES (?, ?, ?, 1, 1.7e9, ?)",
                    [(run, seq, kind, json.dumps(data.get(kind, {}))) for seq, kind in enumerate(kinds)],
                )
                db.executemany(
                    "INSERT INTO evals (run, step, split, weights, role, key, value, epoch, images, at) "
                    "VALUES (?, ?, ?, 'model', ?, ?, ?, ?, 10000, 1.7e9)",
                    [
                        (run, epoch, "minival", "select", key, value, epoch)
                        for epoch in range(40) for key in ("top1", "top5", "loss")
                    ]
                    + [(run, 40, "test", role, "top1", value, 40) for role in ("report-best", "report-last")],
                )  # fmt: skip
                count += 1
        db.execute("DELETE FROM queue")
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        lab = Lab.open(home, create=True, adopt=False)
        start = time.perf_counter()
        lab.save_study(NAME, text_of(options.runs))
        saved = time.perf_counter() - start
        planned = lab.planned(NAME)
        count = fill(lab, planned)
        lab.store.close()
        print(f"{count:,} runs, {len(planned.variants):,} variants; planned and saved in {saved:.2f} s")
        rounds = [
            json.loads(subprocess.run([sys.executable, "-c", PARTS, str(home)], capture_output=True, check=True).stdout)
            for _ in range(options.rounds)
        ]
        for part in rounds[0]:
            print(f"{part:>14}  {median(one[part] for one in rounds):8.3f}")


if __name__ == "__main__":
    main()
