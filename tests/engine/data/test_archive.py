"""Archives from anywhere: nothing leaves the folder, nothing torn passes for whole."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine.data import archive as archive_module
from engine.data.archive import is_archive, unpack
from engine.data.errors import DataError


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(params=[zipped, tarred])
def write(request: pytest.FixtureRequest, tmp_path: Path):
    name = "a.zip" if request.param is zipped else "a.tar.gz"
    return lambda files: request.param(tmp_path / name, files)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inside" / "folder").mkdir(parents=True)
    return tmp_path / "inside" / "folder"


def test_files_come_out_as_they_went_in_with_progress(write, folder: Path) -> None:
    files = {"a/b/c.jpg": os.urandom(3 << 20), "d.txt": b"", "./e.txt": b"e"}
    said: list[tuple[str, int, int]] = []
    path = write(files)
    unpack(path, folder, lambda *what: said.append(what))
    assert {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()} == {
        "a/b/c.jpg": files["a/b/c.jpg"], "d.txt": b"", "e.txt": b"e",
    }  # fmt: skip
    assert said[-1] == (f"unpacking {path.name}", (3 << 20) + 1, (3 << 20) + 1)


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "a\\..\\out.txt"])
def test_a_name_that_leads_out_of_the_folder_is_refused(write, folder: Path, name: str) -> None:
    with pytest.raises(DataError, match="would land outside its folder"):
        unpack(write({"fine.txt": b"1", name: b"2"}), folder)
    assert [p.name for p in folder.parent.rglob("*") if p.is_file()] == ["fine.txt"]


def test_links_are_left_out_so_that_nothing_is_written_through_them(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "elsewhere")
        tar.addfile(link)
        member = tarfile.TarInfo("link/file")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"x"))
    unpack(tmp_path / "a.tar", folder)
    assert (folder / "link" / "file").read_bytes() == b"x" and not list((tmp_path / "elsewhere").iterdir())


def test_a_torn_archive_is_refused(write, folder: Path) -> None:
    path = write({"a.bin": os.urandom(100_000), "b.bin": os.urandom(100_000)})
    whole = path.read_bytes()
    for content in (whole[:-50_000], whole[:90_000] + b"?" * 10 + whole[90_010:], b"nothing of the kind", b""):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"is not a whole archive \("):
            unpack(path, folder)
        for file in folder.iterdir():
            file.unlink()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.zip", zipfile.ZIP_BZIP2), ("a.zip", zipfile.ZIP_LZMA), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")],
)
def test_a_torn_archive_of_another_compression_is_not_taken_for_a_full_disk(
    tmp_path: Path, folder: Path, name: str, kind: Any
) -> None:
    path, content = tmp_path / name, b"".join(b"%d " % n for n in range(200_000))
    if name == "a.zip":
        with zipfile.ZipFile(path, "w", kind) as archive:
            archive.writestr("a.bin", content)
    else:
        with tarfile.open(path, kind) as tar:
            member = tarfile.TarInfo("a.bin")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"?" * 50 + whole[len(whole) // 2 + 50 :])
    with pytest.raises(DataError, match=r"is not a whole archive \([^\n]*\); fetch it again"):
        unpack(path, folder)


def test_what_is_no_archive_is_said_in_one_line(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"no archive" * 100)
    with pytest.raises(DataError) as caught:
        unpack(tmp_path / "a.tar.gz", folder)
    assert str(caught.value).endswith("is not a whole archive (file could not be opened successfully); fetch it again")


def test_links_in_a_zip_and_what_macos_adds_are_left_out(tmp_path: Path, folder: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        link = zipfile.ZipInfo("train/a.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("train/b.png", b"b")
        archive.writestr("__MACOSX/train/._b.png", b"attributes")
    unpack(tmp_path / "a.zip", folder)
    assert [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()] == ["train/b.png"]


def test_two_files_of_one_name_and_too_little_space(write, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write({"a.txt": b"1", "./a.txt": b"2"})
    with pytest.raises(DataError, match="has two files of one name"):
        unpack(path, folder)
    usage = archive_module.shutil.disk_usage(folder)
    monkeypatch.setattr(archive_module.shutil, "disk_usage", lambda _: usage._replace(free=1))
    with pytest.raises(DataError, match=r"unpacking .* needs 0 MB but .* has 0 MB free"):
        unpack(path, folder)


def test_what_is_taken_for_an_archive(tmp_path: Path) -> None:
    names = {
        "a.zip": True,
        "a.tgz": True,
        "a.tar.xz": True,
        "a.tar": True,
        "a.gz": False,
        "azip": False,
        "a.rar": False,
    }
    for name in names:
        (tmp_path / name).write_bytes(b"")
    assert {name: is_archive(tmp_path / name) for name in names} == names
    assert not is_archive(tmp_path)
