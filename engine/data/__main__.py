"""``python -m engine.data``: pack a dataset, list what is packed. Imports torch only for timm's factory.

With --json, stdout is one JSON object a line: ``{"event": "progress", "what", "done", "total"}`` and at last
``{"event": "done", "name", "title", "folder", "classes", "size", "channels", "splits", "fingerprint",
"original_side"}``; for ``list`` one object a dataset. Exit codes: 0 done, 2 bad input (one sentence on stderr), 130
interrupted.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from engine.data.errors import DataError
from engine.data.pack import MANIFEST, PackedDataset
from engine.data.sources import add
from engine.recipe import datasets

PROGRESS_EVERY_S = 0.2


def main(argv: list[str] | None = None) -> int:
    """Parse the command line and run one command. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.data", description="Pack datasets and list them.")
    commands = parser.add_subparsers(dest="command", required=True)
    adding = commands.add_parser("add", help="pack a dataset, downloading it if need be")
    adding.add_argument("name", help="catalogue name, or the name your own data gets")
    adding.add_argument("--from", dest="origin", default=None, help="folder or archive here, or hfds/REPO, torch/NAME")
    adding.add_argument("--size", type=_size, default=None, help="side in px that pictures are resized and cropped to")
    listing = commands.add_parser("list", help="show the catalogue and what is packed")
    for command in (adding, listing):
        command.add_argument("--data-root", type=Path, required=True, help="folder of packed datasets")
        command.add_argument("--json", action="store_true", help="JSON lines on stdout")
    options = parser.parse_args(argv)
    # A polite kill must clean up like Ctrl-C does.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return _add(options) if options.command == "add" else _list(options)
    except DataError as error:
        # It may quote names out of somebody's archive: one line, and nothing that a terminal would obey.
        print("engine.data: " + "".join(c if c.isprintable() else "?" for c in str(error)), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("engine.data: interrupted; nothing was added", file=sys.stderr)
        return 130


def _size(text: str) -> int:
    if not text.isdigit() or not 4 <= int(text) <= 2048:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of px from 4 to 2048")
    return int(text)


def _interrupt(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


class _Reporter:
    """Progress for people on stderr or for programs on stdout, a few times a second and at the end of each part."""

    def __init__(self, as_json: bool) -> None:
        self.as_json, self._last, self._what = as_json, 0.0, ""

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if done < total and what == self._what and now - self._last < PROGRESS_EVERY_S:
            return
        self._last, self._what = now, what
        if self.as_json:
            print(json.dumps({"event": "progress", "what": what, "done": done, "total": total}), flush=True)
        elif done >= total:
            print(f"{what}: {total:,}", file=sys.stderr, flush=True)
        elif sys.stderr.isatty():
            print(f"{what}: {done:,} of {total:,} ({done / total:.0%})", end="\r", file=sys.stderr, flush=True)


def _add(options: argparse.Namespace) -> int:
    report = _Reporter(options.json)
    known = options.origin is not None and datasets.is_factory_name(options.origin)
    packed = add(
        options.name, options.data_root, path=None if known or options.origin is None else Path(options.origin),
        factory=options.origin if known else "", size=options.size, progress=report,
    )  # fmt: skip
    if options.json:
        print(json.dumps({"event": "done", **_facts(packed)}), flush=True)
    else:
        print(f"{packed.name}: {_line(packed)} in {packed.folder}")
    return 0


def _list(options: argparse.Namespace) -> int:
    rows: list[tuple[str, dict[str, Any], str]] = []
    seen = set()
    for folder in sorted(options.data_root.glob("*/")) if options.data_root.is_dir() else []:
        if folder.name.startswith(".") or not (folder / MANIFEST).is_file():
            continue
        seen.add(folder.name)
        try:
            packed = PackedDataset.open(folder)
            rows.append((folder.name, {"packed": True, **_facts(packed)}, _line(packed)))
        except DataError as error:
            rows.append((folder.name, {"name": folder.name, "packed": False, "problem": str(error)}, str(error)))
    for spec in datasets.known().values():
        if spec.name not in seen:
            how = f", {spec.download_mb:g} MB to download" if spec.files else f", from {spec.page}" * bool(spec.page)
            about = f"{spec.title}, not packed{how}"
            facts = {"name": spec.name, "title": spec.title, "packed": False, "download_mb": spec.download_mb}
            rows.append((spec.name, facts, about))
    for name, facts, line in rows:
        print(json.dumps(facts) if options.json else f"{name:<16} {line}")
    return 0


def _facts(packed: PackedDataset) -> dict[str, Any]:
    return {
        "name": packed.name, "title": packed.title, "folder": str(packed.folder), "classes": len(packed.classes),
        "channels": packed.channels, "size": list(packed.size), "splits": {n: len(s) for n, s in packed.splits.items()},
        "fingerprint": packed.fingerprint, "original_side": packed.original_side,
    }  # fmt: skip


def _line(packed: PackedDataset) -> str:
    images = ", ".join(f"{len(split):,} {name}" for name, split in packed.splits.items())
    smaller = packed.original_side is not None and packed.original_side > min(packed.size)
    before = f" (made smaller: half of them had shorter sides of {packed.original_side} px or more)" if smaller else ""
    return f"{images} images of {packed.size[1]}x{packed.size[0]}, {len(packed.classes)} classes{before}"


if __name__ == "__main__":
    sys.exit(main())
