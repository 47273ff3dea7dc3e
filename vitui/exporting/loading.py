"""How the model that a run has exported is loaded again."""

from __future__ import annotations

from pathlib import Path

from vitui.labels import read_object

COMPACT = ("cct_", "cvt_", "vit_lite_")
"""How the names of the models begin that `engine.models` adds to timm's registry."""


def timm_knows(architecture: str) -> bool:
    """Whether timm itself builds it: not with exchanged modules, nor the models it lacks."""
    return not architecture.endswith("+modified") and not architecture.startswith(COMPACT)


def loading(model: Path) -> str:
    """The Python that gives the model in a run's model/ folder: timm's own wherever timm knows the architecture."""
    if timm_knows(str(read_object(model / "config.json").get("architecture", ""))):
        return f'timm.create_model("local-dir:{model}", pretrained=True)'
    return f'import engine.models.exported; engine.models.exported.load("{model}")'
