"""From a study's definition to its variants: every recipe composed and checked. Reads preset files, queues nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from engine.recipe import Preset, Recipe, RecipeError, Reference, presets, toggles
from engine.recipe.compose import as_text
from engine.recipe.errors import nearest
from engine.recipe.fingerprint import SEED, fingerprint
from vitui.composition import Composed, compose_preset
from vitui.errors import UsageError
from vitui.studies.definition import BASE, MOST_RUNS, Level, Sampled, Study
from vitui.studies.variants import Variant

KEPT = frozenset({"amp", "sync-bn"})
"""Toggles that `leave_out = "all"` passes over, with those about data: they are how it is computed, or judged."""


@dataclass(frozen=True)
class Start:
    """Weights that a run of an upstream study trained, as a place to start from."""

    name: str
    label: str
    weights: str
    """A file."""
    axis: str = ""
    level: str = ""
    """The level of an axis that it was trained at, where one was picked for each (`[upstream] each`)."""

    @property
    def sets(self) -> tuple[str, ...]:
        """Words of --set that start a run from it."""
        return ("model.pretrained=true", f"model.weights={as_text(self.weights)}")


@dataclass(frozen=True)
class _Words:
    """A variant before its recipe is composed."""

    name: str
    label: str
    preset: str
    toggles: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    levels: Mapping[str, str] | None = None
    sampled: Mapping[str, Any] | None = None


class Shelf:
    """Presets, each read once, and found by their recipe: a study composes thousands."""

    def __init__(self, where: Sequence[Path]) -> None:
        self.where = where
        self._presets: dict[str, Preset] = {}
        self._families: dict[str, dict[str, Preset]] = {}

    def preset(self, name: str) -> Preset:
        """Raises RecipeError as `presets.load`."""
        if name not in self._presets:
            self._presets[name] = presets.load(name, self.where)
        return self._presets[name]

    @cached_property
    def _all(self) -> list[Preset]:
        return presets.load_sound(self.where)[0]

    def twin(self, recipe: Recipe, family: str) -> Preset | None:
        """The preset of `family` that is this very recipe, as `presets.twin` finds it."""
        if family not in self._families:
            known = [one for one in self._all if one.family == family]
            self._families[family] = {_whole(one.recipe): one for one in reversed(known)}
        return self._families[family].get(_whole(recipe))

    def compose(self, preset: str, words: Sequence[str], sets: Sequence[str]) -> Composed:
        """Raises RecipeError."""
        return compose_preset(self.preset(preset), words, sets, where=self.where, twin=self.twin)


def _whole(recipe: Recipe) -> str:
    return repr(sorted(recipe.flat().items()))


def variants_of(study: Study, shelf: Shelf, starts: Sequence[Start] = (), where: str = "study") -> tuple[Variant, ...]:
    """Every variant of a study in order: base, what is left out, what is added, presets, its own, grid, search, starts.

    Raises UsageError, beginning with `where`, for an unknown preset or toggle, a recipe that cannot be, a toggle to
    leave out that is off (or to add that is on), two variants of one name, an unknown baseline, and too many runs.
    """
    try:
        told = list(_words(study, shelf, starts))
        _check(study, told, where)
        return tuple(_variant(words, study, shelf) for words in told)
    except RecipeError as error:
        raise UsageError(f"{where}: {error}") from None


def seeds_of(study: Study, variants: Sequence[Variant], shelf: Shelf) -> tuple[int, ...]:
    """The seeds of a study; where it says how many, from the first variant's own on."""
    if isinstance(study.seeds, tuple):
        return study.seeds
    first = 0
    if variants:
        first = composed(variants[0], shelf).recipe.train.seed
    return tuple(range(first, first + study.seeds))


def composed(variant: Variant, shelf: Shelf, seed: int | None = None) -> Composed:
    """The recipe of a variant, with a seed. Raises RecipeError."""
    found = shelf.compose(variant.preset, variant.toggles, variant.sets)
    if seed is None or found.recipe.train.seed == seed:
        return found
    again = shelf.compose(variant.preset, variant.toggles, [*variant.sets, f"{SEED}={seed}"])
    # The same recipe with another seed: what is known about it still is.
    return replace(again, reference=found.reference, outcome=found.outcome)


# -- which variants ----------------------------------------------------------------------------------------------


def _words(study: Study, shelf: Shelf, starts: Sequence[Start]) -> Iterator[_Words]:
    told = list(_unstarted(study, shelf))
    yield from told
    for start in starts:
        yield from _started(study, start, told)


def _started(study: Study, start: Start, told: Sequence[_Words]) -> Iterator[_Words]:
    """The base, or in a sweep every variant, with the weights of an upstream run."""
    assert study.upstream is not None
    if not study.upstream.sweep:
        yield _Words(start.name, start.label, study.base, (), start.sets)
        return
    split = start.axis in {axis.name for axis in study.axis}
    for one in told:
        levels = one.levels or {}
        if split and levels.get(start.axis) != start.level:
            continue
        base = one.name == BASE
        yield replace(
            one,
            name=start.name if base else f"{start.name}/{one.name}",
            label=start.label if base else f"{start.label}: {one.label}",
            sets=(*one.sets, *start.sets),
            # Its cells are no cells of the grid, whose heat map is about the variants that start as the base does.
            levels=None,
        )


def _unstarted(study: Study, shelf: Shelf) -> Iterator[_Words]:
    """All variants but those that start from upstream weights."""
    plain = study.base if "{" not in study.base else ""
    if plain and not study.axis:
        yield _Words(BASE, BASE, plain)
        yield from _flipped(study, shelf, plain)
    for name in study.presets:
        yield _Words(name, shelf.preset(name).title or name, name)
    for own in study.variant:
        yield _Words(own.name, own.label or own.name, own.preset or study.base, own.toggles, own.sets)
    if study.axis:
        yield from _grid(study)
    if study.search is not None and study.search.fields:
        yield from _drawn(study, plain)


def _flipped(study: Study, shelf: Shelf, base: str) -> Iterator[_Words]:
    """The base with one toggle flipped."""
    if not study.leave_out and not study.add:
        return
    preset = shelf.preset(base)
    known = preset.toggles
    states = toggles.states(shelf.compose(base, (), study.sets).recipe, known)
    out = study.leave_out
    if out == "all":
        out = tuple(id for id, state in states.items() if state and known[id].group != "data" and id not in KEPT)
    for id, wanted, key in [*((id, False, "leave_out") for id in out), *((id, True, "add") for id in study.add)]:
        if id not in known:
            raise UsageError(f"{key} names an unknown toggle {id}{nearest(id, known) or '; see `vitui toggles`'}")
        if states[id] is wanted:
            now, other = ("on", "leave_out") if wanted else ("off", "add")
            raise UsageError(f"{key}: {id} is {now} in {base} already; it belongs into {other}")
        sign = "+" if wanted else "−"
        yield _Words(id if wanted else f"no-{id}", f"{sign} {known[id].label}", base, (id if wanted else f"no-{id}",))


def _combinations(study: Study) -> Iterator[tuple[Level, ...]]:
    """Of the levels of all axes; of a search of the grid those it draws, in the order of the grid."""
    every = product(*(axis.levels for axis in study.axis))
    if study.search is None or not study.search.grid:
        return every
    size = math.prod(len(axis.levels) for axis in study.axis)
    # A shuffle of which the first n are taken: a larger n adds to them.
    order = random.Random(study.search.seed).sample(range(size), size)
    chosen = set(order[: study.search.n])
    return (levels for place, levels in enumerate(every) if place in chosen)


def _grid(study: Study) -> Iterator[_Words]:
    for levels in _combinations(study):
        fills = {axis.name: level.fill or level.name for axis, level in zip(study.axis, levels, strict=True)}
        preset = study.base
        for name, fill in fills.items():
            preset = preset.replace(f"{{{name}}}", fill)
        names = {axis.name: level.name for axis, level in zip(study.axis, levels, strict=True)}
        yield _Words(
            "/".join(names.values()),
            ", ".join(level.label or level.name for level in levels),
            preset,
            tuple(word for level in levels for word in level.toggles),
            tuple(word for level in levels for word in level.sets),
            names,
        )


def _drawn(study: Study, base: str) -> Iterator[_Words]:
    """Variants of a random search, each from a generator of its own: more of them leave the first as they are."""
    assert study.search is not None
    for number in range(study.search.n):
        chance = random.Random(f"{study.search.seed}/{number}")
        values = {key: _draw(chance, field) for key, field in study.search.fields.items()}
        label = ", ".join(f"{key.rpartition('.')[2]} {as_text(value)}" for key, value in values.items())
        sets = tuple(f"{key}={as_text(value)}" for key, value in values.items())
        yield _Words(f"search-{number:03d}", label, base, (), sets, sampled=values)


def _draw(chance: random.Random, field: Sampled) -> Any:
    """One value; numbers to three significant digits, so that they can be written in a table and mean the same."""
    if field.choices:
        return chance.choice(field.choices)
    low, high = field.low or 0.0, field.high or 0.0
    if field.integer:
        if field.log:
            return min(int(high), max(math.ceil(low), round(math.exp(chance.uniform(math.log(low), math.log(high))))))
        return chance.randint(math.ceil(low), math.floor(high))
    value = math.exp(chance.uniform(math.log(low), math.log(high))) if field.log else chance.uniform(low, high)
    return min(high, max(low, float(f"{value:.3g}")))


def _check(study: Study, told: Sequence[_Words], where: str) -> None:
    names = [words.name for words in told]
    if twice := next((name for name, n in _counted(names).items() if n > 1), None):
        raise UsageError(f'{where}: two variants are called "{twice}"; give one of them another name')
    if study.baseline and study.baseline not in names and study.upstream is None:
        raise UsageError(f'{where}: baseline = "{study.baseline}" is no variant{nearest(study.baseline, names)}')
    seeds = len(study.seeds) if isinstance(study.seeds, tuple) else study.seeds
    if len(names) * seeds > MOST_RUNS:
        raise UsageError(f"{where}: {len(names):,} variants x {seeds} seeds are more than {MOST_RUNS:,} runs")


def _counted(names: Sequence[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


# -- one variant -------------------------------------------------------------------------------------------------


def _variant(words: _Words, study: Study, shelf: Shelf) -> Variant:
    sets = (*study.sets, *words.sets)
    try:
        found = shelf.compose(words.preset, words.toggles, sets)
        as_published = shelf.compose(words.preset, words.toggles, words.sets) if study.sets else found
    except RecipeError as error:
        raise RecipeError(f"variant {words.name}: {error}") from None
    return Variant(
        words.name,
        words.label,
        words.preset,
        words.toggles,
        sets,
        words.levels or {},
        fingerprint(found.recipe.flat()),
        found.recipe.model.name,
        _references(as_published, shelf),
        words.sampled or {},
    )


def _references(found: Composed, shelf: Shelf) -> tuple[Reference, ...]:
    """What others reported for this very recipe. A preset's number holds for the preset, not for what differs from it,
    unless it says for which values it holds, or the change leads to another preset."""
    base, flat = shelf.preset(found.preset), found.recipe.flat()
    if not found.changes:
        return tuple(one for one in base.references if one.holds_in(flat))
    if (twin := shelf.twin(found.recipe, found.family)) is not None:
        return tuple(one for one in twin.references if one.holds_in(flat))
    if found.recipe.data.dataset != base.recipe.data.dataset:
        return ()
    return tuple(one for one in base.references if one.when and one.holds_in(flat))
