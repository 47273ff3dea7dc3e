"""`vitui presets` and `vitui toggles`: finding a preset, looking at it, checking all of them."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Home

OWN = {
    "base": 'abstract = true\n[model]\nname = "vit_tiny_patch16_224"\n[train]\nepochs = 30\n',
    "swin-one": """
title = "Swin of a table"
description = "As in the\\npaper."
extends = "base"
reference = [
  { metric = "params", value = 28.3e6, source = "Table 1" },
  { value = 91.25, tolerance = 0.3, source = "Table 2, row 1" },
  { value = 92.5, source = "Table 2, row 2", when = { mix.mixup = 0.8 } },
  { outcome = "NaN at epoch 35", source = "Table 2, row 3", when = { model.norm = "bn" } },
  { value = 90.0, source = "a reproduction", kind = "reproduction", label = "second run" },
  { metric = "epoch_seconds", value = 1376, source = "its time", kind = "reproduction" },
]
[model]
name = "swin_tiny"
[data]
dataset = "cifar10"
[optim]
lr = 0.002
""",
    "other-two": 'title = "Another"\nextends = "base"\n[data]\ndataset = "imagenet21k"\nimg_size = 224\n'
    "[train]\nsteps = 4000\n[schedule]\nwarmup_steps = 1000\n",
    "never": 'title = "Falls apart"\nextends = "base"\n[data]\ndataset = "cifar10"\n'
    '[reference]\noutcome = "NaN at epoch 9"\nsource = "Table 7"\n',
}


@pytest.fixture
def own(home: Home) -> Callable[..., None]:
    """Presets of the user's in family "mine"."""
    (home.path / "presets" / "mine").mkdir(parents=True)
    (home.path / "runs").mkdir()

    def write(**texts: str) -> None:
        for name, text in texts.items():
            (home.path / "presets" / "mine" / f"{name.replace('_', '-')}.toml").write_text(text)

    write(**OWN)
    return write


def names(out: str) -> list[str]:
    return [line.split()[1] for line in out.splitlines()[1:]]


def test_words_find_presets_by_name_title_model_and_data(home: Home, own: Callable[..., None]) -> None:
    assert names(home("presets", "swin_tiny", "--family", "mine").out) == ["swin-one"]
    assert names(home("presets", "A TABLE", "cifar10").out) == ["swin-one"]
    assert names(home("presets", "--family", "mine").out) == ["never", "other-two", "swin-one"]
    assert names(home("presets", "imagenet21k", "another").out) == ["other-two"]
    assert [one["name"] for one in home("presets", "mine", "another", "--json").json] == ["other-two"]
    assert "no preset has swin and digits; `vitui presets` lists all" in home("presets", "swin", "digits", code=3).err
    whole = home("presets")
    assert "base" not in names(whole.out) and {"swin-one", "demo-digits"} <= set(names(whole.out))
    assert re.search(r"^\d+ presets: .*\bmine 3\b", whole.err)
    assert re.fullmatch(r"3 of \d+ presets\n", home("presets", "--family", "mine").err)


def test_the_listing_shows_values_outcomes_and_lengths(home: Home, own: Callable[..., None]) -> None:
    rows = [re.split(r"  +", line) for line in home("presets", "--family", "mine").out.splitlines()]
    assert rows == [
        ["family", "preset", "reference", "model", "data", "epochs", "title"],
        ["mine", "never", "NaN at epoch 9", "vit_tiny_patch16_224", "cifar10 (missing)", "30", "Falls apart"],
        ["mine", "other-two", "–", "vit_tiny_patch16_224", "imagenet21k (missing)", "4000 steps", "Another"],
        ["mine", "swin-one", "91.25", "swin_tiny", "cifar10 (missing)", "30", "Swin of a table"],
    ]


def test_a_preset_is_shown_with_all_its_references(home: Home, own: Callable[..., None]) -> None:
    out = home("presets", "show", "swin-one").out
    assert "As in the\npaper.\nextends base\n" in out
    assert out.split("beside results)\n")[1].split("\n\n")[0].splitlines() == [
        "  28.3M  parameters, published",
        "    Table 1",
        "→ 91.25 ± 0.3  top1 on test, published",
        "    Table 2, row 1",
        "  92.50 ± 0.5  top1 on test, published",
        "    Table 2, row 2",
        "    for recipes with mix.mixup=0.8",
        "  NaN at epoch 35  top1 on test, published",
        "    Table 2, row 3",
        "    for recipes with model.norm=bn",
        "  90.00 ± 0.5  top1 on test, reproduction (second run)",
        "    a reproduction",
        "  22:56 min  time per epoch, reproduction",
        "    its time",
    ]
    # What the file itself changes, not what it inherits.
    section = out.split("different from base\n")[1].split("\n\n")[0]
    assert [line.split() for line in section.splitlines()[1:]] == [
        ["model.name", "vit_tiny_patch16_224", "swin_tiny"], ["data.dataset", "digits", "cifar10"], ["optim.lr", "0.001", "0.002"],
    ]  # fmt: skip
    assert re.search(r"^train.epochs +30 +preset base$", out, re.M) and "changed here" not in out


def test_changes_that_make_it_another_preset_bring_that_ones_number(home: Home, own: Callable[..., None]) -> None:
    row = 'title = "A row"\nextends = "swin-one"\n[model]\nactivation = "relu6"\n'
    own(row=f'{row}[reference]\nvalue = 88.5\nsource = "Table 3, row ReLU6"\n')
    out = home("presets", "show", "swin-one", "-t", "relu6").out
    assert re.search(r"^→ +88.50 ± 0.5 ", out, re.M) and "Table 3, row ReLU6" in out and "91.25 ± 0.3" in out
    assert out.count("→ ") == 2, "the heading and one row"
    assert home("presets", "show", "swin-one", "-t", "relu6", "--json").json["reference"]["value"] == 88.5
    own(broken="[train", row=row)
    assert home("presets", "show", "swin-one", "-t", "relu6", "--json").json["reference"] is None
    other = home("presets", "show", "swin-one", "-t", "relu6", "--set", "train.seed=1", "--json").json
    assert other["reference"]["value"] == 91.25


def test_a_changed_recipe_is_shown_with_what_is_known_of_it(home: Home, own: Callable[..., None]) -> None:
    out = home("presets", "show", "swin-one", "-t", "mixup", "--set", "train.seed=4").out
    assert re.search(r"^→ 92.50 ± 0.5", out, re.M) and not re.search(r"^→ 91.25", out, re.M)
    assert re.search(r"^mix.mixup +0 +0.8 +toggle mixup$", out, re.M)
    assert re.search(r"^train.seed +0 +4 +--set$", out, re.M)
    assert re.search(r"^→ NaN at epoch 35", home("presets", "show", "swin-one", "-t", "bn").out, re.M)
    told = home("presets", "show", "swin-one", "-t", "bn", "--json").json
    assert told["reference"]["outcome"] == "NaN at epoch 35" and "bn" in told["toggles"]
    assert [change["key"] for change in told["changes"]] == ["model.norm"]
    assert told["recipe"]["model.norm"] == "bn" and told["origins"]["model.norm"] == "toggle bn"


def test_the_model_and_its_memory_are_described(home: Home, own: Callable[..., None]) -> None:
    sets = ["--set", "train.batch_size=96", "--set", "train.grad_accum_steps=3"]
    out = home("presets", "show", "swin-one", *sets).out
    # The stand-in: 4 + 4 + 8 kB besides a MiB an image, and 32 images at a time.
    assert "swin_tiny: 1.00k parameters (all trained), 2.00M MACs" in out
    assert "estimate: 32.0 MiB with 32 images at a time in 32 bits (weights 3.91 KiB, gradients 3.91 KiB, optimiser 7.81 KiB, activations 32.0 MiB)" in out  # fmt: skip
    assert "data     cifar10 (missing): 10 classes, 3x32x32 px" in out
    told = home("presets", "show", "swin-one", *sets, "--json").json
    assert told["memory_bytes"] == 16_000 + 32 * 2**20 and told["model"]["params"] == 1000
    head = home("presets", "show", "swin-one", "--set", "train.scope=head").out
    assert "1.00k parameters (10 trained)" in head
    assert home.questions().count("process") == 2, "two models, each asked about once"
    assert "imagenet21k (missing): taken for 1000 classes, 3x224x224 px" in home("presets", "show", "other-two").out


def test_a_model_that_cannot_be_built_does_not_hide_the_rest(home: Home, own: Callable[..., None]) -> None:
    words = ("presets", "show", "swin-one", "--set", "model.name=no-such")
    out = home(*words).out
    assert 'model    no-such: model.name = "no-such" is not known' in out and "Table 2, row 1" in out
    told = home(*words, "--json").json
    assert told["model"] == {"error": 'model.name = "no-such" is not known'} and told["memory_bytes"] is None


def test_the_learning_rate_is_drawn_over_epochs_or_steps(home: Home, own: Callable[..., None]) -> None:
    shown = home("presets", "show", "swin-one", "--plot-lr", "--set", "schedule.warmup_epochs=5").out
    # 50,000 images in batches of 128; peak 0.002, half a cosine to nothing.
    assert f"at most 0.002; {50_000 // 128 * 30} steps, 390 an epoch" in shown and " epoch " in shown
    assert " 0.002┤" in shown and "0.0005┤" in shown and re.search(r"[⠁-⣿]", shown)
    half = home(
        "presets", "show", "swin-one", "--plot-lr", "--set", "data.train_fraction=0.5", "--set", "data.minival=0.1"
    )
    assert f"{math.floor(25_000 * 0.9) // 128} an epoch" in half.out
    steps = home("presets", "show", "other-two", "--plot-lr")
    assert "; 4000 steps\n" in steps.out and " step " in steps.out
    assert "the size of imagenet21k is not known here" in steps.err
    assert home.questions() == [], "a curve needs no model"
    assert "choose one" in home("presets", "show", "swin-one", "--plot-lr", "--json", code=2).err


def test_a_wave_faster_than_the_columns_keeps_its_bounds(home: Home, own: Callable[..., None]) -> None:
    out = home(
        "presets", "show", "swin-one", "--plot-lr", "--set", "schedule.name=warm-restarts", "--set", "optim.lr=0.001",
        "--set", "schedule.first_cycle_epochs=1", "--set", "train.epochs=300",
    ).out  # fmt: skip
    rows = [line.split("┤")[1][:-1] for line in out.splitlines() if "┤" in line]
    full = [row for row in rows if row.count(" ") < 0.05 * len(row)]
    assert len(full) == len(rows), "300 cycles in 100 columns: every column goes from top to bottom"


def test_check_names_each_preset_that_fails(home: Home, own: Callable[..., None]) -> None:
    own(
        wrong='extends = "base"\n[train]\nepochs = -1\n',
        unbuilt='extends = "base"\n[model]\nname = "no-such"\n[data]\ndataset = "cifar10"\n',
        unbuilt_again='extends = "unbuilt"\n[optim]\nlr = 0.1\n',
        too_warm='extends = "base"\n[data]\ndataset = "digits"\n[schedule]\nwarmup_steps = 99999\n',
    )
    names = ["swin-one", "wrong", "unbuilt", "unbuilt-again", "too-warm", "other-two"]
    answer = home("presets", "check", *names, code=1)
    lines = answer.out.splitlines()
    assert lines[-1] == "2 of 6 presets pass" and len(lines) == 5
    told = {re.split("[: ]", line.removeprefix("preset "))[0]: line.split(": ", 1)[1] for line in lines[:-1]}
    assert "train.epochs = -1 must be greater than or equal to 1" in told["wrong"] and "wrong.toml)" in answer.out
    assert told["unbuilt"] == told["unbuilt-again"] == 'model.name = "no-such" is not known'
    assert "schedule.warmup_steps (99999 steps) must be less than the whole run" in told["too-warm"]
    assert home.questions() == ["process", "swin_tiny 3x32 10", "no-such 3x32 10", "vit_tiny_patch16_224 3x224 1000"]
    errors = {one["preset"]: one["error"] for one in home("presets", "check", *names, "--json", code=1).json}
    assert errors["swin-one"] is None and errors["unbuilt"] == 'model.name = "no-such" is not known'


def test_check_of_everything_passes_and_leaves_answers_for_later(home: Home, own: Callable[..., None]) -> None:
    answer = home("presets", "check")
    found = re.fullmatch(r"(\d+) of (\d+) presets pass\n", answer.out)
    assert found and found[1] == found[2] == str(len(home("presets", "--json").json))
    before = len(home.questions())
    assert home.questions().count("process") == 1
    home("presets", "show", "swin-one")
    assert len(home.questions()) == before


def test_a_check_that_dies_is_no_pass(home: Home, own: Callable[..., None]) -> None:
    own(dying='extends = "base"\n[model]\nname = "crashes"\n')
    answer = home("presets", "check", "swin-one", "dying", code=1)
    assert "could not be checked" in answer.err and "pass" not in answer.out


def test_toggles_as_a_preset_means_them(home: Home, own: Callable[..., None]) -> None:
    own(
        special='extends = "swin-one"\n[toggles.mixup]\non = { mix.mixup = 0.2 }\n[regularize]\nlabel_smoothing = 0.1\n'
    )
    plain = {t["id"]: t for t in home("toggles", "--json").json}
    mine = {t["id"]: t for t in home("toggles", "special", "--json").json}
    assert plain["mixup"]["on"] == {"mix.mixup": 0.8} and "is_on" not in plain["mixup"]
    assert mine["mixup"]["on"] == {"mix.mixup": 0.2} and mine["mixup"]["is_on"] is False
    assert mine["label-smoothing"]["is_on"] is True and mine["nesterov"]["is_on"] is None
    lines = {line.split()[1]: line for line in home("toggles", "special").out.splitlines()}
    assert lines["mixup"].split()[2] == "off" and "mix.mixup=0.2" in lines["mixup"]
    assert lines["label-smoothing"].split()[2] == "on" and lines["nesterov"].split()[2] == "–"
    assert "did you mean special?" in home("toggles", "speciol", code=2).err


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("presets", "mine"), ["preset", "reference", "title"]),
        (("data", "list"), ["dataset", "state", "images", "get", "it", "with"]),
        (("toggles",), ["toggle", "on"]),
        (("toggles", "swin-one"), ["toggle", "here", "on"]),
    ],
)
def test_listings_fit_into_eighty_columns(
    home: Home, own: Callable[..., None], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], shown: list[str]
) -> None:
    own(long='title = "T"\nextends = "base"\n[model]\nname = "swin_large_patch4_window12_384.ms_in22k_ft_in1k"\n')
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    lines = home(*words).out.splitlines()
    assert lines[0].split() == shown and max(map(len, lines)) <= 80


def test_paths_in_a_recipe_are_seen_from_where_the_user_stands(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    sets = [
        "--set", "model.pretrained=true", "--set", "model.weights=w/x.pth", "--set", "distill.kind=hard",
        "--set", "distill.teacher=local-dir:~/m",
    ]  # fmt: skip
    recipe = home("run", "demo-digits", "--dry-run", "--json", *sets).json["recipe"]
    assert recipe["model.weights"] == str(tmp_path / "w/x.pth")
    assert recipe["distill.teacher"] == f"local-dir:{tmp_path / 'ada/m'}"
