"""A whole run of the real trainer whose splits have other roles than usual, told by its journal."""

from __future__ import annotations

from pathlib import Path

from engine.journal import RunDir, read_all
from engine.session import Session
from tests.engine.data.test_roles import make
from tests.engine.train.test_session import make_run


def test_a_run_on_train_and_val_that_another_dataset_selects_for(tmp_path: Path) -> None:
    counts = {"train": 100, "val": 20, "test": 30}
    make(tmp_path / "data", counts=counts, side=8, original_side=500)
    make(tmp_path / "data", "second", {"test": 12}, first=50, side=12)
    run: RunDir = make_run(
        tmp_path,
        "run",
        {
            "model": {
                "name": "vit_tiny_patch16_224",
                "options": {"embed_dim": 8, "depth": 1, "num_heads": 2, "patch_size": 4},
            },
            "data": {"dataset": "mine", "train_split": "train+val", "train_fraction": 0.5},
            "augment": {"crop": "resized"},
            "train": {"epochs": 2, "batch_size": 16, "threads": 1},
            "evaluate": {"select_dataset": "second"},
        },
    )
    code = Session(run, 1, "cpu", tmp_path / "data").execute()
    events = list(read_all(run.journal))
    assert code == 0, events[-1]
    (data,) = [event for event in events if event["kind"] == "data"]
    assert (data["train_images"], data["steps_per_epoch"], data["total_steps"], data["total_epochs"]) == (60, 3, 6, 2)
    assert (data["select_split"], data["select_images"]) == ("second", 12)
    assert (data["report_split"], data["report_images"]) == ("test", 30)
    assert [e["split"] for e in events if e["kind"] == "eval"] == ["second", "second", "test", "test"]
    assert events[-1]["best"]["selected_on"] == "second"
    warnings = [event["message"] for event in events if event["kind"] == "warning"]
    assert len(warnings) == 1 and "enlarges parts of them to 8 px" in warnings[0]
