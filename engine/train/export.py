"""The trained model as a folder that timm, or where modules were exchanged `engine.models.exported`, loads."""

from __future__ import annotations

import os
import shutil
from typing import Any

from torch import nn

from engine.journal import RunDir, fsync_dir
from engine.models.config import changes_entry
from engine.recipe.resolve import norm_eps
from engine.recipe.schema import Model


def export_model(
    run: RunDir, model: nn.Module, how: Model, arguments: dict[str, Any], cfg: dict[str, Any], label_names: list[str]
) -> None:
    """Write model/: ``timm.create_model("local-dir:RUN/model", pretrained=True)`` loads it (models of this program
    after ``import engine.models``), and so does ``engine.models.exported.load``.

    A model with exchanged modules (`how`, the recipe's model section) only the latter loads: its architecture has a
    name that timm refuses, since timm would build the plain model and, where names agree, give it these weights
    without a word.

    `arguments` are the constructor's keyword arguments; `cfg` gives input_size, mean, std, crop_pct, interpolation,
    which an evaluation elsewhere needs to see the same pixels. Replaces an earlier export as a whole.
    """
    from timm.models import save_for_hf

    fresh, old = run.path / ".model.tmp", run.path / ".model.old"
    shutil.rmtree(fresh, ignore_errors=True)
    # Sizes and crops that the pretrained weights' authors tested at would win over those given here.
    known = {k: v for k, v in (getattr(model, "pretrained_cfg", None) or {}).items() if not k.startswith("test_")}
    config: dict[str, Any] = {"model_args": arguments, "label_names": label_names}
    if how.modified:
        config |= changes_entry(how.model_copy(update={"norm_eps": norm_eps(how)}))
        config["architecture"] = f"{how.name.partition('.')[0]}+modified"
    model.pretrained_cfg = {**known, **cfg}  # type: ignore[assignment]
    save_for_hf(model, fresh, model_config=config, safe_serialization=True)
    for file in fresh.iterdir():
        with open(file, "rb") as written:
            os.fsync(written.fileno())
    shutil.rmtree(old, ignore_errors=True)
    if run.model.exists():
        run.model.rename(old)
    fresh.rename(run.model)
    fsync_dir(run.path)
    shutil.rmtree(old, ignore_errors=True)
