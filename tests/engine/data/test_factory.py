"""Datasets by the names of timm's factory: torchvision's for real, Hugging Face's through a library of that shape."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.data.errors import DataError
from engine.data.sources import add
from tests.engine.data.test_sources import write_idx


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a module `datasets` in place that has one dataset: split -> (images, labels), and the names of classes."""

    def place(
        splits: dict[str, tuple[list[Image.Image], list[Any]]], names: dict[str, list[str]] | list[str],
        image: str = "image", label: str = "label",
    ) -> None:  # fmt: skip
        module = ModuleType("datasets")
        module.__spec__ = SimpleNamespace(name="datasets")  # type: ignore[assignment]
        classes = {"Image": type("Image", (), {"__init__": lambda self, decode=True: None})}
        classes["ClassLabel"] = type("ClassLabel", (), {"__init__": lambda self, names: setattr(self, "names", names)})

        def info(split: str) -> SimpleNamespace:
            of_split = names[split] if isinstance(names, dict) else names
            return SimpleNamespace(
                features={image: classes["Image"](), label: classes["ClassLabel"](of_split)}, splits={}
            )

        class Table:
            def __init__(self, split: str) -> None:
                self.info, (self.images, self.labels) = info(split), splits[split]

            def cast_column(self, column: str, _feature: Any) -> Table:
                assert column == image
                return self

            def __len__(self) -> int:
                return len(self.labels)

            def __getitem__(self, index: int) -> dict[str, Any]:
                file = io.BytesIO()
                self.images[index].save(file, "PNG")
                content = file.getvalue()
                return {
                    image: {"bytes": content if self.labels[index] != 99 else content[:-30]},
                    label: self.labels[index],
                }

        module.Image = classes["Image"]  # type: ignore[attr-defined]
        module.get_dataset_split_names = lambda name: list(splits)  # type: ignore[attr-defined]
        module.load_dataset_builder = lambda name: SimpleNamespace(info=info("train"))  # type: ignore[attr-defined]
        module.load_dataset = lambda name, split, cache_dir: Table(split)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "datasets", module)
        monkeypatch.delitem(sys.modules, "timm.data.readers.reader_hfds", raising=False)

    return place


def grey(values: list[int], size: tuple[int, int] = (8, 8)) -> list[Image.Image]:
    return [Image.new("L", size, value) for value in values]


def test_kmnist_through_torchvision(tmp_path: Path, photos: Callable[..., np.ndarray]) -> None:
    images, labels = photos(28, 14, channels=1)[..., 0], np.arange(14) % 10
    cache = tmp_path / "data" / ".download" / "mine" / "KMNIST"
    cache.mkdir(parents=True)
    write_idx(
        cache / "raw",
        {
            "train-images-idx3-ubyte": images[:10], "train-labels-idx1-ubyte": labels[:10],
            "t10k-images-idx3-ubyte": images[10:], "t10k-labels-idx1-ubyte": labels[10:],
        },
        False,
    )  # fmt: skip
    packed = add("mine", tmp_path / "data", factory="torch/kmnist")
    assert packed.classes[:3] == ("o", "ki", "su") and packed.channels == 1 and set(packed.splits) == {"train", "test"}
    assert np.array_equal(packed.split("train").images[..., 0], images[:10])
    assert np.array_equal(packed.split("test").images[..., 0], images[10:])
    assert packed.split("test").labels.tolist() == [0, 1, 2, 3] and packed.source == "torch/kmnist"
    assert not (tmp_path / "data" / ".download").exists()


def test_a_dataset_of_the_hub(tmp_path: Path, hub: Callable[..., None]) -> None:
    colour = [Image.new("RGB", (8, 8), (value, 0, 0)) for value in (50, 60)]
    splits = {"train": (grey([10, 20, 30]), [1, 0, 1]), "validation": (colour, [0, 1]), "test": (grey([1]), [-1])}
    hub(splits, ["cat", "dog"], image="img", label="species")
    packed = add("mine", tmp_path / "data", factory="hfds/somebody/pets")
    # The test split was published without labels, and one picture of colour makes all three channels.
    assert set(packed.splits) == {"train", "val"} and packed.classes == ("cat", "dog") and packed.channels == 3
    assert packed.split("train").images[:, 0, 0, 0].tolist() == [10, 20, 30]
    assert packed.split("train").labels.tolist() == [1, 0, 1]
    assert packed.split("val").images[:, 0, 0].tolist() == [[50, 0, 0], [60, 0, 0]]


@pytest.mark.parametrize(
    ("splits", "names", "says"),
    [
        ({"train": (grey([1]), [0])}, ["a", "b"], "needs a training split and one to evaluate on; of those it has train"),
        (
            {"train": (grey([1]), [0]), "test": (grey([1]), [0])}, {"train": ["a", "b"], "test": ["b", "a"]},
            "numbers its classes otherwise in train and test",
        ),
        (
            {"train": (grey([1]), [0]), "test": (grey([1]), [0])}, {"train": ["a", "b"], "test": ["a", "c"]},
            "only in train: b; only in test: c",
        ),
        ({"train": ([], []), "test": ([], [])}, ["a"], "hfds/x has no pictures; fetch"),
        ({"train": ([], []), "test": (grey([1]), [0])}, ["a"], "hfds/x has no image for train; fetch"),
        ({"train": (grey([1]), [0]), "test": (grey([1]), [0.5])}, ["a"], r"has the label 0\.5 in test, which is no class"),
        ({"train": (grey([1]), [-1]), "test": (grey([1]), [0])}, ["a"], "has images without a label in train"),
        ({"train": (grey([1]), [0]), "test": (grey([1]), [-1])}, ["a"], "has labels in its training split alone"),
        (
            {"train": (grey([1]) + grey([1], (9, 9)), [0, 0]), "test": (grey([1]), [0])}, ["a"],
            "hfds/x has 2 different sizes .* --size 8",
        ),
        ({"train": (grey([1]) * 2, [0, 99]), "test": (grey([1]), [0])}, ["a"], "hfds/x: train image 1 cannot be read"),
    ],
)  # fmt: skip
def test_what_a_dataset_of_the_hub_can_lack(
    tmp_path: Path, hub: Callable[..., None], splits: Any, names: Any, says: str
) -> None:
    hub(splits, names)
    with pytest.raises(DataError, match=says):
        add("mine", tmp_path / "data", factory="hfds/x")
    assert not (tmp_path / "data" / "mine").exists() and not (tmp_path / "data" / ".download").exists()


def test_the_library_is_told_to_run_no_code_from_a_repository(
    tmp_path: Path, hub: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Versions 2.16 to 3 read this when they are asked for splits, not only when timm loads them."""
    hub({"train": (grey([1]), [0])}, ["a"])
    monkeypatch.setenv("HF_DATASETS_TRUST_REMOTE_CODE", "1")
    told = []
    monkeypatch.setattr(
        sys.modules["datasets"], "get_dataset_split_names",
        lambda _: told.append(os.environ["HF_DATASETS_TRUST_REMOTE_CODE"]) or [],
    )  # fmt: skip
    with pytest.raises(DataError, match="needs a training split"):
        add("mine", tmp_path / "data", factory="hfds/x")
    assert told == ["0"]


def test_an_error_of_the_library_is_one_sentence(tmp_path: Path, hub: Callable[..., None]) -> None:
    hub({"train": ([], []), "test": ([], [])}, ["a"])

    def refuse(name: str) -> list[str]:
        raise ConnectionError("Couldn't reach the Hub\nTraceback of another kind")

    sys.modules["datasets"].get_dataset_split_names = refuse
    with pytest.raises(DataError) as refused:
        add("mine", tmp_path / "data", factory="hfds/x")
    assert str(refused.value) == (
        "hfds/x could not be opened (Couldn't reach the Hub); check the name and the connection"
    )


def test_names_that_are_not_for_the_factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for name, factory, says in (
        ("mine", "hfds/x", "needs the library datasets, which is not installed; run: pip install datasets"),
        ("mine", "tfds/x", "needs the library tensorflow_datasets, which is not installed"),
        # torchvision would unpickle these; they are read here.
        ("mine", "torch/cifar10", "is read by this program itself; run: vitui data add cifar10"),
        ("mine", "torch/stl10", "timm's factory knows no torch/stl10; it has torch/kmnist"),
        ("cifar10", "hfds/x", '"cifar10" is made of its published files; choose another name'),
        ("digits", "hfds/x", "comes with the program"),
    ):
        with pytest.raises(DataError, match=says):
            add(name, tmp_path / "data", factory=factory)
