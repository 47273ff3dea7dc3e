"""A study of a home: read, planned, pinned to what its recipes were when its runs were queued, filled with runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import recipe as recipe_code
from engine.journal import atomic_write, read_json
from engine.recipe import presets
from engine.recipe.presets import Reference
from vitui import display
from vitui.composition import roots
from vitui.errors import UsageError
from vitui.store import studies as rows
from vitui.studies import definition
from vitui.studies.cells import fill
from vitui.studies.definition import Study
from vitui.studies.picking import starts
from vitui.studies.plan import Shelf, Start, seeds_of, variants_of
from vitui.studies.variants import Planned, Variant

if TYPE_CHECKING:
    from vitui.reading import Reading

SHOWN_CHANGES = 12
Plans = dict[str, tuple[str, tuple[Variant, ...], tuple[int, ...]]]
"""Study -> what it was planned from, variants, seeds: composing thousands of recipes takes seconds."""


def planned(lab: Reading, name: str, seen: Sequence[str] = ()) -> Planned:
    """A study with its variants, and the runs that fill its cells. Changes nothing.

    Raises NotFound, UsageError.
    """
    study, text = definition.read(lab.home, name)
    begun, waiting = starts(lab, study, seen or (name,))
    stamp = stamp_of(lab.home, text, begun)
    asked, seeds = _variants(lab, name, study, stamp, begun)
    variants, changed = pinned(asked, read_lock(lab.home, name), Shelf(roots(lab.home)))
    db = lab.store.reading() if lab.store.exists else None
    cells = fill(db, variants, seeds, study.report.metric)
    if changed and not any(cell.run for cell in cells):
        # Its launch was killed before there was a run, or all are gone: nothing that others could not be compared with.
        variants, changed = asked, ()
        cells = fill(db, variants, seeds, study.report.metric)
    return Planned(name, study, variants, seeds, tuple(cells), waiting, changed)


def _variants(
    lab: Reading, name: str, study: Study, stamp: str, begun: Sequence[Start]
) -> tuple[tuple[Variant, ...], tuple[int, ...]]:
    """As they were planned in this process or in the database, where nothing they depend on has changed since."""
    kept = lab.plans.get(name)
    if kept is not None and kept[0] == stamp:
        return kept[1], kept[2]
    if lab.store.exists and rows.stamp_of(lab.store.reading(), name) == stamp:
        stored, seeds = rows.load(lab.store.reading(), name)
        variants = tuple(_from_row(row) for row in stored)
    else:
        shelf = Shelf(roots(lab.home))
        variants = variants_of(study, shelf, begun, f"study {name}")
        seeds = seeds_of(study, variants, shelf)
    lab.plans[name] = (stamp, variants, seeds)
    return variants, seeds


def stamp_of(home: Path, text: str, begun: Sequence[Start] = ()) -> str:
    """Sixteen digits of everything the variants of a study depend on: its file, all presets, what recipes mean."""
    parts = [hashlib.sha256(text.encode()).hexdigest(), _code(), *(repr(start) for start in begun)]
    for path in presets.find(roots(home)).values():
        try:
            parts.append(f"{path.stem} {hashlib.sha256(path.read_bytes()).hexdigest()}")
        except OSError:  # composing will say so, if it is needed
            parts.append(f"{path.stem} unreadable")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def _code() -> str:
    """Toggles and defaults mean what the code says: another version of it may mean something else."""
    folder = Path(recipe_code.__file__).parent
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()


# -- rows --------------------------------------------------------------------------------------------------------


def row_of(variant: Variant) -> rows.VariantRow:
    """A variant as the database keeps it."""
    return rows.VariantRow(
        variant.name, variant.label, variant.preset, variant.model, variant.fingerprint,
        json.dumps(variant.toggles), json.dumps(variant.sets), json.dumps(dict(variant.levels)),
        json.dumps(dict(variant.sampled)),
        json.dumps([one.model_dump(mode="json", exclude_defaults=True) for one in variant.references]),
    )  # fmt: skip


def _from_row(row: rows.VariantRow) -> Variant:
    return Variant(
        row.name, row.label, row.preset, tuple(json.loads(row.toggles)), tuple(json.loads(row.sets)),
        json.loads(row.levels), row.recipe_fingerprint, row.model,
        tuple(Reference.model_validate(one) for one in json.loads(row.reported)), json.loads(row.sampled),
    )  # fmt: skip


# -- the lock file -----------------------------------------------------------------------------------------------


def lock_path(home: Path, name: str) -> Path:
    """Beside the study's own file: what its recipes were when its runs were queued."""
    return definition.own(home) / f"{name}.lock.json"


def read_lock(home: Path, name: str) -> dict[str, Any]:
    """Empty where nothing has been queued yet, or the file is damaged."""
    found = read_json(lock_path(home, name))
    return found if isinstance(found, dict) else {}


def check_lock(home: Path, name: str) -> None:
    """Raises UsageError for a lock file that is there and cannot be read: what was pinned would be so no more."""
    path = lock_path(home, name)
    if path.exists() and not isinstance(read_json(path), dict):
        raise UsageError(
            f"{path} is damaged, so whether presets have changed cannot be told; put it right, or delete it to go on "
            "with presets as they are"
        )


def write_lock(home: Path, name: str, variants: Sequence[Variant], shelf: Shelf) -> Callable[[], None]:
    """Keep what the recipes of these variants are now, beside what is kept of others. Returns what takes it back."""
    lock = read_lock(home, name)
    kept = lock.get("variants")
    told: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
    told |= {one.name: {"words": _words(one), "fingerprint": one.fingerprint} for one in variants}
    used = {one.preset for one in variants}
    bases = lock.get("presets")
    flats: dict[str, Any] = dict(bases) if isinstance(bases, dict) else {}
    flats |= {preset: shelf.preset(preset).recipe.flat() for preset in sorted(used)}
    path = lock_path(home, name)
    path.parent.mkdir(exist_ok=True)
    before = path.read_bytes() if path.exists() else None
    atomic_write(path, json.dumps({"presets": flats, "variants": told}, indent=1).encode())

    def undo() -> None:
        if before is None:
            path.unlink(missing_ok=True)
        else:
            atomic_write(path, before)

    return undo


def _words(variant: Variant) -> list[Any]:
    return [variant.preset, list(variant.toggles), list(variant.sets)]


def pinned(
    variants: Sequence[Variant], lock: Mapping[str, Any], shelf: Shelf
) -> tuple[tuple[Variant, ...], tuple[str, ...]]:
    """Variants with the fingerprints they had when they were queued, where they are asked for in the same words; and
    what is different now, a line each. A variant whose words were edited is another one, and no such difference."""
    told = lock.get("variants")
    if not isinstance(told, dict):
        return tuple(variants), ()
    out, moved = [], []
    for one in variants:
        old = told.get(one.name)
        if isinstance(old, dict) and old.get("words") == _words(one) and old.get("fingerprint") != one.fingerprint:
            moved.append(one)
            one = replace(one, fingerprint=str(old.get("fingerprint", "")))
        out.append(one)
    return tuple(out), _differences(moved, lock, shelf)


def _differences(moved: Sequence[Variant], lock: Mapping[str, Any], shelf: Shelf) -> tuple[str, ...]:
    if not moved:
        return ()
    lines = []
    flats = lock.get("presets")
    for preset in dict.fromkeys(one.preset for one in moved):
        before = flats.get(preset) if isinstance(flats, dict) else None
        if not isinstance(before, dict):
            continue
        now = shelf.preset(preset).recipe.flat()
        keys = [key for key in [*now, *(key for key in before if key not in now)] if before.get(key) != now.get(key)]
        lines += [
            f"preset {preset}: {key}: {display.value(before.get(key))} -> {display.value(now.get(key))}" for key in keys
        ]
    if not lines:
        names = ", ".join(one.name for one in moved[:5]) + (", …" if len(moved) > 5 else "")
        lines = [f"toggles or defaults mean something else now, in {names}"]
    if len(lines) > SHOWN_CHANGES:
        lines = [*lines[:SHOWN_CHANGES], f"… and {len(lines) - SHOWN_CHANGES} more"]
    return tuple(lines)
