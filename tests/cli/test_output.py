"""What goes to stdout: JSON that is JSON, tables that are aligned, and what happens where nothing can be printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.journal import write_json
from tests.cli.conftest import ROOT, Home
from vitui.cli.opening import print_json
from vitui.cli.table import print_table
from vitui.store import Store
from vitui.text import cell_width


def test_json_has_no_bare_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": [float("nan"), (float("inf"), 1.5)], "b": {"c": float("-inf")}, "d": Path("/x")})
    out = capsys.readouterr().out
    assert json.loads(out, parse_constant=lambda word: pytest.fail(word)) == {
        "a": ["NaN", ["Infinity", 1.5]], "b": {"c": "-Infinity"}, "d": "/x"
    }  # fmt: skip


def test_every_listing_has_json(home: Home, idle: None) -> None:
    home.add(name="\x1b[31mred [/b]")
    home.add("250101-130000-bbbb", state="queued")
    shapes = {
        "runs": list, "queue": dict, "presets": list, "toggles": list, "data list": list, "doctor": list,
        "show @": dict, "presets show demo-digits": dict, "run demo-digits --dry-run": dict,
    }  # fmt: skip
    for words, shape in shapes.items():
        answer = home(*words.split(), "--json")
        assert isinstance(answer.json, shape) and answer.json, words
        assert answer.out.isascii() and "\x1b" not in answer.out
    assert [run["id"] for run in home("queue", "--json").json["waiting"]] == ["250101-130000-bbbb"]


def test_runs_lists_the_same_with_and_without_a_filter(home: Home) -> None:
    for n in range(4):
        home.add(f"250101-12000{n}-aaaa", name=f"cct number {n}", created=1.7e9 + n, star=n == 2, archived=n == 3)
    whole = home("runs").out
    assert whole == home("runs", "cct", "NUMBER").out
    assert [line.split()[0] for line in whole.splitlines()] == ["run", *(f"250101-12000{n}-aaaa" for n in (2, 1, 0))]
    assert "★ cct number 2" in whole
    assert len(home("runs", "-n", "2", "--all").out.splitlines()) == 3
    assert home("runs", "cct", "nothing").err == "no run matches\n"


def test_tables_are_aligned_by_cells_and_safe(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "n"), [("模型", "1"), ("a\x1b[2J\n", "22"), ("ünï", "333"), ("ünï", "4")], right=("n",))
    lines = capsys.readouterr().out.splitlines()
    assert {cell_width(line) for line in lines} == {len(r"a\x1b[2J\n") + 2 + 3}
    assert lines[2] == r"a\x1b[2J\n   22" and lines[1].endswith("    1")
    print_table(("name", "n"), [])
    assert capsys.readouterr().out == "name  n\n"


def test_a_narrow_terminal_is_spared_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    head, row = ("run", "name", "best", "device"), ("r" * 20, "n" * 30, "90.00", "GPU 0")
    for columns, shown, cut in (
        (80, head, 30),
        (60, head, 23),
        (56, head[:3], 27),
        (50, head[:3], 21),
        (40, head[:2], 18),
        (9, head[:2], 8),
    ):
        monkeypatch.setenv("COLUMNS", str(columns))
        print_table(head, [row], right=("best",), give="name", spare=("device", "best"))
        lines = capsys.readouterr().out.splitlines()
        assert tuple(lines[0].split()) == shown and columns in (9, *range(len(lines[1]), 99))
        assert lines[1].split()[1] == ("n" * 30 if cut == 30 else "n" * (cut - 1) + "…")


def test_dry_run_prints_a_file_that_launches_the_same(home: Home, tmp_path: Path) -> None:
    words = [
        "--set",
        "optim.lr=0.0123456789",
        "--set",
        "optim.betas=[0.85, 0.9]",
        "--toggle",
        "randaugment",
        "-t",
        "ema",
    ]
    first = home("run", "demo-digits", "--dry-run", *words)
    assert "optim.lr: 0.001 -> 0.0123457  (--set)" in first.err
    (tmp_path / "again.toml").write_text(first.out)
    again = home("run", str(tmp_path / "again.toml"), "--dry-run", "--json").json["recipe"]
    assert again == home("run", "demo-digits", "--dry-run", "--json", *words).json["recipe"]
    assert again["optim.lr"] == 0.0123456789


@pytest.fixture
def many(home: Home) -> Home:
    """More output than a pipe holds."""
    home.add()
    store = Store(home.path)
    with store.writing() as db:
        for n in range(300):
            db.execute(
                "INSERT INTO runs (id, name, preset, family, state, state_at, created) VALUES (?, ?, '', '', 'lost', 0, 0)",
                (f"250102-{n:06d}-aaaa", f"ünï {n} " * 40),
            )
    return home


@pytest.mark.parametrize("words", [("runs",), ("runs", "--json")])
def test_a_reader_that_has_enough_is_no_error(many: Home, environment: dict[str, str], words: tuple[str, ...]) -> None:
    command = subprocess.Popen(
        [sys.executable, "-m", "vitui", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=ROOT,
    )  # fmt: skip
    assert command.stdout and command.stderr
    command.stdout.read(10)
    command.stdout.close()
    assert (command.stderr.read(), command.wait(60)) == (b"", 0)
    command.stderr.close()


@pytest.mark.parametrize(
    ("redirect", "code", "message"),
    [
        ("runs > /dev/full", 1, "vitui: No space left on device\n"),
        ("--help > /dev/full", 1, "vitui: No space left on device\n"),
        ("show @ > /dev/full", 1, "vitui: No space left on device\n"),
        ("runs >&-", 0, ""),
        ("show nothing 2>&-", 3, ""),
    ],
)
def test_where_nothing_can_be_printed(
    many: Home, environment: dict[str, str], redirect: str, code: int, message: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m vitui {redirect}'],
        capture_output=True, text=True, env=environment, cwd=ROOT,
    )  # fmt: skip
    assert (done.returncode, done.stderr, done.stdout) == (code, message, "")


def test_a_terminal_that_knows_only_ascii_gets_escapes(many: Home, environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vitui", "runs", "-n", "3"],
        capture_output=True, env={**environment, "PYTHONIOENCODING": "ascii"}, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0 and done.stderr == b"" and rb"\xfcn\xef 299" in done.stdout


@pytest.mark.parametrize(
    ("architecture", "command"),
    [
        ("vit_tiny_patch16_224", 'timm.create_model("local-dir:{}", pretrained=True)'),
        ("vit_tiny_patch16_224+modified", 'import engine.models.exported; engine.models.exported.load("{}")'),
        ("cct_7_3x1_32", 'import engine.models.exported; engine.models.exported.load("{}")'),
    ],
)
def test_the_command_that_loads_a_model_is_one_that_does(home: Home, architecture: str, command: str) -> None:
    run = home.add(state="finished")
    run.model.mkdir()
    write_json(run.model / "config.json", {"architecture": architecture})
    assert f"  load  {command.format(run.model)}\n" in home("show", "@", "--no-plot").out
