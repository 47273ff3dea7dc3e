"""What is asked for when runs are exported, and the libraries that formats need."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vitui.errors import UsageError

FORMATS: Final = ("csv", "parquet", "tensorboard", "wandb", "mlflow", "card")
TABLES: Final = ("points", "evals", "runs")
FOLDER: Final = Path("vitui-export")
"""Where exports go that were not told where."""
PROJECT: Final = "vitui"
_LIBRARY: Final = {"parquet": "pyarrow", "tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
_TAKEN_BY: Final = {
    "table": ("csv", "parquet"),
    "to": ("mlflow",),
    "project": ("wandb", "mlflow"),
    "keys": ("csv", "parquet", "tensorboard", "wandb", "mlflow"),
}
"""Options that only some formats understand."""


@dataclass(frozen=True, slots=True)
class Request:
    """`runs`: ids. `out`: folder or file; None: where the format puts things by itself.

    `keys`: names of series, or patterns of them with ``*``; empty: all. `table`: one of TABLES alone. `to`: tracking
    URI of MLflow. `project`: of W&B, or the experiment of MLflow. `force`: what is there already is replaced.
    """

    runs: tuple[str, ...]
    out: Path | None = None
    keys: tuple[str, ...] = ()
    table: str = ""
    to: str = ""
    project: str = ""
    force: bool = False

    @property
    def folder(self) -> Path:
        return self.out or FOLDER


def check(format: str, request: Request) -> None:
    """Raises UsageError for an unknown format or table, an option that the format has no use for, a missing library."""
    if format not in FORMATS:
        raise UsageError(f"unknown format {format}; known: {', '.join(FORMATS)}")
    if request.table and request.table not in TABLES:
        raise UsageError(f"unknown table {request.table}; known: {', '.join(TABLES)}")
    for option, formats in _TAKEN_BY.items():
        if getattr(request, option) and format not in formats:
            raise UsageError(f"--{option} means nothing to --format {format}; it is for {', '.join(formats)}")
    if request.to and request.out is not None:
        raise UsageError("--to and --out exclude one another: the tracking server of --to keeps everything")
    require(format)


def require(format: str) -> None:
    """Raises UsageError where the library that a format needs is not installed."""
    library = _LIBRARY.get(format)
    if library is None:
        return
    found = importlib.util.find_spec(library)
    if found is None or found.origin is None:  # without origin: a mere folder of that name, such as ./wandb
        raise UsageError(f"--format {format} needs {library}, which is not installed: pip install 'vitui[{format}]'")
