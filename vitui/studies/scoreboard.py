"""The reproduction scoreboard: for every preset with a published result, what this home's runs of it have reached."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from engine.recipe import Layer, Preset, Recipe, RecipeError, Reference, compose, parse_set, presets
from engine.recipe.compose import as_text, to_sets
from engine.recipe.fingerprint import fingerprint
from engine.recipe.metrics import JUDGED
from engine.recipe.schema import DEFAULT_TAGS
from vitui.comparing.judged import SELECTED
from vitui.comparing.noise import standard_error
from vitui.composition import roots, telling
from vitui.query.groups import Stat, statistics
from vitui.references import comparable, described, same_split, text_of, within
from vitui.store import runs as rows
from vitui.store.series import direction
from vitui.studies.cells import Values, closing_values, shown
from vitui.studies.variants import RESULTS

if TYPE_CHECKING:
    import sqlite3

    from vitui.reading import Reading
    from vitui.store import Run

Verdict = Literal["", "within", "better", "worse", "as reported", "not as reported"]
_TAGS: Final = frozenset(f"{section}.name" for section in DEFAULT_TAGS)
_OPEN: Final = ("running", "starting", "queued", "stopped", "failed", "lost")
"""States without a result, in the order they are told."""


@dataclass(frozen=True, slots=True)
class Score:
    """A recipe with a published result of one metric, and this home's runs of it, of any seed, without archived ones.

    The recipe is a preset as it is, or with the values that a result of its grid is about. Values are in units of the
    metric (percent), errors in its points; None: not known.
    """

    preset: str
    family: str
    title: str
    """Of the preset."""
    variant: str
    """What is different from the preset ("drop_path 0.1, mixup 0.2"); empty for the preset as it is."""
    sets: tuple[str, ...]
    """The same as words of --set, which launch this recipe."""
    fingerprint: str
    """See engine.recipe.fingerprint."""
    metric: str
    split: str
    """Metric and split of the published result."""
    published: float | None
    """None where an outcome stands for a number."""
    published_text: str
    """As its source writes it: "91.10", or the outcome, "NaN at epoch 35"."""
    outcome: str
    """That outcome; empty where there is a number."""
    tolerance: float
    """Distance inside which a reproduction counts as successful."""
    kind: str
    """"published", "reproduction", "measured" or "draft"."""
    source: str
    """Document, table and row."""
    also: tuple[str, ...]
    """Further results that were reported for this recipe, a line each."""
    value: Stat | None
    """Our results over finished runs: the same metric on the same split."""
    best: float | None
    """The best of them."""
    best_run: str
    """Its run id; empty where there is none."""
    gap: float | None
    """Our mean less the published value."""
    error: float | None
    """Standard error of the gap, from our side alone: deviation / sqrt(n), or of a single run the binomial standard
    error from the number of evaluation images."""
    within: bool | None
    """Whether the gap is inside the tolerance; None where there is no gap."""
    verdict: Verdict
    """What became of it: the gap is "within" the tolerance, or "better" or "worse" than that; for an outcome "as
    reported" (a run diverged) or "not as reported" (one finished); empty where there is no result."""
    words: str
    """The verdict in plain words, with runs that have no result: "0.12 below, within 0.5; 1 running 40 %"."""
    runs: int
    """Runs of the recipe in any state."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """The same by state."""
    devices: tuple[str, ...] = ()
    """What the finished and diverged ones ran on."""
    selected_on: tuple[str, ...] = ()
    """Splits on which they picked their epoch."""
    mark: str = ""
    """"†" where that is the split that is reported."""

    @property
    def name(self) -> str:
        """Preset and variant."""
        return f"{self.preset}: {self.variant}" if self.variant else self.preset

    @property
    def has_result(self) -> bool:
        """Whether there is something to set beside the published result."""
        return self.verdict != ""

    @property
    def haystack(self) -> str:
        """What it is looked for in, casefolded."""
        return "\n".join((self.name, self.family, self.title, self.source, *self.sets)).casefold()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A recipe and what was reported for it. `plain`: the preset as it is; `always`: it has a line without runs."""

    preset: Preset
    fingerprint: str
    references: tuple[Reference, ...]
    plain: bool
    always: bool

    @property
    def sets(self) -> tuple[str, ...]:
        if self.plain:
            return ()
        return tuple(to_sets(self.preset.recipe, _recipe(self.preset, self.references[0])))


@dataclass(frozen=True, slots=True)
class _Done:
    """The runs of a recipe: all of them, values of further metrics by metric and run, and images by split."""

    runs: Sequence[Run] = ()
    others: Mapping[str, Values] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)


def scoreboard(lab: Reading) -> list[Score]:
    """Every preset with a result that a run can be judged by, those that have runs first, then by family and name.

    A preset with results for several values of its fields (a grid) has a line for itself, and one for each other recipe
    that has runs. Presets that cannot be read are left out; see `scores`.
    """
    return scores(lab)[0]


def scores(lab: Reading) -> tuple[list[Score], dict[str, str]]:
    """As `scoreboard`; the second part says of each preset that cannot be read what is wrong with it."""
    known, wrong = presets.load_sound(roots(lab.home))
    asked = [one for preset in known for one in _asked(preset)]
    done = _done(lab.store.reading(), asked) if lab.store.exists else {}
    found = []
    for one in asked:
        ours = done.get(one.fingerprint, _Done())
        if ours.runs or one.always:
            found += [_score(one, told, also, ours) for told, also in _told(one.references)]
    return sorted(found, key=lambda score: not score.runs), wrong


# -- what was reported -------------------------------------------------------------------------------------------


def _asked(preset: Preset) -> Iterator[_Asked]:
    """The preset itself with what was reported for it, then each other recipe that its references are about."""
    judged = [one for one in preset.references if one.judged]
    if not judged:
        return
    flat = preset.recipe.flat()
    own = tuple(one for one in judged if one.holds_in(flat))
    if own:
        yield _Asked(preset, fingerprint(flat), own, True, True)
    parted: dict[str, list[Reference]] = {}
    for reference in judged:
        if reference not in own:
            with suppress(RecipeError):  # about values that make no recipe: nothing can be a run of it
                parted.setdefault(_fingerprint(preset, flat, reference), []).append(reference)
    for place, (mark, references) in enumerate(parted.items()):
        yield _Asked(preset, mark, tuple(references), False, not own and not place)


def _fingerprint(preset: Preset, flat: Mapping[str, Any], reference: Reference) -> str:
    """Of the recipe that a reference is about. Composing takes a millisecond, which hundreds of them need not."""
    if reference.when.keys() <= flat.keys() - _TAGS:
        return fingerprint({**flat, **reference.when})
    return fingerprint(_recipe(preset, reference).flat())


def _recipe(preset: Preset, reference: Reference) -> Recipe:
    sets = (parse_set(f"{key}={as_text(value)}") for key, value in reference.when.items())
    return compose([*preset.layers, *(Layer("reference", tree) for tree in sets)])[0]


def _told(references: Sequence[Reference]) -> Iterator[tuple[Reference, list[Reference]]]:
    """For each metric the result that is shown, chosen as for a run, and the others."""
    for metric in JUDGED:
        known = [one for one in references if one.metric == metric]
        number = _first([one for one in known if one.value is not None])
        outcome = _first([one for one in known if one.outcome])
        if (chosen := telling(number, outcome)) is not None:
            yield chosen, [one for one in known if one is not chosen]


def _first(references: Sequence[Reference]) -> Reference | None:
    return next((one for one in references if one.when), references[0] if references else None)


# -- what was reached --------------------------------------------------------------------------------------------


def _done(db: sqlite3.Connection, asked: Sequence[_Asked]) -> dict[str, _Done]:
    """Fingerprint -> its runs, with what is needed of them besides their rows."""
    metrics: dict[str, set[str]] = {}
    for one in asked:
        metrics.setdefault(one.fingerprint, set()).update(reference.metric for reference in one.references)
    found: dict[str, list[Run]] = {}
    for run in rows.with_recipes(db, metrics):
        found.setdefault(run.recipe_fingerprint, []).append(run)
    others: dict[str, Values] = {}
    for metric in JUDGED:
        ids = [run.id for mark, runs in found.items() if metric in metrics[mark] for run in runs
               if run.state == "finished" and metric != (run.metric or "top1")]  # fmt: skip
        others[metric] = closing_values(db, ids, metric) if ids else {}
    firsts = {mark: run.id for mark, runs in found.items() for run in runs if run.state == "finished"}
    images = _images(db, list(firsts.values()))
    return {mark: _Done(runs, others, images.get(firsts.get(mark, ""), {})) for mark, runs in found.items()}


def _images(db: sqlite3.Connection, runs: Sequence[str]) -> dict[str, dict[str, int]]:
    """Run -> split -> images it was judged on."""
    out: dict[str, dict[str, int]] = {}
    query = (
        "SELECT e.run, e.split, max(e.images) FROM evals AS e WHERE e.run IN (SELECT value FROM json_each(?)) "
        "GROUP BY e.run, e.split"
    )
    for run, split, images in db.execute(query, (json.dumps(list(runs)),)).fetchall():
        if isinstance(images, int):
            out.setdefault(run, {})[split] = images
    return out


def _own(run: Run, told: Reference, others: Values) -> tuple[float | None, str]:
    """The result of a finished run that `told` may be compared with, and the split it is of; (None, "") for none."""
    if told.metric == (run.metric or "top1"):
        value = comparable(run, {"metric": run.metric, "split": told.split})[0]
        return value, run.report_split if same_split(told.split, run.report_split) else run.selected_on
    if not same_split(told.split, run.report_split):
        return None, ""
    value = others.get(run.id, (None, None))[0]
    return (value if value is not None and math.isfinite(value) else None), run.report_split


def _score(asked: _Asked, told: Reference, also: Sequence[Reference], ours: _Done) -> Score:
    sign = direction(told.metric) or 1
    ended = [run for run in ours.runs if run.state in RESULTS]
    results: list[tuple[float, Run]] = []
    split = ""
    for run in ended:
        if run.state == "finished":
            reached, of = _own(run, told, ours.others.get(told.metric, {}))
            if reached is not None:
                results.append((reached, run))
                split = of
    value = statistics([number for number, _ in results])
    best = max(results, key=lambda pair: sign * pair[0], default=None)
    gap = value.mean - told.value if value is not None and told.value is not None else None
    verdict = _verdict(told, gap, ended, sign)
    counts = dict(Counter(run.state for run in ours.runs))
    sets = asked.sets
    return Score(
        asked.preset.name,
        asked.preset.family,
        asked.preset.title,
        ", ".join(map(_short, sets)),
        sets,
        asked.fingerprint,
        told.metric,
        told.split,
        told.value,
        text_of(told),
        told.outcome if told.value is None else "",
        told.tolerance,
        told.kind,
        told.source,
        tuple(f"{described(one)}: {one.source}" for one in also),
        value,
        best[0] if best else None,
        best[1].id if best else "",
        gap,
        _error(value, ours.images.get(split), told.metric) if gap is not None else None,
        None if gap is None else within(gap, told.tolerance),
        verdict,
        _words(told, gap, ours.runs, {run.id for _, run in results}),
        len(ours.runs),
        counts,
        tuple(sorted({run.placed for run in ended if run.placed})),
        tuple(sorted({run.selected_on for run in ended if run.selected_on})),
        SELECTED if any(run.select_is_report for _, run in results) else "",
    )


def _error(value: Stat | None, images: int | None, metric: str) -> float | None:
    if value is None:
        return None
    if value.deviation is not None:
        return value.deviation / math.sqrt(value.n)
    return standard_error(value.mean, images) if metric != "loss" else None


def _verdict(told: Reference, gap: float | None, ended: Sequence[Run], sign: int) -> Verdict:
    if told.value is None:
        if not ended:
            return ""
        return "as reported" if any(run.state == "diverged" for run in ended) else "not as reported"
    if gap is None:
        return ""
    if within(gap, told.tolerance):
        return "within"
    return "better" if gap * sign > 0 else "worse"


def _words(told: Reference, gap: float | None, runs: Sequence[Run], counted: Set[str]) -> str:
    parts = []
    if gap is not None:
        way = "equal" if gap == 0 else f"{abs(gap):.2f} {'above' if gap > 0 else 'below'}"
        parts.append(f"{way}, {'within' if within(gap, told.tolerance) else 'outside'} {told.tolerance:g}")
    diverged = [run for run in runs if run.state == "diverged"]
    finished = [run for run in runs if run.state == "finished"]
    if told.value is None and finished:
        parts.append(f"{len(finished)} finished, which is not as reported")
    if diverged:
        what = shown(diverged[-1], None)
        parts.append(f"{len(diverged)} with {what}" + (" as reported" if told.value is None else ""))
    if told.value is not None and (other := [run for run in finished if run.id not in counted]):
        splits = ", ".join(sorted({run.report_split for run in other if run.report_split}))
        parts.append(f"{len(other)} without {told.metric} on {told.split}" + (f" (on {splits})" if splits else ""))
    for state in _OPEN:
        some = [run for run in runs if run.state == state]
        if some:
            text = shown(some[0], None) if len(some) == 1 else state
            parts.append(f"{len(some)} {text}")
    return "; ".join(parts)


def _short(word: str) -> str:
    """``regularize.drop_path=0.1`` as ``drop_path 0.1``."""
    key, _, value = word.partition("=")
    return f"{key.rpartition('.')[2]} {value}"
