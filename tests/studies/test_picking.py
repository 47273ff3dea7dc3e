"""Starting from what another study trained: who is picked, what waits for whom, and what the rule costs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.recipe import presets
from vitui.errors import NotFound, UsageError
from vitui.studies import definition
from vitui.studies.formats.picked import PICKED_FORMATS, said, text
from vitui.studies.picking import WEIGHTS, candidates, picked
from vitui.studies.plan import Shelf, Start
from vitui.text import cell_width

from .homes import StudyHome

UPSTREAM = """
seeds = [0]
[[variant]]
name = "a"
preset = "demo-fashion-mnist"
[[variant]]
name = "b"
preset = "demo-fashion-mnist"
toggles = ["mixup"]
[[variant]]
name = "c"
preset = "demo-fashion-mnist"
toggles = ["hflip"]
"""
DOWN = 'base = "demo-digits"\nseeds = [0]\n[upstream]\nstudy = "up"\nadapt = "{adapt}"\n{more}'


@pytest.fixture
def both(home: StudyHome) -> StudyHome:
    home.write("up", UPSTREAM)
    home.write("down", DOWN.format(adapt="all", more=""))
    return home


def trained(home: StudyHome, study: str, scores: Mapping[str, float], seed: int = 0) -> dict[str, str]:
    """Runs with exported models: variant -> run. `scores`: final, on the split that selects."""
    made = {}
    for variant in home.planned(study).variants:
        if variant.name in scores:
            score = scores[variant.name]
            # The best epoch of c was better than its last: the rule looks at the last.
            run = home.run(variant, seed, score - 1, best=score + 9 * (variant.name == "c"), batch_size=128)
            with home.lab.store.writing() as db:
                db.execute("UPDATE runs SET last = ? WHERE id = ?", (score, run))
            weights = home.lab.run_dir(run).model / WEIGHTS
            weights.parent.mkdir()
            weights.touch()
            made[variant.name] = run
    return made


def names(home: StudyHome, study: str = "down") -> list[str]:
    return [variant.name for variant in home.planned(study).variants]


def adapted(home: StudyHome, values: Mapping[str, tuple[float, float]], seed: int = 0) -> None:
    """Runs after transfer: variant -> (on the split that selects, on the one that reports)."""
    for variant in home.planned("down").variants:
        if variant.name in values:
            select, value = values[variant.name]
            home.run(variant, seed, value, best=select)


# -- what waits --------------------------------------------------------------------------------------------------


def test_a_study_waits_for_its_upstream_and_is_then_filled(both: StudyHome) -> None:
    assert names(both) == ["base"]
    assert both.planned("down").waiting == ("3 variants wait for study up: `vitui study run up`",)
    first = trained(both, "up", {"a": 80.0, "b": 84.0})
    planned = both.planned("down")
    assert names(both) == ["base", "from-b", "from-a"]  # the best upstream score first
    assert planned.waiting == ("1 variants wait for study up: `vitui study run up`",)
    assert planned.variants[2].sets == (
        "model.pretrained=true", f"model.weights={both.lab.home / 'runs' / first['a'] / 'model' / WEIGHTS}",
    )  # fmt: skip
    queued = both.lab.launch_study("down")
    assert len(queued.queued) == 3 and queued.waiting == planned.waiting
    recipes = {both.row(run).name: both.lab.config(run) for run in queued.queued}
    assert recipes["down: from-b seed 0"]["model.pretrained"] is True
    trained(both, "up", {"c": 82.0})
    assert (names(both), both.planned("down").waiting) == (["base", "from-b", "from-c", "from-a"], ())
    again = both.lab.launch_study("down")
    assert (len(again.queued), again.reused) == (1, 3)


def test_picked_waits_until_all_are_there(both: StudyHome) -> None:
    both.write("down", DOWN.format(adapt="picked", more=""))
    trained(both, "up", {"a": 80.0, "b": 84.0})
    waiting = "waits for study up: 1 of its runs have no result; `vitui study run up`"
    assert (names(both), both.planned("down").waiting) == (["base"], (waiting,))
    both.run(both.planned("up").variants[2], 0, state="diverged")
    assert (names(both), both.planned("down").waiting) == (["base", "from-b"], ())


def test_nothing_to_start_from_is_said(both: StudyHome) -> None:
    for variant in both.planned("up").variants:
        both.run(variant, 0, state="diverged")
    for adapt in ("all", "picked"):
        both.write("down", DOWN.format(adapt=adapt, more=""))
        assert both.planned("down").waiting == ("waits for study up: none of its runs ended with a score",)


def test_a_run_without_an_exported_model_is_named(both: StudyHome) -> None:
    made = trained(both, "up", {"a": 80.0, "b": 84.0, "c": 82.0})
    (both.lab.run_dir(made["b"]).model / WEIGHTS).unlink()
    assert names(both) == ["base", "from-c", "from-a"]
    assert both.planned("down").waiting == (f"lacks the exported model of run {made['b']} to start from",)


def test_circles_are_refused(home: StudyHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(definition, "SHIPPED", home.lab.home / "none")  # listing those would compose a thousand recipes
    home.write("self", 'base = "demo-digits"\n[upstream]\nstudy = "self"')
    with pytest.raises(UsageError, match="studies wait for each other in a circle: self -> self"):
        home.planned("self")
    for one, other in (("one", "two"), ("two", "three"), ("three", "one")):
        home.write(one, f'base = "demo-digits"\n[upstream]\nstudy = "{other}"')
    with pytest.raises(UsageError, match="circle: two -> three -> one -> two"):
        home.lab.study_report("two")
    problems = {line.name: line.problem for line in home.lab.studies()}
    assert "circle" in problems["one"] and "circle" in problems["self"]
    with pytest.raises(UsageError, match="circle"):
        home.lab.save_study("four", 'base = "demo-digits"\n[upstream]\nstudy = "four"')
    assert not (home.lab.home / "studies" / "four.toml").exists()
    home.write("lost", 'base = "demo-digits"\n[upstream]\nstudy = "nowhere"')
    with pytest.raises(NotFound, match="no study nowhere"):
        home.planned("lost")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'base = "demo-{m}"\n[[axis]]\nname = "m"\nlevels = [{ name = "digits" }]\n[upstream]\nstudy = "up"',
            "sweep = true",
        ),
        ('base = "demo-digits"\n[search]\nn = 2\ngrid = true', r"there is no \[\[axis\]\]"),
        ('base = "demo-digits"\n[search]\nn = 2', "names no field"),
        (
            'base = "demo-digits"\n[search]\nn = 2\ngrid = true\n[search.fields]\noptim.lr = { choices = [0.1] }',
            "not from both",
        ),
        (
            'base = "demo-digits"\n[[axis]]\nname = "lr"\nfield = "optim.lr"\nvalues = [0.1]\n[search]\nn = 2\ngrid = true',
            "n = 2 is more than the 1 combinations",
        ),
        ('base = "demo-digits"\n[report]\nx = "optim.lr"', r'x = "optim\.lr" is no sampled field'),
    ],
)
def test_definitions_that_make_no_sense_are_refused(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        definition.parse(text, "s")


# -- the rule ----------------------------------------------------------------------------------------------------


def test_of_equal_scores_the_earlier_variant_is_picked(both: StudyHome) -> None:
    trained(both, "up", {"a": 80.0, "b": 84.0, "c": 84.0})
    assert [one.name for one in candidates(both.planned("up"))] == ["b", "c", "a"]
    both.write("down", DOWN.format(adapt="picked", more=""))
    assert names(both) == ["base", "from-b"]
    assert 'as good upstream as "c"; the earlier variant counts' in both.lab.study_picked("down").groups[0].words


def test_scores_are_means_over_seeds_and_weights_of_the_first(both: StudyHome) -> None:
    both.write("up", UPSTREAM.replace("seeds = [0]", "seeds = [0, 1]"))
    trained(both, "up", {"a": 80.0, "b": 83.0})
    second = trained(both, "up", {"a": 90.0, "b": 83.5, "c": 70.0}, seed=1)
    known = {one.name: one for one in candidates(both.planned("up"))}
    assert [(one.name, one.score, one.seeds) for one in known.values()] == [
        ("a", 85.0, 2),
        ("b", 83.25, 2),
        ("c", 70.0, 1),
    ]
    assert known["c"].run == second["c"] and known["a"].run != second["a"]
    errors = {row.candidate.name: row.error for row in both.lab.study_picked("down").groups[0].rows}
    assert errors["a"] == pytest.approx(5.0) and errors["b"] == pytest.approx(0.25) and errors["c"] is None


GRID = """
base = "{preset}"
seeds = [0]
[[axis]]
name = "model"
levels = [ {{ name = "small", fill = "digits" }}, {{ name = "large", fill = "digits", set = {{ model.options.depth = 6 }} }} ]
{more}
"""
AUG = """
[[axis]]
name = "aug"
levels = [ { name = "none" }, { name = "mixup", toggles = ["mixup"] } ]
"""
UP_SCORES = {"small/none": 80.0, "small/mixup": 70.0, "large/none": 85.0, "large/mixup": 90.0}


@pytest.fixture
def grids(home: StudyHome) -> StudyHome:
    home.write("up", GRID.format(preset="demo-{model}", more=AUG))
    more = '[upstream]\nstudy = "up"\nadapt = "picked"\neach = "model"\nsweep = true'
    home.write("down", GRID.format(preset="demo-{model}", more=more) + "[set]\ntrain.epochs = 3")
    return home


def test_one_is_picked_for_each_level_and_goes_to_that_level(grids: StudyHome) -> None:
    trained(grids, "up", {"small/none": 80.0, "small/mixup": 70.0, "large/none": 85.0})
    planned = grids.planned("down")
    assert names(grids) == ["small", "large", "from-small/none/small"]
    assert planned.waiting == (
        "waits for study up: 1 of its runs with model large have no result; `vitui study run up`",
    )
    trained(grids, "up", {"large/mixup": 90.0})
    planned = grids.planned("down")
    assert names(grids) == ["small", "large", "from-small/none/small", "from-large/mixup/large"]
    assert "model.options.depth=6" in planned.variants[3].sets and planned.variants[3].levels == {}
    assert {group: one.name for group, one in picked(candidates(grids.planned("up"), "model")).items()} == {
        "large": "large/mixup", "small": "small/none",
    }  # fmt: skip


def test_an_axis_that_upstream_does_not_have_is_refused(grids: StudyHome) -> None:
    text = (grids.lab.home / "studies" / "down.toml").read_text()
    grids.write("down", text.replace('each = "model"', 'each = "modle"'))
    with pytest.raises(UsageError, match=r'each = "modle" is no axis of study up; did you mean "?model'):
        grids.planned("down")
    up = (grids.lab.home / "studies" / "up.toml").read_text()
    grids.write("up", up + '[[variant]]\nname = "odd"\npreset = "demo-digits"')
    grids.write("down", text)
    with pytest.raises(UsageError, match="variant odd of study up has no level of it"):
        grids.planned("down")


def test_a_sweep_starts_every_variant_from_every_checkpoint(both: StudyHome) -> None:
    trained(both, "up", {"a": 80.0, "b": 84.0, "c": 82.0})
    search = "[search]\nn = 2\n[search.fields]\noptim.lr = { low = 1e-4, high = 1e-2, log = true }"
    both.write("down", DOWN.format(adapt="all", more=f"sweep = true\n{search}"))
    planned = both.planned("down")
    assert names(both)[:6] == ["base", "search-000", "search-001", "from-b", "from-b/search-000", "from-b/search-001"]
    assert len(planned.variants) == 3 * 4 and len({variant.fingerprint for variant in planned.variants}) == 12
    assert planned.variants[4].sampled == planned.variants[1].sampled
    adapted(both, {"from-b": (90.0, 91.0), "from-b/search-001": (95.0, 92.0), "from-c": (94.0, 96.0)})
    rows = {row.candidate.name: row for row in both.lab.study_picked("down").groups[0].rows}
    # Of a sweep, the run that is best on the selecting split counts, whatever it reports.
    assert (rows["b"].variant, rows["b"].tried, rows["b"].value and rows["b"].value.mean) == (
        "from-b/search-001",
        3,
        92.0,
    )
    assert (rows["b"].best, rows["c"].best, rows["a"].status) == (True, False, "not fine-tuned")


# -- what it costs -----------------------------------------------------------------------------------------------


def test_the_cost_is_the_best_after_transfer_less_the_picked(both: StudyHome) -> None:
    trained(both, "up", {"a": 80.0, "b": 84.0, "c": 82.0})
    adapted(both, {"base": (70.0, 71.0), "from-a": (93.0, 92.5), "from-b": (92.0, 91.5), "from-c": (91.0, 93.0)})
    found = both.lab.study_picked("down")
    group = found.groups[0]
    # a is best where it is chosen; that c reports more is what nobody could know.
    assert (group.picked.candidate.name, group.best and group.best.candidate.name, group.cost) == ("b", "a", 1.0)
    assert group.difference is not None and group.difference.kind == "evaluation" and group.difference.mean == -1.0
    # 10,000 images: sqrt(91.5 * 8.5 + 92.5 * 7.5) / 100 points for the difference.
    assert group.difference.error == pytest.approx((91.5 * 8.5 + 92.5 * 7.5) ** 0.5 / 100)
    assert "the rule costs 1.00 points ± 0.38" in group.words and "within the noise" not in group.words
    assert (found.upstream_split, found.split, found.unit) == ("minival", "test", "%")


def test_with_seeds_the_cost_is_paired(both: StudyHome) -> None:
    both.write("down", DOWN.format(adapt="all", more="").replace("seeds = [0]", "seeds = [0, 1, 2]"))
    trained(both, "up", {"a": 80.0, "b": 84.0, "c": 82.0})
    for seed, (a, b) in enumerate(((92.0, 91.0), (94.0, 93.5), (90.0, 90.3))):
        adapted(both, {"from-a": (a + 1, a), "from-b": (b + 1, b)}, seed)
    group = both.lab.study_picked("down").groups[0]
    assert group.cost == pytest.approx(0.4) and group.difference is not None
    assert (group.difference.kind, group.difference.n) == ("paired", 3)
    assert "within the noise" in group.words and "over 2 of 3 checkpoints" in group.words


def test_a_pick_that_is_the_best_costs_nothing_and_a_tie_goes_to_it(both: StudyHome) -> None:
    trained(both, "up", {"a": 80.0, "b": 84.0, "c": 82.0})
    adapted(both, {"from-a": (92.0, 93.0), "from-b": (92.0, 91.0), "from-c": (90.0, 90.0)})
    group = both.lab.study_picked("down").groups[0]
    assert (group.cost, group.difference, group.picked.best) == (0.0, None, True)
    assert 'which is as good after transfer as "a", and no other is better: it costs nothing' in group.words


def test_missing_results_leave_the_cost_open(both: StudyHome) -> None:
    with pytest.raises(UsageError, match="no run of study up has a score to pick by yet; `vitui study run up`"):
        both.lab.study_picked("down")
    trained(both, "up", {"a": 80.0, "b": 84.0})
    found = both.lab.study_picked("down")
    assert found.groups[0].words.endswith("2 of 2 checkpoints have no score after transfer yet")
    assert [note.text for note in found.notes if note.unfair] == [
        "1 runs of study up have no result yet: what is picked may change"
    ]
    variant = both.planned("down").variants[1]
    both.run(variant, 0, state="running", step=40, total_steps=100)
    assert both.lab.study_picked("down").groups[0].picked.status == "running 40%"
    adapted(both, {"from-a": (92.0, 93.0)})
    assert both.lab.study_picked("down").groups[0].cost is None
    both.write("down", DOWN.format(adapt="picked", more=""))
    assert 'only fine-tuning all of them tells (adapt = "all")' in both.lab.study_picked("down").groups[0].words
    trained(both, "up", {"c": 82.0})
    adapted(both, {"from-b": (95.0, 94.0)})
    # The picked one has a score now, but nothing to compare it with.
    group = both.lab.study_picked("down").groups[0]
    assert (group.cost, group.picked.value and group.picked.value.mean) == (None, 94.0)
    assert 'only fine-tuning all of them tells (adapt = "all")' in group.words
    with pytest.raises(UsageError, match="study up starts from no other study"):
        both.lab.study_picked("up")


def test_groups_have_costs_of_their_own(grids: StudyHome) -> None:
    text = (grids.lab.home / "studies" / "down.toml").read_text()
    grids.write("down", text.replace('adapt = "picked"', 'adapt = "all"'))
    trained(grids, "up", UP_SCORES)
    adapted(grids, {
        "from-large/mixup/large": (95.0, 95.0), "from-large/none/large": (96.0, 95.5),
        "from-small/none/small": (90.0, 90.0), "from-small/mixup/small": (80.0, 80.0),
    })  # fmt: skip
    found = grids.lab.study_picked("down")
    assert [(group.name, group.cost) for group in found.groups] == [("small", 0.0), ("large", 0.5)]
    assert any(note.text == "cost over 2 of 2 groups: 0.25 on average, 0.50 at most" for note in found.notes)
    assert said(found)[1].startswith(
        'model large: the rule picks "large, mixup" (5.00 points ahead of "large, none" upstream)'
    )


def test_every_form_says_the_same(grids: StudyHome) -> None:
    test_groups_have_costs_of_their_own(grids)
    found = grids.lab.study_picked("down")
    lines = list(csv.DictReader(io.StringIO(PICKED_FORMATS["csv"](found))))
    assert [(line["checkpoint"], line["picked"], line["best"], line["cost"]) for line in lines] == [
        ("small/none", "true", "true", "0.0"), ("small/mixup", "false", "false", "0.0"),
        ("large/mixup", "true", "false", "0.5"), ("large/none", "false", "true", "0.5"),
    ]  # fmt: skip
    document = json.loads(PICKED_FORMATS["json"](found))
    assert [group["cost"] for group in document["groups"]] == [0.0, 0.5]
    for form in ("table", "md", "latex"):
        written = PICKED_FORMATS[form](found)
        assert written.count("95.50") == 1 and "picked" in written
    assert all(cell_width(line) <= 80 for line in text(found, 80).splitlines())


# -- what upstream weights cost ----------------------------------------------------------------------------------


def test_upstream_compute_is_added_where_it_is_asked_for(both: StudyHome) -> None:
    made = trained(both, "up", {"a": 80.0, "b": 84.0, "c": 82.0})
    planned = both.planned("down")
    for variant in planned.variants:
        both.run(variant, 0, 90.0, batch_size=32, step=100)
    plain = {point.variant: point.compute for point in both.lab.study_tradeoff(["down"], axis="images").points}
    assert set(plain.values()) == {3200.0}
    added = {
        point.variant: point.compute for point in both.lab.study_tradeoff(["down"], axis="images", upstream=True).points
    }
    assert added == {"base": 3200.0, **dict.fromkeys(("from-a", "from-b", "from-c"), 3200.0 + 300 * 128)}
    both.write("down", DOWN.format(adapt="picked", more=""))
    all_of_it = both.lab.study_tradeoff(["down"], axis="images", upstream=True)
    # To pick one, all three had to be trained.
    assert {point.variant: point.compute for point in all_of_it.points}["from-b"] == 3200.0 + 3 * 300 * 128
    with both.lab.store.writing() as db:
        db.execute("UPDATE runs SET batch_size = NULL WHERE id = ?", (made["b"],))
    left = both.lab.study_tradeoff(["down"], axis="images", upstream=True)
    assert [point.variant for point in left.points] == ["base"]
    assert any("1 runs are left out" in note.text for note in left.notes)


def test_what_a_start_sets_loads_weights_of_other_channels_classes_and_sizes(tmp_path: Path) -> None:
    """From 3x16x16 images of five classes to 1x8x8 ones of ten, by the words that a study gives its variants."""
    import torch
    from safetensors.torch import save_file

    from engine.models.build import build

    shelf = Shelf([presets.SHIPPED])
    words = ["model.options.patch_size=4"]
    upstream = build(shelf.compose("demo-digits", (), words).recipe, channels=3, classes=5, img_size=16).model
    path = tmp_path / WEIGHTS
    save_file({key: value.contiguous() for key, value in upstream.state_dict().items()}, path)
    recipe = shelf.compose("demo-digits", (), [*words, *Start("from-a", "a", str(path)).sets]).recipe
    built = build(recipe, channels=1, classes=10, img_size=8)
    assert sorted(built.random) == ["head.bias", "head.weight"]
    own, theirs = built.model.state_dict(), upstream.state_dict()
    assert torch.equal(own["blocks.3.mlp.fc1.weight"], theirs["blocks.3.mlp.fc1.weight"])
    grey = theirs["patch_embed.proj.weight"].sum(1, keepdim=True)
    assert torch.allclose(own["patch_embed.proj.weight"], grey) and own["pos_embed"].shape[1] == 4
