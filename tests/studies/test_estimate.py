"""What a study would cost: which of its runs are counted, and which of its recipes cost the same."""

from __future__ import annotations

from vitui.studies.estimate import alike, study_estimate
from vitui.studies.variants import MISSING

from .homes import StudyHome

STUDY = """
base = "demo-digits"
seeds = [0, 1]
add = ["mixup", "ema"]
[[variant]]
name = "faster"
set = { optim.lr = 2e-3 }
[[variant]]
name = "sgd"
set = { optim.name = "sgd" }
[[variant]]
name = "sgd-plain"
set = { optim.name = "sgd", optim.momentum = 0.0 }
[[variant]]
name = "sgd-less"
set = { optim.name = "sgd", optim.momentum = 0.5 }
[[variant]]
name = "longer"
set = { train.epochs = 50 }
"""


def test_recipes_that_keep_as_much_and_take_as_long_are_one(home: StudyHome) -> None:
    home.write("s", STUDY)
    planned = home.planned("s")
    found = alike(home.lab, planned, [cell for cell in planned.cells if cell.status == MISSING])
    told = [(one.recipe.optim.name, one.recipe.regularize.ema > 0, one.recipe.train.epochs, n) for one, n in found]
    epochs = found[0][0].recipe.train.epochs
    assert told == [
        ("adamw", False, epochs, 6),  # base, mixup, faster
        ("adamw", True, epochs, 2),
        ("sgd", False, epochs, 4),  # with momentum, of whatever strength
        ("sgd", False, epochs, 2),
        ("adamw", False, 50, 2),
    ]


def test_what_would_be_queued_resumed_and_reused(home: StudyHome) -> None:
    home.write("s", 'base = "demo-digits"\nseeds = [0, 1, 2, 3]')
    (variant,) = home.planned("s").variants
    home.run(variant, 0, 90.0)
    home.run(variant, 1, state="failed")
    found = study_estimate(home.lab, home.planned("s"))
    assert (found.queue, found.resume, found.reuse) == (2, 1, 1)
    assert found.disk_bytes is None and found.unknown_disk == 2
    some = study_estimate(home.lab, home.planned("s"), only={("base", 1), ("base", 2)})
    assert (some.queue, some.resume) == (1, 1)
    for seed in (2, 3):
        home.run(variant, seed, 91.0)
    done = study_estimate(home.lab, home.planned("s"))
    assert (done.queue, done.seconds, done.disk_bytes) == (0, 0.0, 0)
