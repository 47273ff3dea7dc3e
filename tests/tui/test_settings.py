"""Settings from vitui.toml: what they may be, what is told about the others, what the terminal can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vitui.errors import UsageError
from vitui.settings import OF_TUI, Settings, chosen, for_terminal, read_settings, settings_of, speaks_utf8
from vitui.tui.themes import APPEARANCES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "vitui.toml"


def test_without_a_file_everything_is_as_usual(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent))
    assert read_settings() == Settings()


def test_what_the_file_sets(config: Path) -> None:
    config.write_text(
        '[tui]\ntheme = "light"\nmouse = false\n[keys]\nrun.stop = "ctrl+x"\n"runs.mark" = ["m", "space"]\n'
    )
    settings = read_settings()
    assert (settings.theme, settings.mouse, settings.bell, settings.source) == ("light", False, True, config)
    assert settings.keys == {"run.stop": ("ctrl+x",), "runs.mark": ("m", "space")}
    over = chosen(theme="mono", mouse=None, glyphs="ascii")
    assert (over.theme, over.glyphs, over.mouse, over.keys) == ("mono", "ascii", False, settings.keys)


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        ({"tui": {"theme": "lihgt"}}, ["[tui] theme = 'lihgt': known: auto", "did you mean light?"]),
        ({"tui": {"them": "light"}}, ["unknown key them in [tui]", "did you mean theme?"]),
        ({"tui": {"mouse": 1}}, ["[tui] mouse must be true or false, not 1"]),
        ({"tui": "light"}, ["tui must be a table, written as [tui]"]),
        ({"keys": {"run.stop": 3}}, ["[keys] run.stop must be a key"]),
        ({"keys": {"run": {"stop": [1]}}}, ["[keys] run.stop must be a key"]),
        ({"tui": {"bell": "no", "glyphs": []}}, ["bell must be true or false", "glyphs = []"]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(content: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        settings_of(content, Path("a/vitui.toml"))
    assert all(message in str(caught.value) for message in messages)
    assert all(line.startswith("config file a/vitui.toml: ") for line in str(caught.value).splitlines())


def test_a_wrong_option_is_named() -> None:
    with pytest.raises(UsageError, match=r"--theme = 'drak'.*did you mean dark"):
        chosen(theme="drak")


@pytest.mark.parametrize(
    ("environment", "utf8"),
    [
        ({}, True), ({"LANG": "C.UTF-8"}, True), ({"LANG": "en_GB.utf8"}, True), ({"LANG": "C"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, False), ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "POSIX"}, False), ({"LANG": "", "LC_CTYPE": "UTF-8"}, True),
    ],
)  # fmt: skip
def test_what_the_locale_says(environment: dict[str, str], utf8: bool) -> None:
    assert speaks_utf8(environment) is utf8
    assert for_terminal(Settings(), environment, "utf-8").glyphs == ("braille" if utf8 else "ascii")
    assert for_terminal(Settings(glyphs="block"), environment, "utf-8").glyphs == "block"
    assert not speaks_utf8(environment, "ascii")


def test_every_setting_is_on_its_page_and_every_theme_is_there() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    for one in OF_TUI:
        default = str(one.default).lower() if isinstance(one.default, bool) else one.default
        row = next(line for line in page.splitlines() if line.startswith(f"| `{one.name}` | `{default}` |"))
        assert one.metadata["help"] in row and all(f"`{choice}`" in row for choice in one.metadata["choices"])
    (theme,) = (one for one in OF_TUI if one.name == "theme")
    assert {*theme.metadata["choices"]} == {"auto", *APPEARANCES}
