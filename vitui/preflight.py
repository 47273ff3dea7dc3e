"""Why a launch cannot work, found before anything is created: data, device, space."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import read_json
from engine.recipe import Recipe, datasets
from engine.recipe.errors import nearest
from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.supervisor.devices import Device

NEEDED_BYTES = 200 << 20
"""Free space below which no run is started: two checkpoints of a small model and its journal."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class DatasetStatus:
    """A dataset as this home has it. `state`: present, embedded (packed at first use) or missing."""

    name: str
    title: str
    state: str
    classes: int
    splits: dict[str, int]
    download_mb: float | None
    licence: str

    @property
    def remedy(self) -> str:
        """The command that gets it, empty where nothing is needed."""
        if self.state != "missing":
            return ""
        size = f" (downloads {self.download_mb:.0f} MB)" if self.download_mb else ""
        return f"vitui data add {self.name}{size}"


def dataset_status(home: Path) -> list[DatasetStatus]:
    """Every dataset of the catalogue and every one added here, by name."""
    found = {}
    for name, spec in datasets.known().items():
        state = "embedded" if spec.embedded else "missing"
        found[name] = DatasetStatus(
            name, spec.title, state, len(spec.classes), dict(spec.splits), spec.download_mb, spec.licence
        )
    for manifest in sorted((home / "data").glob("*/manifest.json")):
        content = read_json(manifest)
        if isinstance(content, dict) and not manifest.parent.name.startswith("."):
            name = manifest.parent.name
            splits = {k: int(v["count"]) for k, v in content["splits"].items()}
            found[name] = DatasetStatus(
                name, content["title"], "present", len(content["classes"]), splits, None, content["licence"]
            )
    return [found[name] for name in sorted(found)]


def manifest(home: Path, name: str) -> dict[str, Any] | None:
    """The manifest of a packed dataset, None where it is not present."""
    content = read_json(home / "data" / name / "manifest.json") if _NAME.fullmatch(name) else None
    return content if isinstance(content, dict) else None


def check_data(home: Path, recipe: Recipe) -> None:
    """Raises UsageError unless the dataset is there and has enough images for one batch."""
    name = recipe.data.dataset
    known = {status.name: status for status in dataset_status(home)}
    status = known.get(name)
    if status is None:
        hint = nearest(name, known)
        if _NAME.fullmatch(name) and not hint:
            hint = f"; add your own with `vitui data add {name} --from PATH`"
        raise UsageError(f'data.dataset = "{name}" is not known{hint}')
    if status.state == "missing":
        raise UsageError(
            f'data.dataset = "{name}" is not in {home / "data"}; get it with `{status.remedy}`, '
            f"or `vitui data add {name} --from PATH` if you have the files"
        )
    images = status.splits["train"]
    images -= round(images * recipe.data.minival)
    if images < recipe.train.batch_size:
        raise UsageError(
            f"train.batch_size = {recipe.train.batch_size} is more than the {images} training images of {name}"
        )


def check_device(device: str, devices: Sequence[Device]) -> None:
    """Raises UsageError for a device this machine does not have."""
    from vitui.supervisor.devices import check_request

    if problem := check_request(device, 1, devices):
        raise UsageError(problem)


def check_space(home: Path) -> None:
    """Raises UsageError when the home's disk is all but full."""
    free = shutil.disk_usage(home).free
    if free < NEEDED_BYTES:
        raise UsageError(
            f"only {free / 2**20:.0f} MB are free on the disk of {home}, a run needs at least "
            f"{NEEDED_BYTES >> 20} MB; free some or choose another place with --home"
        )
