"""What people read is there and true: help of every command and option, of every field, and commands in the docs."""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import typer.main
from pydantic import BaseModel

from engine.recipe import Recipe, presets, toggles
from vitui.cli import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))]
COMMAND: Any = typer.main.get_command(app)


def commands(command: Any = COMMAND, path: tuple[str, ...] = ("vitui",)) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, groups included."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


EVERY = dict(commands())


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_and_option_has_help(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    words = (command.help or "").strip()
    assert words and words.split("\n")[0].rstrip().endswith("."), f"{' '.join(path)}: no sentence says what it does"
    for parameter in command.params:
        assert parameter.help, f"{' '.join(path)} {'/'.join(parameter.opts)}: no help"
        assert parameter.help.endswith((".", ")")), f"{' '.join(path)} {parameter.name}: {parameter.help}"


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_fits_a_terminal_and_the_list_of_commands_is_not_cut(path: tuple[str, ...]) -> None:
    command = EVERY[path]
    context = command.make_context(" ".join(path), [], resilient_parsing=True, terminal_width=80, max_content_width=80)
    text = command.get_help(context)
    assert max(map(len, text.splitlines())) <= 80
    if hasattr(command, "commands"):
        assert "..." not in text.split("Commands:")[1], (
            "the first sentence of a command's help is too long for its line"
        )


def fields(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted name and pydantic's field of every leaf, of all members where a branch is a union."""
    for name, field in model.model_fields.items():
        kinds = [kind for kind in (field.annotation, *get_args(field.annotation)) if isinstance(kind, type)]
        branches = [kind for kind in kinds if issubclass(kind, BaseModel)]
        for branch in branches:
            yield from fields(branch, f"{path}{name}.")
        if not branches:
            yield f"{path}{name}", field


def test_the_page_of_fields_is_that_of_the_schema() -> None:
    written = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    assert written == runpy.run_path(str(ROOT / "docs" / "recipe.py"))["page"](), "`uv run python docs/recipe.py`"
    lines = set(re.findall(r"^\| `(\w+)` \|", written, re.MULTILINE))
    assert lines == {name.split(".")[-1] for name, _ in fields(Recipe)}


def test_every_recipe_field_is_documented() -> None:
    found = list(fields(Recipe))
    assert {"optim.momentum", "optim.betas", "schedule.min_lr", "train.epochs"} <= {name for name, _ in found}
    assert [name for name, field in found if not (field.description or "").endswith(".")] == []


# -- commands in README and docs ---------------------------------------------------------------------------------


def written(text: str) -> Iterator[str]:
    """Command lines in fenced blocks (behind a prompt or at the start of a line) and in inline code.

    One whose answer begins with `vitui: ` shows how it is refused, and is left out.
    """
    fence = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
    for language, block in fence.findall(text):
        if language not in ("console", "sh", "bash", "shell", ""):
            continue
        lines = block.replace("\\\n", " ").splitlines()
        for line, answer in zip(lines, [*lines[1:], ""], strict=True):
            if not answer.startswith("vitui: "):
                command = re.sub(r"^\s*[$>#] ", "", line).split("  #")[0]
                yield from (part.strip() for part in re.split(r"&&|\|\||[|;]", command))
    yield from (" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", fence.sub("", text)))


def invocations(page: Path) -> Iterator[list[str]]:
    """Words of every `vitui …` on a page."""
    for line in written(page.read_text(encoding="utf-8")):
        line = re.sub(r"^(?:\w+=\S+ )*(?:uv run |uvx )?", "", line)
        if re.match(r"vitui(?: |$)", line):
            try:
                yield shlex.split(line)
            except ValueError:  # an apostrophe: prose rather than a command
                continue


def complaint(words: list[str]) -> str:
    """What is wrong with a command line, empty when its command, options and names exist. `RUN`, `…` stand for words."""
    command, path, position = COMMAND, ["vitui"], 0
    rest = iter(words[1:])
    for word in rest:
        if path == ["vitui", "presets"] and word not in (*command.commands, "-h", "--help"):
            command, path = command.commands["list"], [*path, "list"]  # where everything else goes
        name, _, value = word.partition("=")
        if word.startswith("-") and word != "-":
            options = {text: option for option in command.params for text in (*option.opts, *option.secondary_opts)}
            if name not in (*options, "-h", "--help"):
                return f"{' '.join(path)} has no option {name}"
            option = options.get(name)
            if (
                option is None
                or getattr(option, "is_flag", False)
                or name in ("--install-completion", "--show-completion")
            ):
                continue
            value = value if "=" in word and name.startswith("--") else next(rest, "")
            if problem := complaint_of_value(name, value):
                return problem
        elif word in getattr(command, "commands", {}):
            command, path = command.commands[word], [*path, word]
        elif word in ("…", "..."):
            continue
        elif hasattr(command, "commands") and not placeholder(word):
            return f"{' '.join(path)} has no command {word}"
        else:
            position += 1
            arguments = [p for p in command.params if p.param_type_name == "argument"]
            if (
                not hasattr(command, "commands")
                and position > len(arguments)
                and not any(a.nargs == -1 for a in arguments)
            ):
                return f"{' '.join(path)} takes no argument {word}"
            named = (path[1:] in (["run"], ["presets", "show"], ["toggles"]) and position == 1) or path[1:] == [
                "presets", "check"
            ]  # fmt: skip
            if named and not (placeholder(word) or word.endswith(".toml") or word in presets.find()):
                return f"there is no preset {word}"
    return ""


def complaint_of_value(option: str, value: str) -> str:
    if placeholder(value) or not value:
        return "" if value else f"{option} wants a value"
    if option in ("--set", "-s") and not placeholder(value.partition("=")[2]):
        field = value.partition("=")[0]
        known = {name for name, _ in fields(Recipe)}
        if "=" not in value or (field not in known and not field.startswith("model.options.")):
            return f"there is no field {field}"
    if option in ("--toggle", "-t") and value.removeprefix("no-") not in toggles.BY_ID:
        return f"there is no toggle {value}"
    return ""


def placeholder(word: str) -> bool:
    """Capitals stand for something: RUN, PRESET, FIELD=VALUE, <home>."""
    return bool(re.fullmatch(r"\[?<?[A-Z]\w*(?:=[A-Z]\w*)?>?\]?(?:\.\.\.|…)?|<.*>|…|\.\.\.", word))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_docs_exist(page: Path) -> None:
    assert {" ".join(words): told for words in invocations(page) if (told := complaint(words))} == {}


def test_the_readme_shows_commands() -> None:
    found = {words[1] for words in invocations(ROOT / "README.md") if len(words) > 1}
    assert "demo" in found


def test_wrong_commands_are_found(tmp_path: Path) -> None:
    """The test above sees what it is there for."""
    page = tmp_path / "page.md"
    page.write_text(
        "`vitui run demo-digits --set optim.lr=1e-3 -t no-mixup --follow` and `vitui show RUN --recipe`\n"
        "```console\n$ pip install uv && uv run vitui frobnicate\n$ vitui queue move RUN 1   # fine\noutput\n"
        "$ vitui runs --colour\n$ vitui stopp @\nvitui: no such command\n$ vitui run demo-digitz\n$ vitui run PRESET --set optim.lrr=1\n$ vitui run X -t mixupp\n```\n"
        "`vitui rebuild now` `vitui presets swin cifar10 --family F` `vitui presets swin --colour` `vitui presets check nope`"
    )
    told = [complaint(words) for words in invocations(page)]
    assert [text for text in told if text] == [
        "vitui has no command frobnicate",
        "vitui runs has no option --colour",
        "there is no preset demo-digitz",
        "there is no field optim.lrr",
        "there is no toggle mixupp",
        "vitui rebuild takes no argument now",
        "vitui presets list has no option --colour",
        "there is no preset nope",
    ]
    assert len(told) == 12
