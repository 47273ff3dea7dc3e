"""Why a comparison may not show what it seems to show. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vitui import display
from vitui.comparing.environment import changes, commit
from vitui.comparing.facts import RunFacts
from vitui.comparing.table import LETTERS, Note, Row, lettered
from vitui.store.states import LIVE, WAITING


def notes(runs: Sequence[RunFacts], fields: Sequence[Row]) -> tuple[Note, ...]:
    """Reasons first, then what else should be known."""
    letters = LETTERS[: len(runs)]
    found = [
        Note(f"{letter}: {facts.problem}", True) for letter, facts in zip(letters, runs, strict=True) if facts.problem
    ]
    if len(runs) > 1:
        found += _data(runs, letters) + _judging(runs, letters) + _length(runs, letters)
    found += _selected(runs, letters) + _unfinished(runs, letters)
    if len(runs) > 1:
        found += _circumstances(runs, letters) + _twins(runs, fields)
    if any(e.images for facts in runs for e in facts.evals):
        found.append(
            Note(
                "±: one standard error of an accuracy from the number of evaluation images, sqrt(p(1-p)/n); of a "
                "difference, as if on separate images. It says nothing about other seeds."
            )
        )
    return tuple(found)


def _differing(
    runs: Sequence[RunFacts], letters: str, say: Callable[[RunFacts], Any], what: str, *, unfair: bool = True
) -> list[Note]:
    """A note where not all runs that know it say the same."""
    told = [
        (letter, str(value)) for letter, f in zip(letters, runs, strict=True) if (value := say(f)) not in (None, "")
    ]
    if len({text for _, text in told}) < 2:
        return []
    return [Note(f"{what}: {lettered([who for who, _ in told], [text for _, text in told])}", unfair)]


def _data(runs: Sequence[RunFacts], letters: str) -> list[Note]:
    if other := _differing(runs, letters, lambda f: f.run.dataset, "other data"):
        return other
    other = _differing(
        runs, letters, lambda f: str(f.data.get("fingerprint", ""))[:12], "other images under the same name"
    )
    return other or _differing(
        runs, letters, lambda f: f.data.get("train_images"), "other numbers of training images", unfair=False
    )


def _judging(runs: Sequence[RunFacts], letters: str) -> list[Note]:
    found = _differing(runs, letters, lambda f: f.run.metric, "other metric")
    found += _differing(runs, letters, lambda f: f.run.report_split, "reported on another split")
    found += _differing(runs, letters, lambda f: f.run.selected_on, "selected on another split")
    for kind, split in (("report", "report_split"), ("select", "select_split")):
        same = len({str(f.data.get(split)) for f in runs if f.data}) == 1
        if same:
            found += _differing(
                runs, letters, lambda f, key=f"{kind}_images": f.data.get(key),  # type: ignore[misc]
                f"other numbers of {runs[0].data.get(split) or kind} images",
            )  # fmt: skip
    return found


def _length(runs: Sequence[RunFacts], letters: str) -> list[Note]:
    known = [f.run.total_epochs for f in runs if f.run.total_epochs]
    if len(known) > 1 and max(known) - min(known) <= 0.005 * max(known):  # steps that make no whole epochs
        return []
    return _differing(
        runs,
        letters,
        lambda f: f"{display.epochs(f.run.total_epochs)} epochs" if f.run.total_epochs else "",
        "other length",
    )


def _selected(runs: Sequence[RunFacts], letters: str) -> list[Note]:
    who = [letter for letter, f in zip(letters, runs, strict=True) if f.run.select_is_report]
    if not who:
        return []
    text = f"{', '.join(who)} selected on the split that is reported (†): its best value flatters"
    return [Note(text, True)]


def _unfinished(runs: Sequence[RunFacts], letters: str) -> list[Note]:
    found = []
    for letter, facts in zip(letters, runs, strict=True):
        run = facts.run
        if run.state == "finished":
            continue
        far = f" at epoch {display.progress(run)}" if run.total_epochs else ""
        word = "waits" if run.state in WAITING else f"is {run.state}" if run.state in LIVE else f"ended as {run.state}"
        found.append(Note(f"{letter} is not finished: it {word}{far}", True))
    return found


def _circumstances(runs: Sequence[RunFacts], letters: str) -> list[Note]:
    found = _differing(
        runs, letters, lambda f: display.device_name(f.run) if f.run.placed else "",
        "other device, so times, speeds and memory do not compare", unfair=False,
    )  # fmt: skip
    code = _differing(runs, letters, commit, "launched from another commit", unfair=False)
    return found + (code or _differing(runs, letters, changes, "other uncommitted changes in the code", unfair=False))


def _twins(runs: Sequence[RunFacts], fields: Sequence[Row]) -> list[Note]:
    if any(facts.problem for facts in runs):
        return []
    differing = {row.key for row in fields if row.differs}
    if not differing:
        return [Note("the same recipe with the same seed: what differs is chance or circumstances")]
    if differing == {"train.seed"}:
        return [Note("the same recipe apart from the seed: what differs is chance")]
    return []
