"""Presets: TOML files with inheritance and the numbers their papers published. Torch-free."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.recipe.compose import Layer, compose
from engine.recipe.errors import RecipeError, nearest, sentences
from engine.recipe.schema import Recipe

SHIPPED = Path(__file__).resolve().parents[2] / "presets"

_HEAD = {"title", "description", "extends", "abstract", "reference"}


class Reference(BaseModel):
    """A number somebody else reported for this recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    metric: str = "top1"
    """What was measured; top1 and top5 are in percent."""
    split: str = "test"
    """Split it was measured on."""
    value: float | None = None
    """The reported value; absent where `outcome` says what happened instead."""
    tolerance: float = Field(0.5, ge=0)
    """Distance, in units of the metric, inside which a reproduction counts as successful."""
    kind: Literal["published", "reproduction", "measured"] = "published"
    """From the paper, from somebody's reproduction, or measured with this program."""
    source: str
    """Document, table and row."""
    outcome: str = ""
    """A result that is not a number, e.g. "NaN at epoch 35"."""


@dataclass(frozen=True)
class Preset:
    """One preset, read and inherited. `recipe` is validated."""

    name: str
    family: str
    path: Path
    title: str
    description: str
    parents: tuple[str, ...]
    references: tuple[Reference, ...]
    layers: tuple[Layer, ...] = field(repr=False)
    recipe: Recipe = field(repr=False)

    @property
    def reference(self) -> Reference | None:
        """The first reference with a number: the one shown beside results."""
        return next((r for r in self.references if r.value is not None), None)


def find(roots: Sequence[Path] = (SHIPPED,)) -> dict[str, Path]:
    """Preset name -> file, abstract ones included. A later root wins over an earlier one."""
    found: dict[str, Path] = {}
    for root in roots:
        names: dict[str, Path] = {}
        for path in sorted(root.rglob("*.toml")):
            if path.stem in names:
                raise RecipeError(
                    f"two presets are called {path.stem}: {names[path.stem]} and {path}; rename one of the files"
                )
            names[path.stem] = path
        found.update(names)
    return found


def load(name: str, roots: Sequence[Path] = (SHIPPED,)) -> Preset:
    """Read a preset by name, or by the path of a .toml file.

    Raises RecipeError: unknown name (with the nearest one), bad TOML (file and line), unknown key, cyclic `extends`,
    or a recipe that does not validate.
    """
    files = find(roots)
    if name.endswith(".toml"):
        path = Path(name)
        if not path.is_file():
            raise RecipeError(f"there is no preset file {name}")
    elif name in files:
        path = files[name]
    else:
        raise RecipeError(f"unknown preset {name}{nearest(name, files) or '; `vitui presets` lists them'}")
    layers, parents = _chain(path, files, ())
    head = _read(path)
    try:
        recipe, _ = compose(layers)
    except RecipeError as error:
        raise RecipeError(f"preset {path.stem} ({path}): {error}") from None
    raw = head.get("reference", [])
    try:
        references = tuple(Reference.model_validate(r) for r in (raw if isinstance(raw, list) else [raw]))
    except ValidationError as error:
        raise RecipeError(f"preset {path.stem} ({path}): reference: {'; '.join(sentences(error, Reference))}") from None
    return Preset(
        name=path.stem,
        family=path.parent.name,
        path=path,
        title=_word(head, "title", path),
        description=_word(head, "description", path).strip(),
        parents=tuple(parents),
        references=references,
        layers=tuple(layers),
        recipe=recipe,
    )


def load_all(roots: Sequence[Path] = (SHIPPED,)) -> list[Preset]:
    """Every preset a user can run (not the abstract ones), by family and name. Raises RecipeError as `load`."""
    files = find(roots)
    runnable = [name for name, path in files.items() if not _read(path).get("abstract", False)]
    return sorted((load(name, roots) for name in runnable), key=lambda p: (p.family, p.name))


def _chain(path: Path, files: dict[str, Path], seen: tuple[str, ...]) -> tuple[list[Layer], list[str]]:
    if path.stem in seen:
        cycle = " -> ".join([*seen[seen.index(path.stem) :], path.stem])
        raise RecipeError(f"presets extend each other in a circle: {cycle}; remove one `extends` ({path})")
    head = _read(path)
    extends = head.get("extends", [])
    if isinstance(extends, str):
        extends = [extends]
    if not isinstance(extends, list) or not all(isinstance(e, str) for e in extends):
        raise RecipeError(f"preset {path.stem} ({path}): extends must be a preset name or a list of them")
    layers: list[Layer] = []
    parents: list[str] = []
    for parent in extends:
        if parent not in files:
            raise RecipeError(
                f"preset {path.stem} ({path}) extends {parent}, which does not exist{nearest(parent, files)}"
            )
        inherited, names = _chain(files[parent], files, (*seen, path.stem))
        layers += inherited
        parents += [*names, parent]
    own = {key: value for key, value in head.items() if key not in _HEAD}
    return [*layers, Layer(f"preset {path.stem}", own)], parents


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"preset {path.stem} ({path}) is not valid TOML: {error}") from None
    except OSError as error:
        raise RecipeError(f"preset file {path} cannot be read: {error.strerror}") from None


def _word(head: dict[str, Any], key: str, path: Path) -> str:
    value = head.get(key, "")
    if not isinstance(value, str):
        raise RecipeError(f"preset {path.stem} ({path}): {key} must be text, not {value!r}")
    return value
