"""The trained model as a folder that timm loads by itself."""

from __future__ import annotations

import os
import shutil
from typing import Any

from torch import nn

from engine.journal import RunDir, fsync_dir


def export_model(
    run: RunDir, model: nn.Module, arguments: dict[str, Any], cfg: dict[str, Any], label_names: list[str]
) -> None:
    """Write model/: ``timm.create_model("local-dir:RUN/model", pretrained=True)`` loads it.

    `arguments` are the constructor's keyword arguments; `cfg` gives input_size, mean, std, crop_pct, interpolation,
    which an evaluation elsewhere needs to see the same pixels. Replaces an earlier export as a whole.
    """
    from timm.models import save_for_hf

    fresh, old = run.path / ".model.tmp", run.path / ".model.old"
    shutil.rmtree(fresh, ignore_errors=True)
    # Sizes and crops that the pretrained weights' authors tested at would win over those given here.
    known = {k: v for k, v in (getattr(model, "pretrained_cfg", None) or {}).items() if not k.startswith("test_")}
    model.pretrained_cfg = {**known, **cfg}  # type: ignore[assignment]
    save_for_hf(
        model, fresh, model_config={"model_args": arguments, "label_names": label_names}, safe_serialization=True
    )
    for file in fresh.iterdir():
        with open(file, "rb") as written:
            os.fsync(written.fileno())
    shutil.rmtree(old, ignore_errors=True)
    if run.model.exists():
        run.model.rename(old)
    fresh.rename(run.model)
    fsync_dir(run.path)
    shutil.rmtree(old, ignore_errors=True)
