"""A trained model back from its folder."""

from __future__ import annotations

from pathlib import Path

import timm
import torch
from torch import nn

from engine.models.config import read_config, recorded, recorded_model
from engine.models.errors import ModelError
from engine.models.exchange import exchange
from engine.models.names import pretrained_cfg, refused
from engine.models.weights import load_state, read_weights


def load(path: Path | str, *, img_size: int | None = None, device: str = "cpu") -> nn.Module:
    """The model a run exported to `path` (its model/ folder), with weights, in eval mode.

    ``model.pretrained_cfg`` has input_size, mean, std, crop_pct, interpolation and label_names. Unlike
    ``timm.create_model("local-dir:PATH", pretrained=True)`` this also builds models whose norms, activations or
    linears were exchanged. `img_size` gives the model another image size [px] where its family has a fixed one;
    positions are resampled. On the device "meta" only shapes are read.
    Raises ModelError: no export there, unknown architecture, weights that do not fit.
    """
    folder = Path(path)
    content, entry = read_config(folder), recorded(folder)
    if content is None or entry is None:
        raise ModelError(f"{folder} holds no exported model: there is no config.json in it")
    name = str(entry.get("architecture", content["architecture"]))
    arguments = {**content.get("model_args", {}), "num_classes": content.get("num_classes", 0)}
    if img_size is not None and "img_size" in arguments:
        arguments["img_size"] = img_size
    cfg = {k: v for k, v in content.get("pretrained_cfg", {}).items() if v is not None}
    try:
        with torch.device(device):
            model: nn.Module = timm.create_model(name, **arguments)
    except (TypeError, AssertionError, RuntimeError, ValueError, KeyError, AttributeError) as error:
        raise refused(name, arguments, error, "") from None
    if entry:
        exchange(model, recorded_model(folder, entry))
    weights = folder / "model.safetensors"
    try:
        random = load_state(model, read_weights(weights, meta=device == "meta"), weights)
    except ModelError as error:  # no recipe's model.weights named this file
        raise ModelError(str(error).removeprefix("model.weights: ")) from None
    if random:
        raise ModelError(f"{weights} has no values for {random[0]}")
    facts = {"label_names": content.get("label_names"), "num_classes": arguments["num_classes"]}
    model.pretrained_cfg = pretrained_cfg(model) | cfg | facts  # type: ignore[assignment]
    return model.eval()
