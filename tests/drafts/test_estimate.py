"""What a launch will cost, from past runs whose numbers are known."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from vitui.admission import question
from vitui.composition import compose_run, roots
from vitui.drafts.estimate import estimate
from vitui.inspecting import Description, Memory
from vitui.lab import Lab
from vitui.store import runs
from vitui.store.series import Series

HOST = socket.gethostname()
MEMORY = Memory(weights=1000, gradients=1000, optimizer=2000, ema=0, activations_per_image=10, teacher=0)


def composed(lab: Lab, *sets: str) -> Any:
    return compose_run("demo-digits", (), sets, where=roots(lab.home))


def past(lab: Lab, run_id: str, *sets: str, speed: float = 100.0, seconds: float | None = None, evals: int = 0,
         placed: str = "cpu", host: str = HOST, batch: int = 32, steps: int = 1000) -> None:  # fmt: skip
    """A run that has been."""
    recipe = composed(lab, *sets).recipe
    with lab.store.writing() as db:
        runs.insert(db, runs.new_run(run_id, {"created": float(len(lab.runs()))}, recipe.flat()))
        db.execute("DELETE FROM queue")
        db.execute(
            "UPDATE runs SET state = 'finished', placed = ?, host = ?, batch_size = ?, step = ?, images_per_s = ? WHERE id = ?",
            (placed, host, batch, steps, speed, run_id),
        )
        if seconds is not None:
            data = json.dumps({"seconds": seconds})
            db.execute(
                "INSERT INTO events (run, seq, kind, attempt, at, data) VALUES (?, 1, 'finished', 1, 0, ?)",
                (run_id, data),
            )
        for step in range(evals):
            db.execute(
                "INSERT INTO evals (run, step, split, weights, role, key, value, at) VALUES (?, ?, 'val', 'model', 'select', 'top1', 1, 0)",
                (run_id, step),
            )


def images(recipe: Any) -> float:
    """Images of the whole run on the 1,437 training images, less the minival."""
    kept = 1437 - round(1437 * recipe.data.minival)
    return kept // recipe.train.batch_size * recipe.train.batch_size * recipe.train.epochs


def test_nothing_is_known_before_there_was_a_run(lab: Lab) -> None:
    found = estimate(lab, composed(lab), "cpu", 3)
    assert (found.seconds, found.total_seconds, found.memory_bytes, found.disk_bytes, found.fits) == (None,) * 4 + ("",)
    assert "no run of this model on the CPU yet" in found.time_basis


def test_time_is_the_images_at_the_median_speed_and_the_evaluations_as_they_took(lab: Lab) -> None:
    for i, speed in enumerate((100.0, 120.0, 900.0)):
        # 1,000 steps of 32 images, and 20 s beside them in 10 evaluations
        past(lab, f"r{i}", speed=speed, seconds=32_000 / speed + 20, evals=10)
    wanted = composed(lab)
    found = estimate(lab, wanted, "cpu", 3)
    expected = images(wanted.recipe) / 120 + 2 * wanted.recipe.train.epochs
    assert found.seconds == pytest.approx(expected) and found.total_seconds == pytest.approx(3 * expected)
    assert found.time_basis == "from 3 runs of this model on the CPU at 120 images/s, evaluations as they took"


def test_runs_with_the_same_batch_size_are_preferred_and_others_named(lab: Lab) -> None:
    past(lab, "r0", speed=50.0, batch=64)
    found = estimate(lab, composed(lab), "cpu")
    assert "with batches of 64; evaluations not counted" in found.time_basis
    past(lab, "r1", speed=100.0)
    assert "from 1 run of this model on the CPU at 100 images/s" in estimate(lab, composed(lab), "cpu").time_basis


@pytest.mark.parametrize(
    "other",
    [
        {"placed": "GPU 0 NVIDIA H200"}, {"host": "another"}, {"sets": ("model.options.depth=2",)}, {"steps": 3},
        {"sets": ("model.norm=bn",)}, {"sets": ("data.img_size=16",)}, {"sets": ("model.name=vit_small_patch16_224",)},
    ],
)  # fmt: skip
def test_runs_of_another_model_size_or_device_say_nothing(lab: Lab, other: dict[str, Any]) -> None:
    past(lab, "r0", *other.pop("sets", ()), **other)
    assert estimate(lab, composed(lab), "cpu").seconds is None


def test_memory_and_disk_are_what_the_engine_said(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = composed(lab)
    kept = lab.home / "cache" / "models"
    kept.mkdir(parents=True)
    told = Description(params=250, trainable_params=250, macs=10, memory=MEMORY)
    (kept / f"{question(lab.home, wanted.recipe).key}.json").write_text(json.dumps(told.as_json()))
    found = estimate(lab, wanted, "cpu", 2)
    assert found.description == told and found.memory_bytes == 4000 + 10 * wanted.recipe.train.batch_size
    assert found.disk_bytes == 2 * 3000 + 1000 and found.total_disk_bytes == 14_000
    assert found.fits.startswith("fits: ") and found.memory_basis.startswith("estimate: 32 images")
    from vitui.supervisor.devices import Device

    for free, says in ((4400, "fits:"), (4200, "does not fit now:")):
        monkeypatch.setattr(Lab, "devices", lambda self, f=free: [Device("cpu", -1, "c", 1, 5000, f)])
        assert estimate(lab, wanted, "cpu").fits.startswith(says)
    monkeypatch.setattr(Lab, "devices", lambda self: [Device("cpu", -1, "c", 1, 4000, 10)])
    assert "raise train.grad_accum_steps" in estimate(lab, wanted, "cpu").fits


def test_measured_memory_goes_before_the_estimate(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    from vitui.supervisor.devices import Device

    monkeypatch.setattr(Lab, "devices", lambda self: [Device("GPU-1", 0, "NVIDIA H200", 1, 2**40, 2**39)])
    past(lab, "r0", placed="GPU 0 NVIDIA H200", host="elsewhere")
    with lab.store.writing() as db:
        measured = Series(db, "r0")
        measured.add("train/memory_gb", [10, 20, 30], [1.0, 1.5, 1.25], 0.0, 1)
        measured.flush()
    found = estimate(lab, composed(lab), "auto")
    assert (found.memory_bytes, found.memory_basis) == (3 * 2**29, "as run r0 took") and found.fits.startswith(
        "fits: 1.50 GiB"
    )
    assert "on NVIDIA H200 at" in found.time_basis
    for other in ("train.batch_size=16", "regularize.ema=0.99"):
        assert estimate(lab, composed(lab, other), "auto").memory_bytes is None
