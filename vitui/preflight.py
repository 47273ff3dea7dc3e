"""Why a launch cannot work, found before anything is created: data, device, space."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import read_json
from engine.recipe import Recipe, RecipeError, datasets
from engine.recipe.errors import nearest
from engine.recipe.splits import split_roles, train_images
from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.supervisor.devices import Device

NEEDED_BYTES = 200 << 20
"""Free space below which no run is started: two checkpoints of a small model and its journal."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class DatasetStatus:
    """A dataset as this home has it. `state`: present, embedded (packed at first use), missing or damaged.

    `page` says where a missing one is to be had that cannot be downloaded.
    """

    name: str
    title: str
    state: str
    classes: int
    splits: dict[str, int]
    download_mb: float | None
    licence: str
    page: str = ""

    @property
    def remedy(self) -> str:
        """The command that gets it, empty where nothing is needed."""
        return self.command if self.state in ("missing", "damaged") else ""

    @property
    def command(self) -> str:
        """The command that packs it."""
        spec = datasets.known().get(self.name)
        return spec.remedy if spec is not None else f"vitui data add {self.name} --from PATH"

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
            name, spec.title, state, spec.class_count, dict(spec.splits), spec.download_mb if spec.files else None,
            spec.licence, spec.page,
        )  # fmt: skip
    for manifest in sorted((home / "data").glob("*/manifest.json")):
        if not manifest.parent.name.startswith("."):
            found[manifest.parent.name] = _packed(manifest)
    return [found[name] for name in sorted(found)]


def _packed(manifest: Path) -> DatasetStatus:
    name = manifest.parent.name
    content: Any = read_json(manifest)
    try:
        splits = {split: int(part["count"]) for split, part in content["splits"].items()}
        whole = bool(splits) and min(splits.values()) > 0
        return DatasetStatus(
            name, str(content["title"]), "present" if whole else "damaged", len(content["classes"]), splits, None,
            str(content["licence"]),
        )  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError):
        return DatasetStatus(name, "", "damaged", 0, {}, None, "")


def check_data(home: Path, recipe: Recipe) -> None:
    """Raises UsageError unless the data is there, its splits can play their roles, and it has images for one batch."""
    known = {status.name: status for status in dataset_status(home)}
    status = _there(home, "data.dataset", recipe.data.dataset, known)
    try:
        split_roles(recipe, status.splits)
    except RecipeError as error:
        raise UsageError(str(error)) from None
    images = train_images(recipe, status.splits)
    if images < recipe.train.batch_size:
        raise UsageError(
            f"train.batch_size = {recipe.train.batch_size} is more than the {images} training images of {status.name}"
        )
    if recipe.evaluate.select_dataset:
        other = _there(home, "evaluate.select_dataset", recipe.evaluate.select_dataset, known)
        if other.state == "embedded":
            raise UsageError(f'evaluate.select_dataset = "{other.name}" is not packed yet; run `{other.command}`')
        _check_can_select(home, status, other)


def _there(home: Path, field: str, name: str, known: dict[str, DatasetStatus]) -> DatasetStatus:
    """The status of a dataset that a recipe names. Raises UsageError saying how to get it."""
    status = known.get(name)
    if status is None:
        hint = nearest(name, known)
        if _NAME.fullmatch(name):
            hint += f"{' Or' if hint else ';'} add your own with `vitui data add {name} --from PATH`"
        raise UsageError(f'{field} = "{name}" is not known{hint}')
    if status.state == "damaged":
        raise UsageError(
            f'{field} = "{name}": {home / "data" / name / "manifest.json"} is damaged; '
            f"delete that folder, then `{status.remedy}`"
        )
    if status.state == "missing":
        or_else = f"; the files are at {status.page}"
        if not status.page:
            or_else = f", or `vitui data add {name} --from PATH` if you have the files"
        raise UsageError(
            f'{field} = "{name}" is not in {home / "data"}; get it with `{status.remedy}`{status.size}{or_else}'
        )
    return status


def _check_can_select(home: Path, trained: DatasetStatus, selecting: DatasetStatus) -> None:
    """Raises UsageError unless they are other pictures, of as many channels and of the same classes in the same order.

    A dataset that is packed at first use says nothing of names and channels before.
    """
    what = f'evaluate.select_dataset = "{selecting.name}"'
    if selecting.classes != trained.classes:
        raise UsageError(
            f"{what} has {selecting.classes} classes, {trained.name} has {trained.classes}; choose another"
        )
    ours, theirs = (_manifest(home, status.name) for status in (trained, selecting))
    if ours.get("fingerprint", 0) == theirs.get("fingerprint", 1):
        raise UsageError(f"{what} holds the very images of {trained.name}; use evaluate.select_on")
    for key, says in (
        ("classes", f"has other classes than {trained.name}, or in another order"),
        ("channels", f"has {theirs.get('channels')} channels a picture, {trained.name} has {ours.get('channels')}"),
    ):
        if key in ours and key in theirs and ours[key] != theirs[key]:
            raise UsageError(f"{what} {says}; choose another")


def _manifest(home: Path, name: str) -> dict[str, Any]:
    content: Any = read_json(home / "data" / name / "manifest.json")
    return content if isinstance(content, dict) else {}


def check_device(device: str, devices: Sequence[Device]) -> None:
    """Raises UsageError for a device this machine does not have."""
    from vitui.supervisor.devices import check_request

    if problem := check_request(device, 1, devices):
        raise UsageError(problem)


def check_space(home: Path) -> None:
    """Raises UsageError when the home's disk is all but full; the home itself need not be there yet."""
    free = shutil.disk_usage(next(place for place in (home, *home.parents) if place.exists())).free
    if free < NEEDED_BYTES:
        raise UsageError(
            f"only {free / 2**20:.0f} MB are free on the disk of {home}, a run needs at least "
            f"{NEEDED_BYTES >> 20} MB; free some or choose another place with --home"
        )
