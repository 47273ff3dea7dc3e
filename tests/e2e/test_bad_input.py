"""What cannot work is refused in one clear sentence, with exit code 2 (or 3, 4), and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import Vitui


def tree(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.name not in ("worker.log", "worker.lock"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "demo-digitz"], "unknown preset demo-digitz; did you mean demo-digits?"),
        (["run", "/nowhere/x.toml"], "there is no preset file /nowhere/x.toml"),
        (["run", "demo-digits", "--set", "optim.lrr=1"], "unknown field optim.lrr; did you mean optim.lr?"),
        (["run", "demo-digits", "--set", "optim.lr=fast"], 'optim.lr = "fast" must be a valid number'),
        (["run", "demo-digits", "--set", "regularize.drop_path=1.5"], "regularize.drop_path = 1.5 must be less than 1"),
        (["run", "demo-digits", "--set", "nonsense"], "is not FIELD=VALUE"),
        (["run", "demo-digits", "--toggle", "mixupp"], "unknown toggle mixupp; did you mean mixup?"),
        (["run", "demo-digits", "--toggle", "mixup", "--toggle", "no-mixup"], "both on and off"),
        (["run", "demo-digits", "--set", "data.dataset=cifar11"], '"cifar11" is not known; did you mean cifar10?'),
        (["run", "demo-digits", "--set", "data.dataset=../../etc"], "is not known"),
        (["run", "demo-cifar10"], "get it with `vitui data add cifar10"),
        (["run", "demo-digits", "--set", "train.batch_size=2000"], "is more than the"),
        (["run", "demo-digits", "--device", "gpu"], "GPU"),
        (["run", "demo-digits", "--device", "gpu:7"], "gpu:7"),
        (["run", "demo-digits", "--device", "toaster"], "toaster"),
        (["run", "demo-digits", "--name", "x" * 301], "at most 300"),
        (["runs", "--state", "sleeping"], "unknown state sleeping"),
        (["presets", "--family", "nope"], "unknown family nope; known: augreg, compact, "),
        (["presets", "show", "nope"], "unknown preset nope"),
        (["edit", "@"], "nothing to change"),
        (["frobnicate"], "frobnicate"),
        (["run"], "preset"),
        (["run", "demo-digits", "--nonsense"], "--nonsense"),
    ],
)
def test_bad_words_are_one_sentence_exit_2_and_leave_nothing(vitui: Vitui, words: list[str], message: str) -> None:
    vitui.env["CUDA_VISIBLE_DEVICES"] = ""
    done = vitui(*words, code=2)
    assert message.lower() in done.stderr.lower() and "Traceback" not in done.stderr and not done.stdout
    assert not list((vitui.home / "runs").glob("*")) if vitui.home.exists() else True
    assert vitui.json("runs") == []


def test_a_model_that_cannot_be_built_is_refused_by_the_engine_itself(vitui: Vitui) -> None:
    done = vitui("run", "demo-digits", "--set", "model.name=vit_tinyy_patch16_224", code=2)
    assert "vit_tinyy_patch16_224" in done.stderr and "did you mean vit_tiny_patch16_224" in done.stderr
    assert "checking the model…" in done.stderr and "Traceback" not in done.stderr and not done.stdout
    assert list((vitui.home / "runs").iterdir()) == [] and vitui.json("runs") == []


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_shipped_preset_passes_the_check(vitui: Vitui) -> None:
    done = vitui("presets", "check", timeout=1100)
    assert re.fullmatch(r"(\d+) of \1 presets pass\n", done.stdout)


def test_a_run_that_is_not_there_is_exit_3(vitui: Vitui) -> None:
    for words in (["show", "2601"], ["stop", "2601"], ["logs", "@"], ["resume", "zzz"]):
        assert "run" in vitui(*words, code=3).stderr
    assert not vitui.home.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('extends = "mine"', "circle: mine -> mine"),
        ('extends = "nope"', "extends nope, which does not exist"),
        ("[train\n", "is not valid TOML"),
        ("[train]\nepochs = -1", "train.epochs = -1 must be greater than or equal to 1"),
        ("\x1b]0;owned\x07 = 1", "is not valid TOML"),
    ],
)
def test_a_bad_preset_file_names_the_file(vitui: Vitui, content: str, message: str) -> None:
    own = vitui.home / "presets"
    own.mkdir(parents=True)
    (own / "mine.toml").write_text(content)
    errors = vitui("run", "mine", code=2).stderr
    assert message in errors and "mine.toml" in errors and "\x1b" not in errors


def test_a_home_that_cannot_be_made_is_told(vitui: Vitui, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    vitui.env["VITUI_HOME"] = str(tmp_path / "file" / "home")
    errors = vitui("run", "demo-digits", code=2).stderr
    assert "cannot be created" in errors and "--home DIR or $VITUI_HOME" in errors


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small filesystem needs root")
def test_a_full_disk_refuses_the_launch_and_leaves_nothing(vitui: Vitui) -> None:
    vitui.home.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(vitui.home)], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"no permission to mount here: {mounted.stderr.decode().strip()}")
    try:
        errors = vitui("run", "demo-digits", code=2).stderr
        assert "MB are free on the disk" in errors and "--home" in errors
        assert list((vitui.home / "runs").iterdir()) == []
    finally:
        subprocess.run(["umount", str(vitui.home)], check=True)


def test_a_bad_config_file_names_file_and_key(vitui: Vitui, tmp_path: Path) -> None:
    (tmp_path / "vitui.toml").write_text("hoome = '/x'")
    del vitui.env["VITUI_HOME"]
    done = subprocess.run(
        [__import__("sys").executable, "-m", "vitui", "runs"],
        cwd=tmp_path,
        env=vitui.env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "vitui.toml: unknown key hoome; known: home" in done.stderr


HOSTILE = [
    "[bold red]x[/] [/foo] [link=http://x]y[/link]",
    "\x1b[2J\x1b]0;owned\x07\x1b]52;c;aGk=\x07 end",
    "👩‍👩‍👧‍👦 模型 ünï ‮evil‬",
    "x" * 300,
    "../../../../tmp/evil",
    "-rf",
    "a\nb\rc\td",
]


def test_hostile_names_are_shown_escaped_and_create_nothing_outside(vitui: Vitui, tmp_path: Path) -> None:
    vitui.env["PYTHONPATH"] = str(Path(__file__).with_name("tiny"))
    ids = [
        vitui("run", "demo-digits", f"--name={name}", f"--tag={name}", f"--note={name}").stdout.strip()
        for name in HOSTILE
    ]
    before = tree(tmp_path)
    outputs = [vitui(*words).stdout for words in (["runs"], ["queue"], *(["show", i] for i in ids))]
    for text in outputs:
        assert all(c.isprintable() or c == "\n" for c in text), [c for c in text if not c.isprintable() and c != "\n"]
    listed = {row["id"]: row["name"] for row in vitui.json("runs")}
    assert [listed[i] for i in ids] == HOSTILE, "the name itself is kept as it was given"
    assert r"\x1b[2J" in outputs[0] and "[bold red]x[/]" in outputs[0]
    outside = [p for p in before if not p.startswith("home")]
    assert outside == [] and not Path("/tmp/evil").exists()
    assert sorted(p.name for p in (vitui.home / "runs").iterdir()) == sorted(ids)
