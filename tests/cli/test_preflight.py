"""A launch whose data cannot play its roles is refused by one sentence, from manifests and the catalogue alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.journal import write_json
from engine.recipe import validate
from vitui.errors import UsageError
from vitui.preflight import check_data, dataset_status


@pytest.fixture
def home(tmp_path: Path) -> Path:
    pack(tmp_path, "whole", {"train": 100, "val": 20, "test": 30})
    pack(tmp_path, "plain", {"train": 100, "test": 30})
    pack(tmp_path, "second", {"test": 10})
    pack(tmp_path, "other", {"test": 10}, ["a", "c"])
    pack(tmp_path, "more", {"test": 10}, ["a", "b", "c"])
    pack(tmp_path, "empty", {"train": 0, "test": 10})
    pack(tmp_path, "gray", {"test": 10}, channels=1)
    pack(tmp_path, "copy", {"test": 10}, fingerprint="plain")
    return tmp_path


def pack(
    home: Path, name: str, counts: dict[str, int], classes: list[str] | None = None, channels: int = 3,
    fingerprint: str = "",
) -> None:  # fmt: skip
    folder = home / "data" / name
    folder.mkdir(parents=True)
    splits = {split: {"count": count} for split, count in counts.items()}
    write_json(folder / "manifest.json", {
        "title": name, "licence": "", "classes": classes or ["a", "b"], "splits": splits, "channels": channels,
        "fingerprint": fingerprint or name,
    })  # fmt: skip


def recipe(name: str, **sections: dict[str, Any]) -> Any:
    return validate({**sections, "data": {"dataset": name, **sections.get("data", {})}, "train": {"batch_size": 64}})


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("whole", {}),
        ("whole", {"data": {"train_split": "train+val", "train_fraction": 0.9, "minival": 0.4}}),  # 108 less 43
        ("plain", {"evaluate": {"select_dataset": "second"}}),
        ("plain", {"data": {"train_fraction": 0.64}}),
        ("digits", {}),
    ],
)
def test_what_can_be_launched(home: Path, name: str, sections: dict[str, Any]) -> None:
    check_data(home, recipe(name, **sections))


@pytest.mark.parametrize(
    ("name", "sections", "says"),
    [
        ("plain", {"data": {"train_fraction": 0.6}}, "train.batch_size = 64 is more than the 60 training images of plain"),
        ("plain", {"data": {"train_fraction": 0.7, "minival": 0.1}}, "is more than the 63 training images"),
        ("plain", {"data": {"train_split": "train+val"}}, "but plain has no val split, only train, test"),
        ("plain", {"evaluate": {"select_on": "val"}}, 'evaluate.select_on is "val", but plain has no val split'),
        ("whole", {"data": {"train_split": "train+val"}, "evaluate": {"report_on": "val"}}, "trains on the val split"),
        ("plain", {"data": {"minival": 0.004}}, r"data\.minival = 0\.004 of 100 training images is none; use at least 0\.01"),
        ("plain", {"data": {"train_fraction": 0.001}}, r"data\.train_fraction = 0\.001 of 100 training images is none"),
        ("second", {}, r'"second" has nothing to train on, only test; it can select for another dataset: evaluate\.sel'),
        ("imagenetv2", {}, r"get it with `vitui data add imagenetv2 --from PATH`; the files are at https://huggingface"),
        ("imagenet", {}, r"get it with `vitui data add imagenet --from PATH`; the files are at https://image-net\.org"),
        ("flowers-102", {}, r"get it with `vitui data add flowers-102` \(downloads 345 MB\), or"),
        ("empty", {}, r'"empty": .* is damaged'),
        ("plain", {"evaluate": {"select_dataset": "imagenetv2"}}, r'evaluate\.select_dataset = "imagenetv2" is not in'),
        ("plain", {"evaluate": {"select_dataset": "secnd"}}, r'"secnd" is not known; did you mean second\? Or add y'),
        ("imagenet21k", {}, r"did you mean imagenetv2\? Or add your own with `vitui data add imagenet21k --from PATH`"),
        ("zzz", {}, r'"zzz" is not known; add your own with `vitui data add zzz --from PATH`'),
        ("plain", {"evaluate": {"select_dataset": "digits"}}, r"is not packed yet; run `vitui data add digits`"),
        ("plain", {"evaluate": {"select_dataset": "plain"}}, r"is the dataset itself"),
        ("plain", {"evaluate": {"select_dataset": "gray"}}, "has 1 channels a picture, plain has 3; choose another"),
        ("plain", {"evaluate": {"select_dataset": "copy"}}, "holds the very images of plain; use evaluate.select_on"),
        ("plain", {"evaluate": {"select_dataset": "other"}}, "has other classes than plain, or in another order"),
        ("plain", {"evaluate": {"select_dataset": "more"}}, "has 3 classes, plain has 2; choose another"),
        ("plain", {"evaluate": {"select_dataset": "empty"}}, r'evaluate\.select_dataset = "empty": .* is damaged'),
    ],
)  # fmt: skip
def test_what_cannot_be_launched(home: Path, name: str, sections: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        check_data(home, recipe(name, **sections))


def test_the_catalogue_counts_classes_whose_names_come_with_the_files(home: Path) -> None:
    found = {status.name: status for status in dataset_status(home)}
    assert (found["tiny-imagenet"].classes, found["imagenet"].classes, found["pets"].classes) == (200, 1000, 37)
    assert found["tiny-imagenet"].size == " (downloads 248 MB)" and found["imagenet"].size == ""
    assert found["imagenet"].download_mb is None and found["imagenet"].remedy == "vitui data add imagenet --from PATH"
    assert (found["second"].state, found["second"].remedy) == ("present", "")
