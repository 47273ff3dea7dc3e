"""An export is there as a whole, or nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from vitui.errors import UsageError
from vitui.exporting.places import check_free, staged


def put(folder: Path, text: str) -> None:
    (folder / "a.csv").write_text(text)
    (folder / "run").mkdir()
    (folder / "run" / "events").write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_files_and_folders_get_their_places(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with staged(out, ["a.csv", "run"], force=False) as inside:
        put(inside, "new")
        (inside / "scratch").write_text("not wanted")
        assert [path.name for path in out.iterdir()] == [inside.name], "nothing has its name before it is whole"
    assert content(out) == {"a.csv": "new", "run/events": "new"}


def test_what_is_there_is_replaced_only_when_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "old").write_text("old")
    with pytest.raises(UsageError, match=r"a\.csv \(and 1 more\) is there already; --force replaces it"):  # noqa: SIM117
        with staged(tmp_path, ["a.csv", "run"], force=False):
            raise AssertionError("nothing may be done")
    assert content(tmp_path) == {"a.csv": "old", "run/old": "old"}
    with staged(tmp_path, ["a.csv", "run"], force=True) as inside:
        put(inside, "new")
    assert content(tmp_path) == {"a.csv": "new", "run/events": "new"}


def test_a_failure_leaves_everything_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with pytest.raises(ValueError, match="in the middle"), staged(out, ["a.csv", "run"], force=False) as inside:
        put(inside, "half")
        raise ValueError("in the middle")
    assert list(tmp_path.iterdir()) == [], "the folders that were made for it have gone, too"
    (tmp_path / "a.csv").write_text("old")
    with pytest.raises(ValueError, match="again"), staged(tmp_path, ["a.csv"], force=True) as inside:
        raise ValueError("again")
    assert content(tmp_path) == {"a.csv": "old"}


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UsageError, match="cannot be made a folder"), staged(tmp_path / "out", ["a"], force=False):
        raise AssertionError("nothing may be done")
    assert (tmp_path / "out").read_text() == "a file"


def test_a_folder_takes_the_place_of_a_link_or_a_file_when_told(tmp_path: Path) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    (elsewhere / "mine").write_text("kept")
    for way in (lambda place: place.symlink_to(elsewhere), lambda place: place.write_text("a file")):
        out.mkdir(exist_ok=True)
        way(out / "run")
        with staged(out, ["a.csv", "run"], force=True) as inside:
            put(inside, "new")
        assert content(out) == {"a.csv": "new", "run/events": "new"} and not (out / "run").is_symlink()
        (out / "run" / "events").unlink()
        (out / "run").rmdir()
    assert content(elsewhere) == {"mine": "kept"}


def test_a_dangling_link_is_there_too(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is there already"):
        check_free([tmp_path / "a"], force=False)
