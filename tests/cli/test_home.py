"""Which directory is written to, and that looking writes to none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Home


@pytest.mark.parametrize(
    "words",
    [
        ("runs",), ("queue",), ("data", "list"), ("presets",), ("toggles",), ("doctor",),
        ("run", "demo-digits", "--dry-run"), ("run", "demo-digits", "--dry-run", "--json"),
    ],
)  # fmt: skip
def test_looking_makes_no_home(home: Home, words: tuple[str, ...]) -> None:
    home(*words)
    assert not home.path.exists()
    home.path.mkdir()
    home(*words)
    assert list(home.path.iterdir()) == [], "a directory that is there is not made a home by looking into it"


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("run", "demo-digitz"), 2, "did you mean demo-digits?"),
        (("run", "demo-digits", "--set", "optim.lrr=1"), 2, "unknown field"),
        (("run", "demo-digits", "--follow", "--json"), 2, "choose one"),
        ((), 2, "not a terminal"),
        (("rebuild",), 3, "there is no home at"),
        (("queue", "resume"), 3, "holds no runs yet"),
        (("stop", "2501"), 3, "holds no runs yet"),
        (("--home", "", "runs"), 2, "--home is empty"),
        (("--home", "~nobody-of-that-name/x", "runs"), 2, "no such user"),
    ],
)
def test_what_cannot_work_makes_no_home_and_says_why(
    home: Home, words: tuple[str, ...], code: int, message: str
) -> None:
    answer = home(*words, code=code)
    assert message in answer.err and "Traceback" not in answer.err and not answer.out
    assert not home.path.exists()


def test_home_option_of_a_directory_that_is_no_home_is_refused(home: Home, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for place in ("other", "nowhere"):
        answer = home("--home", str(tmp_path / place), "runs", code=2)
        assert f"there is no home at {tmp_path / place}" in answer.err
    assert list((tmp_path / "other").iterdir()) == []


def test_two_homes_are_two(home: Home, tmp_path: Path) -> None:
    home.add()
    other = Home(tmp_path / "other", home._call)
    other.add("250101-130000-bbbb")
    assert [row["id"] for row in home("runs", "--json").json] == ["250101-120000-aaaa"]
    listed = home("--home", str(other.path), "runs", "--json").json
    assert [row["id"] for row in listed] == ["250101-130000-bbbb"]


def test_home_from_the_config_file(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.add()
    monkeypatch.delenv("VITUI_HOME")
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    (tmp_path / "project" / "vitui.toml").write_text('home = "../home"')
    assert len(home("runs", "--json").json) == 1
    (tmp_path / "project" / "vitui.toml").write_text('home = ""')
    assert "home must be the path of a directory" in home("runs", code=2).err


def test_a_current_directory_that_is_gone_is_no_matter(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, idle: None
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "here").rmdir()
    run = home("run", "demo-digits").out.strip()
    assert home("show", run, "--json").json["provenance"]["cwd"] == ""
    monkeypatch.delenv("VITUI_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert home("runs", "--json").json == []
