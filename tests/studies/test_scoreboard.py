"""Published results beside own ones: what counts as a run of them, gaps, errors, outcomes, states, speed."""

from __future__ import annotations

import math
import statistics
import time
from pathlib import Path

import pytest

from engine.recipe import presets
from engine.recipe.fingerprint import fingerprint
from vitui.comparing.noise import standard_error
from vitui.store import runs
from vitui.studies.definition import parse
from vitui.studies.plan import variants_of
from vitui.studies.scoreboard import Score, scores
from vitui.studies.variants import Variant

from .homes import IMAGES, StudyHome

MINE = """
extends = "demo-digits"
title = "My digits"
train.epochs = 12
[[reference]]
value = 90.0
tolerance = 0.5
source = "a paper, table 1"
"""


def variant(home: StudyHome, preset: str, *words: str, **fields: object) -> Variant:
    """A recipe to make runs of: a preset with toggles and fields set."""
    sets = ", ".join(f"{key.replace('__', '.')} = {value}" for key, value in fields.items())
    text = f'presets = ["{preset}"]\n[[variant]]\nname = "x"\npreset = "{preset}"\ntoggles = {list(words)}\nset = {{ {sets} }}'
    return variants_of(parse(text, "t"), home.shelf)[1]


def preset(home: StudyHome, name: str, text: str) -> None:
    folder = home.lab.home / "presets"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.toml").write_text(text)
    home.shelf = type(home.shelf)([presets.SHIPPED, folder])


def score(home: StudyHome, name: str, metric: str = "top1") -> Score:
    found = [one for one in home.lab.scoreboard() if one.name == name and one.metric == metric]
    assert len(found) == 1, [one.name for one in home.lab.scoreboard()][:5]
    return found[0]


@pytest.fixture
def mine(home: StudyHome) -> StudyHome:
    preset(home, "mine", MINE)
    return home


def test_every_preset_with_a_result_has_a_line(home: StudyHome) -> None:
    told = {one.preset for one in home.lab.scoreboard()}
    expected = {one.name for one in presets.load_all() if any(r.judged for r in one.references)}
    assert told == expected and len(told) > 150
    known = {one.name: one for one in presets.load_all()}
    for one in home.lab.scoreboard():
        if not one.variant and one.metric == "top1":
            reference = known[one.preset].reference
            assert one.published == (reference.value if reference and not one.outcome else None)
            assert one.fingerprint == fingerprint(known[one.preset].recipe.flat())
        assert (one.runs, one.verdict, one.words, one.value, one.gap) == (0, "", "", None, None)


def test_mean_best_gap_and_error_over_seeds(mine: StudyHome) -> None:
    own = variant(mine, "mine")
    values = [89.9, 90.2, 90.3]
    made = [mine.run(own, seed, value) for seed, value in enumerate(values)]
    found = mine.lab.scoreboard()[0]
    assert found.preset == "mine", "those that have runs come first"
    assert found.value is not None
    assert (found.value.n, found.value.mean, found.runs) == (3, pytest.approx(90.1333333), 3)
    assert found.value.deviation == pytest.approx(statistics.stdev(values))
    assert (found.best, found.best_run) == (90.3, made[2])
    assert found.gap == pytest.approx(0.1333333)
    assert found.error == pytest.approx(statistics.stdev(values) / math.sqrt(3))
    assert (found.within, found.verdict, found.words) == (True, "within", "0.13 above, within 0.5")
    assert (found.devices, found.selected_on, found.mark) == (("cpu",), ("minival",), "")
    assert (found.published_text, found.tolerance, found.source) == ("90.00", 0.5, "a paper, table 1")


def test_one_run_has_the_error_of_its_images(mine: StudyHome) -> None:
    mine.run(variant(mine, "mine"), 7, 88.0)
    found = score(mine, "mine")
    assert found.error == pytest.approx(standard_error(88.0, IMAGES))
    assert (found.within, found.verdict, found.words) == (False, "worse", "2.00 below, outside 0.5")
    mine.run(variant(mine, "mine"), 8, 94.0)
    assert score(mine, "mine").verdict == "better"


def test_a_gap_of_just_the_tolerance_is_within_it(home: StudyHome) -> None:
    text = MINE.replace("value = 90.0", "value = 76.1").replace("tolerance = 0.5", "tolerance = 0.3")
    preset(home, "mine", text)
    assert 76.4 - 76.1 > 0.3, "in floating point it is more"
    home.run(variant(home, "mine"), 0, 76.4)
    found = score(home, "mine")
    assert (found.within, found.verdict, found.words) == (True, "within", "0.30 above, within 0.3")
    home.write("s", 'presets = ["mine"]\nseeds = [0]')
    assert home.lab.study_report("s").rows[0].within is True


def test_only_runs_of_the_very_recipe_count(mine: StudyHome) -> None:
    mine.run(variant(mine, "mine", "mixup"), 0, 99.0)
    mine.run(variant(mine, "mine", train__epochs=2), 0, 98.0)
    archived = mine.run(variant(mine, "mine"), 1, 97.0)
    mine.lab.set_archived(archived, True)
    assert score(mine, "mine").runs == 0


def test_a_result_on_another_split_is_told_and_not_compared(mine: StudyHome) -> None:
    run = mine.run(variant(mine, "mine"), 0, 90.0, report_split="val")
    found = score(mine, "mine")
    assert (found.value, found.gap, found.verdict) == (None, None, "")
    assert found.words == "1 without top1 on test (on val)" and found.runs == 1
    with mine.lab.store.writing() as db:
        db.execute("UPDATE runs SET selected_on = 'test', select_is_report = 1, best = 89.8 WHERE id = ?", (run,))
    found = score(mine, "mine")
    assert (found.best, found.mark, found.selected_on) == (89.8, "†", ("test",)), (
        "the published value is of the split that selects"
    )


@pytest.mark.parametrize(
    ("state", "columns", "words"),
    [
        ("running", {"step": 40, "total_steps": 100}, "1 running 40%"),
        ("queued", {}, "1 queued"),
        ("failed", {"epoch": 2.5}, "1 failed at epoch 2.5"),
        ("diverged", {"evidence": "loss is not finite", "epoch": 12.0}, "1 with NaN at epoch 12"),
    ],
)
def test_runs_without_a_result_are_told(mine: StudyHome, state: str, columns: dict[str, object], words: str) -> None:
    mine.run(variant(mine, "mine"), 0, state=state, **columns)
    found = score(mine, "mine")
    assert (found.words, found.verdict, found.runs, dict(found.counts)) == (words, "", 1, {state: 1})
    mine.run(variant(mine, "mine"), 1, 90.0)
    assert score(mine, "mine").words == f"equal, within 0.5; {words}"


def test_an_outcome_is_reproduced_by_a_run_that_diverges(home: StudyHome) -> None:
    known = next(one for one in presets.load_all() if one.outcome and not one.reference and not one.outcome.when)
    before = score(home, known.name)
    assert before.published is None and before.published_text == before.outcome == known.outcome.outcome  # type: ignore[union-attr]
    own = variant(home, known.name)
    home.run(own, 0, state="diverged", evidence="loss is not finite", epoch=9.0)
    found = score(home, known.name)
    assert (found.verdict, found.within, found.gap) == ("as reported", None, None)
    assert found.words.startswith("1 with NaN at epoch 9") and found.words.endswith("as reported")


def test_an_outcome_is_contradicted_by_a_run_that_finishes(home: StudyHome) -> None:
    known = next(one for one in presets.load_all() if one.outcome and not one.reference and not one.outcome.when)
    home.run(variant(home, known.name), 0, 70.0, report_split="val")
    found = score(home, known.name)
    assert (found.verdict, found.words) == ("not as reported", "1 finished, which is not as reported")


def test_a_grid_has_a_line_for_each_of_its_results_that_has_runs(home: StudyHome) -> None:
    name = "augreg-grid-i21k30-r-ti16"
    known = next(one for one in presets.load_all() if one.name == name)
    lines = [one for one in home.lab.scoreboard() if one.preset == name]
    assert [one.variant for one in lines] == [""], "the preset itself"
    told = next(one for one in known.references if one.judged and one.when and not one.holds_for(known.recipe))
    fields = {
        key.replace(".", "__"): f'"{value}"' if isinstance(value, str) else value for key, value in told.when.items()
    }
    run = home.run(variant(home, name, **fields), 0, 30.0, report_split="val", state="finished")
    lines = [one for one in home.lab.scoreboard() if one.preset == name]
    assert len(lines) == 2
    line = next(one for one in lines if one.variant)
    assert (line.published, line.best_run, line.gap) == (told.value, run, pytest.approx(30.0 - (told.value or 0)))
    # Its words launch that very recipe.
    composed = home.lab.compose(name, (), line.sets)
    assert fingerprint(composed.recipe.flat()) == line.fingerprint == home.row(run).recipe_fingerprint
    assert all(word.partition("=")[0].rpartition(".")[2] in line.variant for word in line.sets)


def test_other_metrics_have_lines_of_their_own(home: StudyHome) -> None:
    preset(home, "mine", MINE + '\n[[reference]]\nmetric = "top5"\nvalue = 99.0\nsource = "the same"\n')
    home.run(variant(home, "mine"), 0, 93.5)
    found = score(home, "mine", "top5")
    assert (found.best, found.gap, found.within) == (98.5, pytest.approx(-0.5), True), "as the closing evaluation says"
    assert score(home, "mine").best == 93.5


def test_further_results_for_the_same_recipe_are_kept(home: StudyHome) -> None:
    more = '\n[[reference]]\nvalue = 91.0\nkind = "reproduction"\nlabel = "second run"\nsource = "a repository"\n'
    preset(home, "mine", MINE + more)
    found = score(home, "mine")
    assert found.published == 90.0
    assert found.also == ("91.00 ± 0.5  top1 on test, reproduction (second run): a repository",)


def test_a_broken_preset_is_told_and_the_others_are_there(home: StudyHome) -> None:
    preset(home, "broken", "[optim]\nlr = -1")
    found, wrong = scores(home.lab)
    assert len(found) > 150 and list(wrong) == ["broken"] and "lr" in wrong["broken"]


def test_it_is_quick_with_ten_thousand_runs(mine: StudyHome) -> None:
    own = variant(mine, "mine")
    first = mine.run(own, 0, 90.0)
    with mine.lab.store.writing() as db:
        row = dict(db.execute("SELECT * FROM runs WHERE id = ?", (first,)).fetchone())
        names = ", ".join(row)
        marks = ", ".join("?" * len(row))
        many = [tuple((row | {"id": f"{first}-{n}", "seed": n}).values()) for n in range(1, 10_000)]
        db.executemany(f"INSERT INTO runs ({names}) VALUES ({marks})", many)
    mine.lab.scoreboard()
    began = time.process_time()
    found = mine.lab.scoreboard()
    assert time.process_time() - began < 1.0
    assert found[0].runs == 10_000 and found[0].value is not None and found[0].value.n == 10_000


def test_nothing_is_written(mine: StudyHome) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in mine.lab.home.rglob("*.toml"))
    token = mine.lab.changes_token()
    mine.lab.scoreboard()
    assert mine.lab.changes_token() == token
    assert sorted((path, path.stat().st_mtime_ns) for path in Path(mine.lab.home).rglob("*.toml")) == before


def test_ids_of_runs_are_those_that_list(mine: StudyHome) -> None:
    made = mine.run(variant(mine, "mine"), 0, 90.0)
    found = runs.get(mine.lab.store.reading(), score(mine, "mine").best_run)
    assert found is not None and found.id == made
