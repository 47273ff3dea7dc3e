"""What the config.json of an exported model says beyond timm's own entries."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from engine.models.errors import ModelError
from engine.recipe.schema import Model

# Fields of a recipe's `model` that say which modules are exchanged.
_FIELDS = ("norm", "norm_eps", "norm_momentum", "ffn_norm", "weight_norm", "activation")
_KEY = "vitui"


def changes_entry(how: Model) -> dict[str, Any]:
    """The entry of config.json that names the exchanged modules; norm_eps has to be decided."""
    return {_KEY: {"architecture": how.name.partition(".")[0], **how.model_dump(include=set(_FIELDS), mode="json")}}


def read_config(folder: Path) -> dict[str, Any] | None:
    """The config.json of the export in `folder`, by this program or by timm; None where there is no export.

    Raises ModelError where it is damaged.
    """
    path = folder / "config.json"
    try:
        content = json.loads(path.read_bytes())
        for part in (_KEY, "pretrained_cfg"):
            content.get(part, {}).keys()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{path} is not the config.json of an exported model ({error})") from None
    return dict(content) if "architecture" in content else None


def recorded(folder: Path) -> dict[str, Any] | None:
    """`changes_entry` of the export in `folder`, empty for one of an unchanged model; None where there is no export.

    Raises ModelError where config.json is damaged.
    """
    content = read_config(folder)
    return None if content is None else dict(content.get(_KEY, {}))


def seen_pixels(folder: Path) -> dict[str, Any]:
    """How the export in `folder` was shown its images: mean, std, crop_pct and interpolation; empty without an export.

    Raises ModelError where config.json is damaged.
    """
    cfg = (read_config(folder) or {}).get("pretrained_cfg", {})
    return {key: cfg[key] for key in ("mean", "std", "crop_pct", "interpolation") if cfg.get(key)}


def recorded_model(folder: Path, entry: dict[str, Any]) -> Model:
    """The `model` section that says how modules are exchanged, from `recorded`. Raises ModelError for other content."""
    try:
        return Model.model_validate(
            {"name": entry["architecture"], **{field: entry[field] for field in _FIELDS if field in entry}}
        )
    except (ValidationError, KeyError) as error:
        raise ModelError(f"{folder / 'config.json'} says nothing this program understands ({error})") from None
