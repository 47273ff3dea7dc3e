"""A model that cannot be built is refused before anything is created, and nobody is asked twice about one that can."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.recipe import presets
from tests.cli.conftest import ROOT, TINY_INSPECT, Home
from vitui import admission, inspecting
from vitui.composition import compose_run
from vitui.errors import UsageError, VitError
from vitui.inspecting import Question, ask
from vitui.lab import Lab

DIGITS = "vit_tiny_patch16_224 1x8 10"


def launch(home: Home, *sets: str, code: int = 0) -> Any:
    return home("run", "demo-digits", *(word for pair in sets for word in ("--set", pair)), code=code)


def recipe(*sets: str) -> Any:
    return compose_run("demo-digits", (), sets, where=[presets.SHIPPED]).recipe


def question(key: str, model: str) -> Question:
    return Question(key, recipe(f"model.name={model}").model_dump(mode="json"), 3, 10, 32)


def left(home: Home) -> list[str]:
    """Run directories and answers kept."""
    return [p.name for folder in ("runs", "cache/models") for p in (home.path / folder).glob("*")]


@pytest.fixture
def inspect(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The stand-in behind `ask`, outside of any command; where it notes what it was asked."""
    monkeypatch.setattr(inspecting, "COMMAND", (sys.executable, "-S", str(TINY_INSPECT)))
    monkeypatch.setenv("QUESTIONS", str(tmp_path / "asked"))
    return tmp_path / "asked"


def test_a_model_that_cannot_be_built_is_refused_and_nothing_is_left(home: Home, idle: None) -> None:
    answer = launch(home, "model.name=no-such-model", code=2)
    assert answer.err.splitlines()[-1] == 'vitui: model.name = "no-such-model" is not known' and answer.out == ""
    assert left(home) == [] and home("runs", "--json").json == []
    launch(home, "model.name=no-such-model", code=2)
    assert home.questions().count("process") == 2, "a refusal is not kept: what was missing may be there next time"


def test_a_study_loads_the_engine_once_for_all_its_models(home: Home, idle: None) -> None:
    home("study", "new", "depths", "--base", "demo-digits", "--axis", "model.options.depth=1,2,3")
    home("study", "run", "depths", "--yes")
    assert home.questions().count("process") == 1 and len(home.questions()) == 4
    assert len(home("runs", "--json").json) == 3


@pytest.mark.parametrize(
    ("model", "how"),
    [
        ("crashes", "ended with exit code 1 (MemoryError: no room for engine)"),
        ("is-killed", "was ended by signal 9 (it said nothing)"),
    ],
)
def test_a_check_that_dies_is_no_pass(home: Home, idle: None, model: str, how: str) -> None:
    answer = launch(home, f"model.name={model}", code=1)
    assert f"vitui: the model could not be checked: `python -m engine.inspect` {how}\n" in answer.err
    assert left(home) == [] and home("runs", "--json").json == []


def test_a_model_is_asked_about_once(home: Home, idle: None) -> None:
    launch(home)
    assert home.questions() == ["process", DIGITS]
    # None of this has to do with how the model is built.
    launch(home, "optim.lr=0.1", "train.epochs=9", "train.seed=3", "train.batch_size=64", "augment.hflip=0.5")
    launch(home, "schedule.name=constant", "mix.mixup=0.2", "train.grad_accum_steps=2")
    assert home.questions() == ["process", DIGITS] and len(home("runs", "--json").json) == 3


@pytest.mark.parametrize(
    "change",
    [
        "model.options.depth=1", "model.norm=bn", "model.activation=relu6", "regularize.drop_path=0.2",
        "regularize.mlp_dropout=0.1", "regularize.ema=0.9", "train.scope=head", "train.sync_bn=true", "optim.name=sgd",
        "data.img_size=16", "train.mode=eval",
    ],
)  # fmt: skip
def test_whatever_decides_the_model_is_in_the_key(tmp_path: Path, change: str) -> None:
    assert admission.question(tmp_path, recipe()).key != admission.question(tmp_path, recipe(change)).key


def test_a_pulled_checkout_is_another_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "engine" / "models" / "norms.py"
    source.parent.mkdir(parents=True)
    source.write_text("eps = 1e-6")
    monkeypatch.setattr(admission, "CODE", tmp_path / "engine")
    before = admission.question(tmp_path, recipe()).key
    assert before == admission.question(tmp_path, recipe()).key
    source.write_text("eps = 1e-05")
    assert admission.question(tmp_path, recipe()).key != before


def test_another_torch_is_another_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = admission.question(tmp_path, recipe()).key
    assert before == admission.question(tmp_path, recipe()).key
    monkeypatch.setattr(admission, "_version", lambda name: "3.0" if name == "torch" else "1.0")
    assert admission.question(tmp_path, recipe()).key != before


@pytest.mark.parametrize("teacher", [False, True])
def test_a_file_that_has_changed_is_another_answer(tmp_path: Path, teacher: bool) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    weights = folder / "model.safetensors"
    weights.write_bytes(b"one")
    sets = ["model.pretrained=true", f"model.weights={weights}"]
    if teacher:
        sets = ["distill.kind=hard", f"distill.teacher=local-dir:{folder}"]
    first = admission.question(tmp_path, recipe(*sets)).key
    os.utime(weights, ns=(1, 1))
    touched = admission.question(tmp_path, recipe(*sets)).key
    weights.write_bytes(b"other")
    os.utime(weights, ns=(1, 1))
    other = admission.question(tmp_path, recipe(*sets)).key
    (folder / "config.json").write_text("{}")  # says which modules are exchanged
    assert len({first, touched, other, admission.question(tmp_path, recipe(*sets)).key}) == 4


@pytest.mark.parametrize("content", ["", "{", "[]", '{"params": 1}', '{"params": "many", "trainable_params": 1, "macs": 1, "memory": {}}'])  # fmt: skip
def test_a_damaged_answer_is_asked_for_again(home: Home, idle: None, content: str) -> None:
    launch(home)
    (kept,) = (home.path / "cache" / "models").glob("*.json")
    sound = kept.read_text()
    kept.write_text(content)
    launch(home)
    assert home.questions().count("process") == 2 and kept.read_text() == sound


def test_a_cache_that_cannot_be_written_to_is_no_reason_to_fail(home: Home, idle: None) -> None:
    home.add()
    (home.path / "cache").write_text("in the way")
    launch(home)
    launch(home)
    assert home.questions().count("process") == 2 and len(home("runs", "--json").json) == 3


def test_whoever_waits_is_told_what_for(home: Home, idle: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = threading.Event()
    real = admission.ask

    def slowly(questions: list[Question], *more: Any) -> Any:
        assert asking.wait(30)
        return real(questions, *more)

    monkeypatch.setattr(admission, "ask", slowly)
    monkeypatch.setattr(admission, "PATIENCE_S", 0.0)
    monkeypatch.setattr("vitui.cli.launch.say", lambda text: (told.append(text), asking.set()))
    told: list[str] = []
    launch(home)
    assert told == ["checking the model…"]
    launch(home)
    assert told == ["checking the model…"], "a known answer is no wait"


def test_many_launches_at_once_load_the_engine_once(inspect: Path, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    found: list[Any] = []
    threads = [threading.Thread(target=lambda: found.append(admission.describe(tmp_path, recipe()))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8 and {one.params for one in found} == {1000}
    assert inspect.read_text().split("\n").count("process") == 1


def test_looking_into_a_folder_that_is_no_home_leaves_it_alone(inspect: Path, tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    for place in (folder, tmp_path / "nowhere"):
        assert admission.describe(place, recipe()).macs == 2_000_000
    assert list(folder.iterdir()) == [] and not (tmp_path / "nowhere").exists()


def test_one_process_answers_everything_and_each_answer_is_given_at_once(inspect: Path) -> None:
    many = [question(str(n), "no-model" if n % 3 else "yes") for n in range(300)]  # more than a pipe holds
    told = list(ask(many))
    assert [key for key, _ in told] == [str(n) for n in range(300)]
    assert [isinstance(answer, str) for _, answer in told] == [n % 3 > 0 for n in range(300)]
    assert inspect.read_text().count("process") == 1 and list(ask([])) == []


def test_answers_before_a_crash_count_and_the_crash_is_told(inspect: Path) -> None:
    told = []
    with pytest.raises(VitError, match="exit code 1") as caught:
        for key, _ in ask([question("a", "yes"), question("b", "crashes"), question("c", "yes")]):
            told.append(key)
    assert told == ["a"] and not isinstance(caught.value, UsageError)


def test_leaving_early_ends_the_process(inspect: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[str]] = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: children.append(real(*a, **k)) or children[-1])
    for key, _ in ask([question("a", "yes"), question("b", "hangs")]):
        assert key == "a"
        break
    assert children[0].returncode == -signal.SIGKILL


def test_ctrl_c_while_the_model_is_checked_leaves_nothing(
    home: Home, environment: dict[str, str], tmp_path: Path
) -> None:
    tiny = str(TINY_INSPECT.parents[2])
    child = subprocess.Popen(
        [sys.executable, "-m", "vitui", "run", "demo-digits", "--set", "model.name=hangs"],
        env={**environment, "PYTHONPATH": f"{tiny}:{ROOT}"}, cwd=ROOT, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert child.stderr is not None
    assert child.stderr.readline() == "  model.name: vit_tiny_patch16_224 -> hangs  (--set)\n"
    assert child.stderr.readline() == "checking the model…\n"
    os.killpg(child.pid, signal.SIGINT)
    out, errors = child.communicate(timeout=30)
    assert (child.returncode, out, errors) == (130, "", "") and left(home) == []
    with pytest.raises(ProcessLookupError):
        os.killpg(child.pid, 0)


def test_shapes_come_from_the_pack_then_the_catalogue(tmp_path: Path) -> None:
    def shape(*sets: str) -> tuple[int, int, int, bool]:
        found = admission.shape_of(tmp_path, recipe(*sets))
        return found.channels, found.classes, found.img_size, found.known

    assert shape() == (1, 10, 8, True)
    assert shape("data.img_size=16") == (1, 10, 16, True)
    assert shape("data.dataset=flowers-102", "data.img_size=224") == (3, 102, 224, True)
    assert shape("data.dataset=imagenet21k", "data.img_size=224") == (3, 1000, 224, False)
    folder = tmp_path / "data" / "flowers-102"
    folder.mkdir(parents=True)
    manifest = {"channels": 3, "classes": ["a", "b"], "size": [96, 64]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert shape("data.dataset=flowers-102") == (3, 2, 64, True)


def test_a_warm_up_as_long_as_the_run_is_refused(home: Home, idle: None) -> None:
    answer = launch(home, "train.epochs=2", "schedule.warmup_epochs=0", "schedule.warmup_steps=5000", code=2)
    assert "schedule.warmup_steps (5000 steps) must be less than the whole run" in answer.err
    assert home.questions() == [] and left(home) == []


def test_the_lab_describes_for_whoever_asks_in_a_thread(inspect: Path, tmp_path: Path) -> None:
    lab = Lab.open(tmp_path / "home", create=True)
    assert lab.describe(recipe("train.scope=head")).trainable_params == 10
    with pytest.raises(UsageError, match='"no-model" is not known'):
        lab.describe(recipe("model.name=no-model"))
