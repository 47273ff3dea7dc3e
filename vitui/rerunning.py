"""A run once more: its recipe as it was launched, changed a little or not at all, also when its preset is gone."""

from __future__ import annotations

import re
import shlex
import sqlite3
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from engine.journal import RunDir
from engine.recipe import Change, Layer, Preset, Recipe, RecipeError, Reference, compose, parse_set, presets, toggles
from engine.recipe.compose import to_sets, validate
from vitui import labels
from vitui.composition import Composed, read_recipe, roots
from vitui.drafts.seeds import parse_seeds
from vitui.errors import UsageError

if TYPE_CHECKING:
    from vitui.lab import Lab
    from vitui.store import Run

SEED = "train.seed"
_MORE = re.compile(r"\s*(\d+)\s+more\s*", re.IGNORECASE)


def composed_of(run: RunDir, row: Run) -> Composed:
    """The recipe as it was launched, with its preset, the changes against that, their origins and its reference.

    All from the run directory; `row` stands in for a run.json that is lost. Raises UsageError where recipe.toml is
    gone, damaged, or of a vitui that knew other fields.
    """
    try:
        recipe = validate(read_recipe(run.recipe))
    except RecipeError as error:
        raise UsageError(f"the recipe of run {run.id} does not fit this vitui: {error}") from None
    said = labels.read_object(run.labels)
    reference, outcome = _reference(said.get("reference"))
    return Composed(
        _text(said.get("preset")) or row.preset,
        _text(said.get("family")) or row.family,
        recipe,
        _changes(said.get("changes"), recipe),
        {key: _text(_object(said.get("origins")).get(key)) or "default" for key in recipe.flat()},
        reference,
        outcome,
    )


def changed(composed: Composed, switches: Sequence[str], sets: Sequence[str], home: Path) -> Composed:
    """`composed` with overrides and toggles on top, as `vitui.composition.compose_run` applies them to a preset.

    Raises RecipeError for anything unknown or impossible.
    """
    preset = find_preset(composed, home)
    known = preset.toggles if preset is not None else toggles.BY_ID
    layers = [Layer("", composed.recipe.model_dump(mode="json")), *(Layer("--set", parse_set(s)) for s in sets)]
    recipe, origins = compose(layers)
    if switches:
        layers += toggles.patch(recipe, switches, known)
        recipe, origins = compose(layers)
    return _onto(composed, recipe, origins, preset, home)


def seeded(composed: Composed, seed: int) -> Composed:
    """`composed` with another seed: the same recipe, so that what is known about it still is."""
    before = composed.recipe.flat()[SEED]
    if seed == before:
        return composed
    recipe, _ = compose([
        Layer("", composed.recipe.model_dump(mode="json")), Layer("seeds", parse_set(f"{SEED}={seed}")),
    ])  # fmt: skip
    return replace(
        composed,
        recipe=recipe,
        changes=_merged(composed, recipe),
        origins={**composed.origins, SEED: "--seeds"},
    )


def rerun(
    lab: Lab,
    run_id: str,
    seeds: str = "",
    *,
    switches: Sequence[str] = (),
    sets: Sequence[str] = (),
    name: str = "",
    device: str = "",
    tags: Collection[str] | None = None,
    notes: str = "",
    question: str = "",
    tell: Callable[[str], None] | None = None,
) -> list[str]:
    """Launch the recipe of a run again, once for each of `seeds` (see `seeds_of`): all of them are queued, or none is.

    What is not given is as it was. Raises what `composed_of`, `changed`, `seeds_of` and `Lab.launch` raise.
    """  # fmt: skip
    row = lab.run(run_id)
    composed = composed_of(lab.run_dir(run_id), row)
    if switches or sets:
        composed = changed(composed, switches, sets, lab.home)
    own = composed.recipe.flat()[SEED]
    wanted = seeds_of(seeds, own, seeds_taken(lab.store.reading(), run_id)) or (own,)
    each = [(seeded(composed, seed), name_for(name or row.name, seed, row.seed, len(wanted) > 1)) for seed in wanted]
    return lab.launch_all(
        each, device=device or row.device, tags=row.tags if tags is None else tags, notes=notes or f"again: {run_id}",
        question=question or row.question, tell=tell,
    )  # fmt: skip


def find_preset(composed: Composed, home: Path) -> Preset | None:
    """The preset of a run as it is now, None where it is gone or broken."""
    try:
        return presets.load(composed.preset, roots(home))
    except (RecipeError, OSError):
        return None


def command_of(composed: Composed, run_id: str, device: str, home: Path) -> str:
    """The command line that launches this very recipe, quoted for a shell: `vitui rerun` where its preset is gone."""
    preset = find_preset(composed, home)
    on = [] if device == "auto" else ["--device", device]
    if preset is None:
        return shlex.join(["vitui", "rerun", run_id, *on])
    words = [word for pair in to_sets(preset.recipe, composed.recipe) for word in ("--set", pair)]
    return shlex.join(["vitui", "run", composed.preset, *words, *on])


# -- seeds and names ---------------------------------------------------------------------------------------------


def check_seeds(text: str) -> None:
    """Raises UsageError for what `seeds_of` does not understand."""
    seeds_of(text, 0, ())


def seeds_of(text: str, own: int, taken: Sequence[int]) -> tuple[int, ...]:
    """Seeds as they are typed: ``0,1,2``; ``3`` for three from `own` on; ``3 more`` for three after those `taken`.

    Empty for no text. Raises UsageError.
    """
    more = _MORE.fullmatch(text)
    if more is None:
        return parse_seeds(text, own)
    return parse_seeds(more[1], max([own, *taken]) + 1)


def seeds_taken(db: sqlite3.Connection, run_id: str) -> list[int]:
    """Seeds of the runs whose recipes differ from that of `run_id` in the seed alone, its own among them."""
    rows = db.execute(_SIBLINGS, (run_id, SEED)).fetchall()
    return [int(row[0]) for row in rows if isinstance(row[0], int)]


_SIBLINGS = """
SELECT s.value FROM runs AS me JOIN runs AS r ON r.preset = me.preset
JOIN run_config AS s ON s.run = r.id AND s.key = ?2
WHERE me.id = ?1
AND (SELECT count(*) FROM run_config WHERE run = r.id) = (SELECT count(*) FROM run_config WHERE run = ?1)
AND NOT EXISTS (
    SELECT 1 FROM run_config AS a LEFT JOIN run_config AS b ON b.run = r.id AND b.key = a.key
    WHERE a.run = ?1 AND a.key <> ?2 AND (b.key IS NULL OR b.value IS NOT a.value)
)
"""


def name_for(name: str, seed: int, own: int | None, several: bool) -> str:
    """What a rerun is called: as the run was, with the seed at the end where that tells it from another."""
    if seed == own and not several:
        return name
    return f"{labels.without_seed(name)} seed {seed}".strip()


# -- pieces ------------------------------------------------------------------------------------------------------


def _onto(base: Composed, recipe: Recipe, origins: dict[str, str], preset: Preset | None, home: Path) -> Composed:
    """`base` with another recipe: what differs from the preset now, and what is known about the new one."""
    changes = _merged(base, recipe)
    merged = {key: origin or base.origins.get(key, "default") for key, origin in origins.items()}
    out = replace(base, recipe=recipe, changes=changes, origins=merged)
    old, new = base.recipe.flat(), recipe.flat()
    if {key for key in old.keys() | new.keys() if old.get(key) != new.get(key)} <= {SEED}:
        return out
    if preset is None:  # who reported a number about this one cannot be told any more
        return replace(out, reference=None, outcome=None)
    known = presets.twin(recipe, preset.family, roots(home)) or preset
    return replace(out, reference=known.reference_for(recipe), outcome=known.outcome_for(recipe))


def _merged(base: Composed, recipe: Recipe) -> tuple[Change, ...]:
    """Changes of `recipe` against the preset as it was when `base` was launched."""
    flat, old = recipe.flat(), base.recipe.flat()
    before = {**old, **{change.key: change.before for change in base.changes}}
    gone = [key for key in before if key not in flat]
    return tuple(
        Change(key, before.get(key), flat.get(key)) for key in [*flat, *gone] if before.get(key) != flat.get(key)
    )


def _reference(stored: Any) -> tuple[Reference | None, Reference | None]:
    """The reference in run.json as (number, outcome); one of them at most."""
    try:
        found = Reference.model_validate(stored)
    except ValidationError:
        return None, None
    if found.value is None:
        return None, found if found.outcome else None
    return found, None


def _changes(stored: Any, recipe: Recipe) -> tuple[Change, ...]:
    """Changes in run.json, as far as they are some; what they lead to is the recipe's."""
    flat = recipe.flat()
    entries = [entry for entry in stored if isinstance(entry, dict)] if isinstance(stored, list) else []
    keyed = {entry["key"]: entry.get("before") for entry in entries if isinstance(entry.get("key"), str)}
    return tuple(Change(key, before, flat.get(key)) for key, before in keyed.items() if before != flat.get(key))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
