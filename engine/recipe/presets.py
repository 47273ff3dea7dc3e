"""Presets: TOML files with inheritance and the numbers their papers published. Torch-free."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache, reduce
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engine.recipe.compose import Layer, Tree, merge, validate
from engine.recipe.errors import RecipeError, all_fields, nearest, sentences
from engine.recipe.metrics import JUDGED, METRICS
from engine.recipe.schema import Recipe, flatten
from engine.recipe.toggles import BY_ID, Toggle

SHIPPED = Path(__file__).resolve().parents[2] / "presets"

_HEAD = {"title", "description", "extends", "abstract", "reference", "toggles"}


class Reference(BaseModel):
    """What somebody else reported for this recipe: a result, or what else a table says of it (parameters, speed)."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    metric: str = "top1"
    """What was measured, one of `engine.recipe.metrics.METRICS`, which has its unit; top1 and top5 are in percent."""
    split: str = "test"
    """Split it was measured on, where it is a result."""
    value: float | None = None
    """The reported value; absent where `outcome` says what happened instead."""
    decimals: int | None = Field(None, ge=0, le=6)
    """Decimals the source writes; absent: two for percentages, as many as it takes for all else."""
    tolerance: float = Field(0.5, ge=0)
    """Distance, in units of the metric, inside which a reproduction counts as successful."""
    kind: Literal["published", "reproduction", "measured", "draft"] = "published"
    """From the source document, somebody's reproduction, this program's measurement, or a draft of the paper."""
    label: str = ""
    """Which of several values of one kind and metric it is: a second run, another column of the table."""
    source: str
    """Document, table and row."""
    outcome: str = ""
    """A result that is not a number, e.g. "NaN at epoch 35"."""
    when: dict[str, Any] = Field(default_factory=dict)
    """Dotted fields and values: it is about recipes that have just these; empty: about the preset, changed or not."""

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, metric: str) -> str:
        if metric not in METRICS:
            hint = nearest(metric, METRICS) or f"; known are {', '.join(METRICS)}"
            raise ValueError(f'metric = "{metric}" is nothing that a reference reports{hint}')
        return metric

    @field_validator("when", mode="before")
    @classmethod
    def _known_fields(cls, when: Any) -> Any:
        if not isinstance(when, dict):
            return when
        flat = flatten(when)
        for key in flat:
            if key not in _fields() and not key.startswith("model.options."):
                raise ValueError(f"when names an unknown field {key}{nearest(key, _fields())}")
        return flat

    @property
    def judged(self) -> bool:
        """Whether it is a result that runs are judged by; parameters, times and speeds are not."""
        return self.metric in JUDGED

    def holds_for(self, recipe: Recipe) -> bool:
        """Whether the recipe has every value in `when`."""
        return not self.when or self.holds_in(recipe.flat())

    def holds_in(self, flat: Mapping[str, Any]) -> bool:
        """As `holds_for`, for the leaves of a recipe: to ask many references about one."""
        return all(key in flat and flat[key] == value for key, value in self.when.items())


@cache
def _fields() -> frozenset[str]:
    return frozenset(all_fields(Recipe))


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
    toggles: Mapping[str, Toggle] = field(repr=False)
    """Every toggle by id, as this preset means it."""
    layers: tuple[Layer, ...] = field(repr=False)
    recipe: Recipe = field(repr=False)

    @property
    def reference(self) -> Reference | None:
        """The number shown beside results of the unchanged preset."""
        return self.reference_for(self.recipe)

    @property
    def outcome(self) -> Reference | None:
        """What is known to happen to the unchanged preset, where that is no number ("NaN at epoch 35")."""
        return self.outcome_for(self.recipe)

    def reference_for(self, recipe: Recipe) -> Reference | None:
        """The result to compare `recipe` with: the first that is about its very values, else the first about any.

        None for a recipe on other data than the preset's: nobody reported a number for that.
        """
        return self._first([r for r in self.references if r.judged and r.value is not None], recipe)

    def outcome_for(self, recipe: Recipe) -> Reference | None:
        """Likewise among results that tell an outcome."""
        return self._first([r for r in self.references if r.judged and r.outcome], recipe)

    def _first(self, references: Sequence[Reference], recipe: Recipe) -> Reference | None:
        if recipe.data.dataset != self.recipe.data.dataset:
            return None
        flat = recipe.flat() if any(r.when for r in references) else {}
        held = [r for r in references if r.holds_in(flat)]
        return next((r for r in held if r.when), held[0] if held else None)


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


def names(roots: Sequence[Path] = (SHIPPED,)) -> dict[str, str]:
    """Name -> title of every preset a user can run, with nothing composed or validated: quick, as completion must be.

    Raises RecipeError for a file that is not TOML and for two of one name.
    """
    heads = {name: _read(path) for name, path in find(roots).items()}
    return {name: str(head.get("title", "")) for name, head in heads.items() if not head.get("abstract", False)}


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
    return _Shelf(files).load(path)


def load_all(roots: Sequence[Path] = (SHIPPED,)) -> list[Preset]:
    """Every preset a user can run (not the abstract ones), by family and name. Raises RecipeError as `load`."""
    shelf = _Shelf(find(roots))
    runnable = [path for path in shelf.files.values() if not shelf.head(path).get("abstract", False)]
    return sorted((shelf.load(path) for path in runnable), key=lambda p: (p.family, p.name))


def load_sound(roots: Sequence[Path] = (SHIPPED,)) -> tuple[list[Preset], dict[str, str]]:
    """As `load_all`, with the presets that do not load left out. The second part says of each what is wrong."""
    try:
        shelf = _Shelf(find(roots))
    except RecipeError as error:  # two files of one name: which is meant nobody knows
        return (load_sound(roots[:1])[0] if len(roots) > 1 else []), {str(roots[-1].name): str(error)}
    found, wrong = [], {}
    for name, path in shelf.files.items():
        try:
            if not shelf.head(path).get("abstract", False):
                found.append(shelf.load(path))
        except RecipeError as error:
            wrong[name] = str(error)
    return sorted(found, key=lambda p: (p.family, p.name)), wrong


def twin(recipe: Recipe, family: str, roots: Sequence[Path] = (SHIPPED,)) -> Preset | None:
    """The preset of `family` that is this very recipe, None if none is: what is known about that holds for this.

    So a toggle of an ablation finds the number of its row in a preset of its own. Files that do not load are no twins.
    """
    shelf, flat = _Shelf(find(roots)), recipe.flat()
    for path in shelf.files.values():
        if path.parent.name != family:
            continue
        with suppress(RecipeError):
            if shelf.head(path).get("abstract", False) or not shelf.may_be(path, flat):
                continue
            preset = shelf.load(path)
            if preset.recipe.flat() == flat:
                return preset
    return None


@dataclass
class _Shelf:
    """Preset files, each parsed once however many presets extend it."""

    files: dict[str, Path]
    heads: dict[Path, Tree] = field(default_factory=dict)

    def head(self, path: Path) -> Tree:
        if path not in self.heads:
            self.heads[path] = _read(path)
        return self.heads[path]

    def load(self, path: Path) -> Preset:
        chain = self._chain(path, ())
        head = self.head(path)
        layers = self._layers(chain)
        try:
            recipe = validate(_merged(layers))
        except RecipeError as error:
            raise RecipeError(f"preset {path.stem} ({path}): {error}") from None
        return Preset(
            name=path.stem,
            family=path.parent.name,
            path=path,
            title=_word(head, "title", path),
            description=_word(head, "description", path).strip(),
            parents=tuple(p.stem for p in chain[:-1]),
            references=_references(head, path),
            toggles=self._toggles(chain),
            layers=layers,
            recipe=recipe,
        )

    def may_be(self, path: Path, flat: Mapping[str, Any]) -> bool:
        """Whether all that a preset sets is so in a recipe with the leaves `flat`. Quick: nothing is validated."""
        told = flatten(_merged(self._layers(self._chain(path, ()))))
        return all(flat.get(key) == value for key, value in told.items())

    def _layers(self, chain: Sequence[Path]) -> tuple[Layer, ...]:
        return tuple(
            Layer(f"preset {p.stem}", {k: v for k, v in self.head(p).items() if k not in _HEAD}) for p in chain
        )

    def _chain(self, path: Path, seen: tuple[str, ...]) -> list[Path]:
        """The files a preset is made of, each after those it extends."""
        if path.stem in seen:
            cycle = " -> ".join([*seen[seen.index(path.stem) :], path.stem])
            raise RecipeError(f"presets extend each other in a circle: {cycle}; remove one `extends` ({path})")
        extends = self.head(path).get("extends", [])
        if isinstance(extends, str):
            extends = [extends]
        if not isinstance(extends, list) or not all(isinstance(e, str) for e in extends):
            raise RecipeError(f"preset {path.stem} ({path}): extends must be a preset name or a list of them")
        chain: list[Path] = []
        for parent in extends:
            if parent not in self.files:
                raise RecipeError(
                    f"preset {path.stem} ({path}) extends {parent}, which does not exist{nearest(parent, self.files)}"
                )
            chain += self._chain(self.files[parent], (*seen, path.stem))
        return [*chain, path]

    def _toggles(self, chain: Sequence[Path]) -> Mapping[str, Toggle]:
        own: dict[str, Toggle] = {}
        for path in chain:
            said = self.head(path).get("toggles", {})
            for key, value in said.items() if isinstance(said, dict) else [("", said)]:
                where = f"preset {path.stem} ({path}): toggles.{key}"
                if key not in BY_ID:
                    raise RecipeError(f"{where} is no toggle{nearest(key, BY_ID) or '; `vitui toggles` lists them'}")
                if not isinstance(value, dict) or not value or not {"on", "off"}.issuperset(value):
                    raise RecipeError(f"{where} must have a table `on`, a table `off`, or both, and nothing else")
                if not all(isinstance(side, dict) for side in value.values()):
                    raise RecipeError(f"{where}: `on` and `off` must be tables of fields, e.g. {{ mix.mixup = 0.2 }}")
                own[key] = own.get(key, BY_ID[key]).meaning(
                    **{side: flatten(value.get(side, {})) or None for side in ("on", "off")}
                )
        return {**BY_ID, **own} if own else BY_ID


def _merged(layers: Sequence[Layer]) -> Tree:
    return reduce(lambda tree, layer: merge(tree, layer.tree), layers, {})


def _references(head: Tree, path: Path) -> tuple[Reference, ...]:
    raw = head.get("reference", [])
    try:
        return tuple(
            Reference.model_validate(one)
            for entry in (raw if isinstance(raw, list) else [raw])
            for one in _cells(entry)
        )
    except ValidationError as error:
        raise RecipeError(f"preset {path.stem} ({path}): reference: {'; '.join(sentences(error, Reference))}") from None


def _cells(entry: Any) -> list[Any]:
    """A reference with `cells` is several of one table: each adds its own value, its place (`at`) and its `when`."""
    if not isinstance(entry, dict) or not isinstance(entry.get("cells"), list):
        return [entry]
    shared = {key: value for key, value in entry.items() if key != "cells"}
    out: list[Any] = []
    for cell in entry["cells"]:
        one = {**shared, **cell} if isinstance(cell, dict) else {**shared, "cells": cell}
        if place := one.pop("at", ""):
            one["source"] = f"{one.get('source', '')}, {place}"
        if isinstance(common := shared.get("when"), dict) and isinstance(own := one["when"], dict):
            one["when"] = merge(common, own)
        out.append(one)
    return out


def _read(path: Path) -> Tree:
    try:
        stamp = path.stat()
        return _parsed(path, stamp.st_mtime_ns, stamp.st_size)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"preset {path.stem} ({path}) is not valid TOML: {error}") from None
    except OSError as error:
        raise RecipeError(f"preset file {path} cannot be read: {error.strerror}") from None


@lru_cache(maxsize=2000)
def _parsed(path: Path, changed_ns: int, size: int) -> Tree:
    """A form asks for the same files with every key: each is parsed once until it changes. Nobody changes a tree."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _word(head: Tree, key: str, path: Path) -> str:
    value = head.get(key, "")
    if not isinstance(value, str):
        raise RecipeError(f"preset {path.stem} ({path}): {key} must be text, not {value!r}")
    return value
