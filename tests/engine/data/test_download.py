"""Downloads from a real server on this machine: checked, retried, and gone when packed."""

from __future__ import annotations

import hashlib
import shutil
import ssl
import tarfile
import threading
import urllib.request
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
from tests.engine.data import layouts
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


@pytest.fixture
def flowers(server: tuple[str, Path], tmp_path: Path, monkeypatch):
    """The catalogue entry with the three files of a small Oxford 102 Flower, served."""
    root = layouts.flowers(tmp_path / "made")
    with tarfile.open(server[1] / "102flowers.tgz", "w:gz") as tar:
        tar.add(root / "jpg", arcname="jpg")
    for name in ("imagelabels.mat", "setid.mat"):
        shutil.copy(root / name, server[1])
    counts = {"train": 3, "val": 3, "test": 6}
    spec = replace(datasets.get("flowers-102"), files=spec_of(*server).files, splits=counts, unnamed=3, pack_size=8)
    monkeypatch.setattr(datasets, "known", lambda: {"flowers-102": spec})
    return spec


def test_an_archive_and_what_lies_beside_it_become_one_dataset(flowers, server, tmp_path: Path) -> None:
    data = tmp_path / "data"
    packed = sources.add("flowers-102", data)
    assert packed.size == (8, 8) and len(packed.split("test")) == 6 and packed.mean == flowers.mean
    assert [p.name for p in data.iterdir() if not p.name.endswith(".lock")] == ["flowers-102"]
    # What was fetched elsewhere is taken as it is: the remedy that a failed download names.
    again = sources.add("flowers-102", tmp_path / "other", path=server[1], size=4)
    assert again.size == (4, 4) and again.source == str(server[1])


def test_a_torn_archive_leaves_nothing_unpacked(flowers, server, tmp_path: Path) -> None:
    archive = server[1] / "102flowers.tgz"
    archive.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(DataError, match=r"102flowers\.tgz is not a whole"):
        sources.add("flowers-102", tmp_path / "data", path=server[1])
    assert [p for p in (tmp_path / "data").iterdir() if not p.name.endswith(".lock")] == []


def test_what_cannot_be_downloaded_says_where_it_is(tmp_path: Path) -> None:
    for name in ("imagenet", "imagenetv2", "resisc45", "kitti-distance"):
        with pytest.raises(DataError, match=rf"get it from http.*, then: vitui data add {name} --from PATH"):
            sources.add(name, tmp_path / "data")


def test_a_connection_that_breaks_off_is_not_taken_for_a_full_disk(served, tmp_path: Path, monkeypatch) -> None:
    spec, _ = served

    def breaks(request, timeout: float) -> None:
        raise ssl.SSLEOFError(8, "EOF occurred in violation of protocol")

    monkeypatch.setattr(urllib.request, "urlopen", breaks)
    with pytest.raises(DataError, match=r"could not be fetched .*EOF occurred in violation"):
        download(spec, tmp_path / "files")
    assert not list((tmp_path / "files").iterdir())
