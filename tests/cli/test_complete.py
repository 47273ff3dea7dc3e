"""What the shell offers after a tab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Home


@pytest.fixture
def offered(home: Home, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def ask(*words: str) -> list[str]:
        monkeypatch.setenv("_VITUI_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", " ".join(("vitui", *words)))
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        try:
            return home().out.split()
        finally:
            monkeypatch.delenv("_VITUI_COMPLETE")

    return ask


def test_runs_presets_toggles_states_and_datasets(home: Home, offered: Callable[..., list[str]]) -> None:
    home.add("250101-120000-aaaa")
    home.add("250102-120000-bbbb")
    assert sorted(offered("show", "2501")) == ["250101-120000-aaaa", "250102-120000-bbbb"]
    assert offered("stop", "250102") == ["250102-120000-bbbb"]
    assert "demo-digits" in offered("run", "demo-d") and offered("presets", "show", "demo-dig") == ["demo-digits"]
    assert offered("run", "demo-digits", "--toggle", "no-mix") == ["no-mixup"]
    assert offered("runs", "--state", "f") == ["finished", "failed"]
    assert offered("data", "add", "cif") == ["cifar10", "cifar100"]
    assert set(offered("qu")) == {"queue"}


def test_runs_of_the_home_that_was_named(home: Home, offered: Callable[..., list[str]], tmp_path: Path) -> None:
    home.add("250101-120000-aaaa")
    other = Home(tmp_path / "other", home._call)
    other.add("250101-130000-cccc")
    assert offered("--home", str(other.path), "show", "25") == ["250101-130000-cccc"]


def test_a_home_that_is_broken_offers_nothing_and_says_nothing(home: Home, offered: Callable[..., list[str]]) -> None:
    home.path.write_text("a file")
    assert offered("show", "2") == []
