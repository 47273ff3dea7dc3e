"""``python -m engine RUN_DIR``: a whole training run from one directory that holds a recipe.toml."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from engine.journal import EXIT_BAD_INPUT, RunDir


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run one attempt. Returns the exit code (see engine.journal)."""
    parser = argparse.ArgumentParser(prog="python -m engine", description="Train the recipe of one run directory.")
    parser.add_argument("run_dir", type=Path, help="directory with recipe.toml; everything is written below it")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto", help="auto: a GPU if there is one")
    parser.add_argument(
        "--attempt", type=int, default=0, help="number of this attempt (default: one more than the last)"
    )
    parser.add_argument(
        "--data", type=Path, default=None, help="folder of packed datasets (default: RUN_DIR/../../data)"
    )
    options = parser.parse_args(argv)
    run = RunDir(options.run_dir.resolve())
    if not run.recipe.is_file():
        print(f"engine: there is no recipe.toml in {run.path}", file=sys.stderr)
        return EXIT_BAD_INPUT
    # Idle OpenMP threads that spin take the cores from other runs.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from engine.session import Session

    attempt = options.attempt or max(run.attempt_numbers(), default=0) + 1
    return Session(run, attempt, options.device, options.data or run.data_root).execute()


if __name__ == "__main__":
    sys.exit(main())
