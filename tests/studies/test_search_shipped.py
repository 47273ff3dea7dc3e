"""The shipped studies about scratch, transfer and picking ask for what the paper trained (appendix A, tables 4 and 5)."""

from __future__ import annotations

import math

import pytest

from engine.recipe import presets
from vitui.studies.definition import SHIPPED, Study, parse
from vitui.studies.plan import Shelf, variants_of

RATES = ("1e-4", "3e-4", "1e-3", "3e-3")
DECAYS = ("1e-5", "3e-5", "1e-4", "3e-4")
AUGMENTED = {
    (0, 0, 0.0), (2, 10, 0.2), (2, 15, 0.2), (2, 15, 0.5), (2, 20, 0.5), (2, 20, 0.8), (4, 15, 0.5), (4, 20, 0.8),
}  # fmt: skip


def study(name: str) -> Study:
    return parse((SHIPPED / f"{name}.toml").read_text(encoding="utf-8"), name)


@pytest.mark.parametrize(
    ("name", "epochs", "rates", "decays"),
    [
        ("augreg-scratch-pets", (1000, 3000, 10_000, 30_000, 300_000), RATES, DECAYS),
        ("augreg-scratch-pets-b16", (1000, 3000, 10_000), ("3e-4", "1e-3"), ("3e-5", "1e-4")),
        ("augreg-scratch-resisc45", (75, 250, 750, 2500, 7500, 25_000), RATES, DECAYS),
        ("augreg-scratch-resisc45-b16", (75, 250, 750, 2500, 7500), ("1e-3",), ("1e-4", "3e-4")),
    ],
)
def test_the_scratch_grids_are_the_papers(
    name: str, epochs: tuple[int, ...], rates: tuple[str, ...], decays: tuple[str, ...]
) -> None:
    found = study(name)
    axes = {axis.name: [level.set for level in axis.levels] for axis in found.axis}
    assert [level["train.epochs"] for level in axes["epochs"]] == list(epochs)
    # Warm-up is a twentieth, as in the presets; a run is evaluated a hundred times, or after every epoch.
    assert all(level["schedule.warmup_epochs"] * 20 == level["train.epochs"] for level in axes["epochs"])
    # The paper does not multiply weight decay by the learning rate.
    told = {
        (level["optim.lr"], float(f"{level['optim.weight_decay'] * level['optim.lr']:.3g}")) for level in axes["optim"]
    }
    assert told == {(float(rate), float(decay)) for rate in rates for decay in decays}
    for level in axes["reg"]:
        assert len(set(level.values())) == 1 and len(level) == 3
    assert [level["regularize.drop_path"] for level in axes["reg"]] == [0.0, 0.1, 0.2]
    assert {_augmented(level) for level in axes["aug"]} == AUGMENTED
    size = math.prod(len(levels) for levels in axes.values())
    assert size == len(epochs) * len(rates) * len(decays) * 24 and f"{size:,}" in found.description
    assert found.search is not None and found.search.grid and found.search.n <= size


def _augmented(level: dict[str, object]) -> tuple[int, int, float]:
    name = str(level["augment.randaugment"])
    layers, magnitude = (int(part[1:]) for part in name.split("-")[1:]) if name else (0, 0)
    mixup = level["mix.mixup"]
    assert isinstance(mixup, float)
    return layers, magnitude, mixup


def test_drawn_from_the_grid_are_so_many_unlike_ones_and_more_add_to_them() -> None:
    shelf = Shelf([presets.SHIPPED])
    found = study("augreg-scratch-resisc45-b16")
    assert found.search is not None
    few = variants_of(found.model_copy(update={"search": found.search.model_copy(update={"n": 5})}), shelf)
    more = variants_of(found.model_copy(update={"search": found.search.model_copy(update={"n": 9})}), shelf)
    assert (len({one.fingerprint for one in few}), len({one.name for one in more})) == (5, 9)
    assert {one.name for one in few} < {one.name for one in more}
    assert all(set(one.levels) == {"epochs", "optim", "reg", "aug"} for one in more)


def test_transfer_sweeps_are_of_table_4() -> None:
    small, large = {(500, 100), (2500, 200)}, {(2500, 200), (10_000, 500)}
    found = study("augreg-transfer-search")
    runs = found.axis[0].levels
    for data, lengths in (("pets", small), ("kitti", small), ("c100", large), ("resisc45", large)):
        told = {(run.set["train.steps"], run.set["schedule.warmup_steps"]) for run in runs if run.fill == data}
        assert told == lengths
    assert found.axis[1].values == (0.001, 0.003, 0.01)
    names = {variant.name: variant for variant in variants_of(found, Shelf([presets.SHIPPED]))}
    assert len(names) == 24
    # big_vision's own setting for Pets is one of the six.
    assert [one.value for one in names["pets-500/0.003"].references if one.metric == "top1"] == [93.78]
    # The studies that compare with scratch ask for the very same runs.
    for name, data in (("augreg-scratch-pets", "pets"), ("augreg-scratch-resisc45", "resisc45")):
        compared = study(name).model_copy(update={"axis": (), "search": None})
        shared = {one.fingerprint for one in variants_of(compared, Shelf([presets.SHIPPED])) if one.levels == {}}
        assert {one.fingerprint for key, one in names.items() if key.startswith(data)} <= shared


def test_one_checkpoint_is_picked_for_each_model_of_the_grid() -> None:
    found, upstream = study("augreg-pick-one"), study("augreg-i21k300")
    assert found.upstream is not None and (found.upstream.study, found.upstream.each) == ("augreg-i21k300", "model")
    here, there = ([level.name for level in one.axis[0].levels] for one in (found, upstream))
    assert found.axis[0].name == upstream.axis[0].name == "model" and sorted(here) == sorted(there)
