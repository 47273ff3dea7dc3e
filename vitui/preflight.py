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
    """A dataset as this home has it. `state`: present, embedded (packed at first use), missing or damaged."""

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
        if self.state not in ("missing", "damaged"):
            return ""
        return f"vitui data add {self.name}" + ("" if self.name in datasets.known() else " --from PATH")

    @property
    def size(self) -> str:
        """What getting it downloads, in brackets; empty where nothing is known or needed."""
        return f" (downloads {self.download_mb:.0f} MB)" if self.download_mb and self.state == "missing" else ""


def dataset_status(home: Path) -> list[DatasetStatus]:
    """Every dataset of the catalogue and every one added here, by name."""
    found = {}
    for name, spec in datasets.known().items():
        state = "embedded" if spec.embedded else "missing"
        found[name] = DatasetStatus(
            name, spec.title, state, len(spec.classes), dict(spec.splits), spec.download_mb, spec.licence
        )
    for manifest in sorted((home / "data").glob("*/manifest.json")):
        if not manifest.parent.name.startswith("."):
            found[manifest.parent.name] = _packed(manifest)
    return [found[name] for name in sorted(found)]


def _packed(manifest: Path) -> DatasetStatus:
    name = manifest.parent.name
    content: Any = read_json(manifest)
    try:
        splits = {split: int(part["count"]) for split, part in content["splits"].items()}
        train = splits["train"] > 0
        return DatasetStatus(
            name, str(content["title"]), "present" if train else "damaged", len(content["classes"]), splits, None,
            str(content["licence"]),
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError):
        return DatasetStatus(name, "", "damaged", 0, {}, None, "")


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
    if status.state == "damaged":
        raise UsageError(
            f'data.dataset = "{name}": {home / "data" / name / "manifest.json"} is damaged; '
            f"delete that folder, then `{status.remedy}`"
        )
    if status.state == "missing":
        raise UsageError(
            f'data.dataset = "{name}" is not in {home / "data"}; get it with `{status.remedy}`{status.size}, '
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
