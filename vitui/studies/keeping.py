"""Writing studies: their files, their lock files, their rows in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.journal import atomic_write
from engine.recipe import RecipeError
from vitui.composition import roots
from vitui.errors import NotFound, UsageError
from vitui.store import studies as rows
from vitui.studies import definition, opening
from vitui.studies.picking import starts
from vitui.studies.plan import Shelf, variants_of

if TYPE_CHECKING:
    from vitui.lab import Lab


def save(lab: Lab, name: str, text: str, *, replace: bool = False) -> None:
    """Write `<home>/studies/NAME.toml`, after every recipe of it has been composed.

    Raises UsageError for what is wrong with the text, and for a name that is taken unless `replace`.
    """
    definition.checked_study_name(name)
    if not replace and name in definition.find(lab.home):
        raise UsageError(f"there is a study {name} already; choose another name")
    study = definition.parse(text, name)
    variants_of(study, Shelf(roots(lab.home)), starts(lab, study, (name,))[0], f"study {name}")
    folder = definition.own(lab.home)
    try:
        folder.mkdir(exist_ok=True)
        atomic_write(folder / f"{name}.toml", text.encode())
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to: {error.strerror}") from None
    index(lab, name)


def fork(lab: Lab, name: str, new: str) -> None:
    """The same definition under a new name, without what pins the old one. Raises as `save`, NotFound."""
    _, text = definition.read(lab.home, name)
    save(lab, new, text)


def remove(lab: Lab, name: str) -> None:
    """Delete a study's own file and lock; its runs stay. Raises NotFound, UsageError for one that ships."""
    path = definition.locate(lab.home, name)
    if path.parent != definition.own(lab.home):
        raise UsageError(f"study {name} comes with vitui and cannot be removed")
    try:
        path.unlink(missing_ok=True)
        opening.lock_path(lab.home, name).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"{path} cannot be removed: {error.strerror}") from None
    if lab.store.exists:
        with lab.store.writing() as db:
            rows.remove(db, name)


def index(lab: Lab, name: str) -> None:
    """The rows of a study in the database, if they are not there as it is planned now. Raises NotFound, UsageError."""
    study, text = definition.read(lab.home, name)
    stamp = opening.stamp_of(lab.home, text, starts(lab, study, (name,))[0])
    if rows.stamp_of(lab.store.reading(), name) == stamp:
        return
    planned = lab.planned(name)
    with lab.store.writing() as db:
        rows.save(
            db,
            name,
            title=study.title,
            baseline=planned.variants[planned.baseline].name if planned.variants else "",
            seeds=planned.seeds,
            # Pinned recipes are those of its runs, but no plan: nothing may take them for what its presets say now.
            stamp="" if planned.changed else stamp,
            variants=[opening.row_of(one) for one in planned.variants],
        )


def index_all(lab: Lab) -> list[str]:
    """Rows of every study of one's own and of each that has been queued, and of no other, as after a rebuild.

    Returns a sentence for each that is broken.
    """
    said, files = [], definition.find(lab.home)
    gone = set(rows.names(lab.store.reading())) - files.keys()
    if gone:
        with lab.store.writing() as db:
            for name in gone:
                rows.remove(db, name)
    for name, path in files.items():
        if path.parent != definition.own(lab.home) and not opening.lock_path(lab.home, name).exists():
            continue
        try:
            index(lab, name)
        except (UsageError, NotFound, RecipeError) as error:
            said.append(str(error))
    return said
