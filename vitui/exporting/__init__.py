"""Runs for other tools: tables, TensorBoard, W&B, MLflow, and a model card for the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vitui.exporting.request import FOLDER, FORMATS, PROJECT, TABLES, Request, check, require
from vitui.exporting.series import check_keys, snapshot

if TYPE_CHECKING:
    from vitui.lab import Lab

__all__ = ["FOLDER", "FORMATS", "PROJECT", "TABLES", "Request", "check", "export", "require"]


def export(lab: Lab, format: str, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write runs in one of FORMATS and return where they are now. All that is read is of one moment.

    Raises UsageError for a request that means nothing, a missing library, an unknown series, and for a place that is
    taken; NotFound for a run. Then nothing has been written. `tell`: what the user should know besides.
    """
    check(format, request)
    with snapshot(lab):
        for run in request.runs:
            lab.run(run)
        check_keys(lab, request.runs, request.keys)
        match format:
            case "csv":
                from vitui.exporting.csv import write
            case "parquet":
                from vitui.exporting.parquet import write
            case "tensorboard":
                from vitui.exporting.tensorboard import write
            case "wandb":
                from vitui.exporting.wandb import write
            case "mlflow":
                from vitui.exporting.mlflow import write
            case _:
                from vitui.exporting.card import write
        return write(lab, request, tell)
