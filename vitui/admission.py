"""Whether a recipe's model can be built for its data, and what it is like, before anything is created.

The engine needs seconds to load, so what it said of a model is kept in ``<home>/cache/models/``, one file for each
answer, named by everything the answer depends on. A refusal is not kept: what was missing may be there next time.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.journal import read_json, write_json
from engine.recipe import datasets
from vitui.composition import LOCAL
from vitui.errors import UsageError
from vitui.inspecting import Answer, Begun, Description, Question, ask, description

if TYPE_CHECKING:
    from engine.recipe import Recipe

PATIENCE_S = 0.3
"""Seconds an answer may take before somebody who waits is told what for."""
PACKAGES = ("vitui", "torch", "timm")
CODE = Path(datasets.__file__).parents[1]
"""The engine's own: a checkout that was pulled says something else under the same version."""

# What besides sections `model` and `distill` decides how a model is built and what its training keeps in memory.
_DECIDES = (
    "regularize.drop_path", "regularize.dropout", "regularize.pos_dropout", "regularize.proj_dropout",
    "regularize.mlp_dropout", "regularize.attn_dropout", "train.scope", "train.mode", "train.sync_bn", "optim.name",
    "optim.momentum", "optim.layer_decay",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """What a model sees and tells apart. `known`: from the data; else a guess, as of images nobody has described."""

    channels: int
    classes: int
    img_size: int
    known: bool = True


GUESS = Shape(3, 1000, 224, known=False)
"""ImageNet's: data that neither the catalogue nor the home knows are most likely its like."""


def shape_of(home: Path, recipe: Recipe) -> Shape:
    """Channels, classes and image side (px) of a recipe's data: as packed here, else as the catalogue says."""
    name = recipe.data.dataset
    found = _packed(home / "data" / name / "manifest.json") or _catalogued(name) or GUESS
    side = recipe.data.img_size
    return found if side == "auto" else Shape(found.channels, found.classes, side, found.known)


def _packed(manifest: Path) -> Shape | None:
    content: Any = read_json(manifest)
    try:
        return Shape(int(content["channels"]), len(content["classes"]), min(map(int, content["size"])))
    except (KeyError, TypeError, ValueError):
        return None


def _catalogued(name: str) -> Shape | None:
    spec = datasets.known().get(name)
    if spec is None:
        return None
    return Shape(spec.channels, spec.class_count, min(spec.size) if spec.size else spec.pack_size)


def question(home: Path, recipe: Recipe) -> Question:
    """What the engine is asked about a recipe; its key is what the answer is kept under."""
    tree, shape = recipe.model_dump(mode="json"), shape_of(home, recipe)
    flat = recipe.flat()
    matters = {
        "model": tree["model"],
        "distill": tree["distill"],
        "others": [flat.get(name) for name in _DECIDES],
        "ema": recipe.regularize.ema > 0,
        "shape": [shape.channels, shape.classes, shape.img_size],
        "files": [stamp for path in _files(recipe) for stamp in _stamps(path)],
        "versions": [_version(name) for name in PACKAGES],
        "code": [stamp for path in sorted(CODE.glob("*/*.py")) for stamp in _stamps(path)],
    }
    key = hashlib.sha256(json.dumps(matters, sort_keys=True).encode()).hexdigest()
    return Question(key, tree, shape.channels, shape.classes, shape.img_size)


def _files(recipe: Recipe) -> Iterator[Path]:
    """Files and folders of the user's that the model is built from."""
    if recipe.model.weights:
        yield Path(recipe.model.weights)
        yield Path(recipe.model.weights).with_name("config.json")  # of an export: which of its modules are exchanged
    if recipe.distill.teacher.startswith(LOCAL):
        yield Path(recipe.distill.teacher.removeprefix(LOCAL))


def _stamps(path: Path) -> list[tuple[str, int, int]]:
    """Path, bytes and time of change (ns) of a file, or of the files in a folder; none of what is not there."""
    try:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        return [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    except OSError:
        return []


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def describe(
    home: Path, recipe: Recipe, tell: Callable[[str], None] | None = None, begun: Begun | None = None
) -> Description:
    """The model of a recipe as the engine would build it here; `tell` hears what is waited for, if it takes a while.

    Raises UsageError with the engine's sentence when it cannot be built, VitError when the engine cannot be asked.
    Takes seconds where nobody has asked before: not for the thread of an interface.
    """
    return describe_all(home, [recipe], tell, begun)[0]


def describe_all(
    home: Path, recipes: Sequence[Recipe], tell: Callable[[str], None] | None = None, begun: Begun | None = None
) -> list[Description]:
    """As `describe`, of several: the engine is loaded once for all that nobody has asked about. Raises for the first
    that cannot be built."""
    asked = [question(home, recipe) for recipe in recipes]
    found = {one.key: known for one in asked if (known := recall(home, one.key)) is not None}
    lacking = {one.key: one for one in asked if one.key not in found}
    if not lacking:
        return [found[one.key] for one in asked]
    what = "checking the model…" if len(lacking) == 1 else f"checking {len(lacking)} models…"
    notice = threading.Timer(PATIENCE_S, tell or _silent, [what])
    notice.daemon = True
    notice.start()
    try:
        with _turn(home):
            for key in list(lacking):
                if (known := recall(home, key)) is not None:  # somebody has asked while we waited
                    found[key] = known
                    del lacking[key]
            for key, answer in answers(home, list(lacking.values()), begun) if lacking else ():
                if isinstance(answer, str):
                    raise UsageError(answer)
                found[key] = answer
    finally:
        notice.cancel()
    return [found[one.key] for one in asked]


@contextlib.contextmanager
def _turn(home: Path) -> Iterator[None]:
    """One at a time asks for a home: twenty launches at once must not load the engine twenty times."""
    if not _is_home(home):
        yield
        return
    folder = home / "cache"
    try:
        folder.mkdir(exist_ok=True)
        lock = os.open(folder / "models.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:  # a home to look at only
        yield
        return
    try:
        with contextlib.suppress(OSError):  # a network filesystem without locks
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def answers(home: Path, questions: Sequence[Question], begun: Begun | None = None) -> Iterator[tuple[str, Answer]]:
    """As `vitui.inspecting.ask`, keeping what can be built for the next time."""
    for key, answer in ask(questions, begun):
        if not isinstance(answer, str):
            _keep(home, key, answer)
        yield key, answer


def recall(home: Path, key: str) -> Description | None:
    """A description kept earlier; None where there is none, or it is damaged."""
    try:
        return description(read_json(_place(home, key)))
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _keep(home: Path, key: str, found: Description) -> None:
    """Into the home, where there is one that can be written to: a cache is no reason to make one, or to fail."""
    if _is_home(home):
        with contextlib.suppress(OSError):
            _place(home, key).parent.mkdir(parents=True, exist_ok=True)
            write_json(_place(home, key), found.as_json())


def _is_home(home: Path) -> bool:
    return (home / "runs").is_dir()


def _place(home: Path, key: str) -> Path:
    return home / "cache" / "models" / f"{key}.json"


def _silent(_: str) -> None:
    """Nobody waits."""
