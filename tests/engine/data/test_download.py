"""Downloads from a real server on this machine: checked, retried, and gone when packed."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from engine.data import sources
from engine.data.download import download
from engine.data.errors import DataError
from engine.recipe import datasets
from engine.recipe.datasets import Remote
from tests.engine.data.test_sources import write_idx


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}/", folder
    http.shutdown()
    thread.join()
    http.server_close()


def spec_of(url: str, folder: Path):
    files = tuple(
        Remote(url + p.name, hashlib.md5(p.read_bytes()).hexdigest(), p.stat().st_size)
        for p in sorted(folder.iterdir())
    )
    return replace(
        datasets.get("fashion-mnist"),
        files=files,
        splits={"train": 10, "test": 4},
        classes=tuple("abcd"),
        size=(28, 28),
    )


@pytest.fixture
def served(server: tuple[str, Path], photos, tmp_path: Path):
    images, labels = photos(28, 14, channels=1)[..., 0], np.arange(14) % 4
    made = write_idx(
        tmp_path / "made",
        {
            "train-images-idx3-ubyte": images[:10], "train-labels-idx1-ubyte": labels[:10],
            "t10k-images-idx3-ubyte": images[10:], "t10k-labels-idx1-ubyte": labels[10:],
        },
        True,
    )  # fmt: skip
    for path in made.iterdir():
        path.rename(server[1] / path.name)
    return spec_of(*server), images


def test_download_is_packed_and_then_removed(served, tmp_path: Path, monkeypatch) -> None:
    spec, images = served
    monkeypatch.setattr(datasets, "known", lambda: {spec.name: spec})
    said: list[tuple[str, int, int]] = []
    packed = sources.add("fashion-mnist", tmp_path / "data", progress=lambda *p: said.append(p))
    assert np.array_equal(packed.split("train").images[..., 0], images[:10])
    assert spec.urls[0] in packed.source
    assert not (tmp_path / "data" / ".download").exists()
    assert any(what.startswith("downloading") and done == total for what, done, total in said)


def test_a_download_that_fails_leaves_only_whole_files(served, server, tmp_path: Path, monkeypatch) -> None:
    spec, _ = served
    monkeypatch.setattr(datasets, "known", lambda: {spec.name: spec})
    kept = tmp_path / "data" / ".download" / "fashion-mnist"
    second = server[1] / spec.files[1].filename
    second.rename(tmp_path / "aside")
    with pytest.raises(DataError, match="HTTP Error 404"):
        sources.add("fashion-mnist", tmp_path / "data")
    assert [p.name for p in kept.iterdir()] == [spec.files[0].filename]
    (kept / spec.files[0].filename).unlink()
    (server[1] / spec.files[0].filename).unlink()
    with pytest.raises(DataError, match="HTTP Error 404"):
        sources.add("fashion-mnist", tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_a_file_that_is_not_the_published_one_is_refused(served, server, tmp_path: Path) -> None:
    spec, _ = served
    victim = server[1] / spec.files[0].filename
    victim.write_bytes(victim.read_bytes()[:-1] + b"?")
    with pytest.raises(DataError, match="MD5"):
        download(spec, tmp_path / "got")
    assert list((tmp_path / "got").iterdir()) == []


def test_what_is_there_already_is_not_fetched_again(served, server, tmp_path: Path) -> None:
    spec, _ = served
    download(spec, tmp_path / "got")
    (server[1] / spec.files[0].filename).unlink()
    assert [p.name for p in download(spec, tmp_path / "got")] == [f.filename for f in spec.files]
    (tmp_path / "got" / spec.files[0].filename).write_bytes(b"spoilt")
    with pytest.raises(
        DataError, match=r"could not be fetched \(HTTP Error 404.*\).*vitui data add fashion-mnist --from"
    ):
        download(spec, tmp_path / "got")
