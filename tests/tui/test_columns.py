"""Which columns fit, what they show, how they sort; the filter."""

from __future__ import annotations

import math

import pytest
from rich.cells import cell_len

from tests.tui.fake_lab import NOW, run
from vitui.tui.columns import BY_KEY, COLUMNS, GAP, MARK_WIDTH, arrange, fit, layout
from vitui.tui.filters import parse


@pytest.mark.parametrize("width", [1, 20, 40, 60, 79, 80, 100, 120, 200, 400])
def test_columns_fill_the_width_and_no_more(width: int) -> None:
    chosen = layout(width)
    used = MARK_WIDTH + sum(w for _, w in chosen) + GAP * (len(chosen) - 1)
    assert used <= max(width, MARK_WIDTH + chosen[0][1])


def test_the_important_columns_stay() -> None:
    at_79 = [c.key for c, _ in layout(79)]
    assert at_79 == ["state", "name", "epoch", "last", "best", "test", "ref", "eta"]
    assert [c.key for c, _ in layout(199)] == [c.key for c in COLUMNS]
    narrow, wide = {c.key for c, _ in layout(60)}, {c.key for c, _ in layout(120)}
    assert narrow < wide


def test_cells_are_exactly_as_wide_as_their_column() -> None:
    strange = run("x", name="日本語 [/b]\x1b[31m" * 20, model="m" * 300, preset="\u202e", best=100.0, last=math.nan,
                  select_is_report=True, total_epochs=100_000, epoch=99_999.5, reference=97.125, images_per_s=1.5e6,
                  placed="GPU 11 NVIDIA H200 NVL")  # fmt: skip
    for column, width in layout(300):
        text = fit(column.cell(strange, NOW), width, column.right)
        assert cell_len(text) == width, column.key
        assert "\x1b" not in text and "\u202e" not in text


def test_a_progress_too_wide_for_its_column_loses_the_decimal_not_the_total() -> None:
    def shown(epoch: float, total: int) -> str:
        return BY_KEY["epoch"].cell(run("x", epoch=epoch, total_epochs=total), NOW)

    assert shown(843.3, 20_000) == "843/20000"
    assert shown(123.4, 300) == "123.4/300"


def test_what_cells_say() -> None:
    show = {c.key: lambda r, c=c: c.cell(r, NOW) for c in COLUMNS}
    assert show["best"](run("x", best=80.704, select_is_report=True)) == "80.70†"
    assert show["best"](run("x", best=80.704)) == "80.70"
    assert show["last"](run("x", last=math.nan)) == "NaN"
    assert show["state"](run("x", state="running", stop_requested=1.0)).endswith("stopping")
    assert show["state"](run("x", state="queued", held=True)).endswith("held")
    assert show["epoch"](run("x", epoch=18.62, total_epochs=30)) == "18.6/30"
    assert show["device"](run("x", placed="GPU 0 NVIDIA H200")) == "GPU 0"


@pytest.mark.parametrize("key", list(BY_KEY))
@pytest.mark.parametrize("reverse", [False, True])
def test_sorting_by_any_column_keeps_every_run(key: str, reverse: bool) -> None:
    rows = [
        run("a", best=1.0, name="B"),
        run("b"),
        run("c", best=math.nan, name="a", state="running"),
        run("d", best=2.0),
    ]
    assert {r.id for r in arrange(rows, key, reverse)} == {"a", "b", "c", "d"}


def test_unknown_values_come_last_either_way() -> None:
    rows = [run("none"), run("low", best=1.0), run("high", best=9.0), run("nan", best=math.nan)]
    assert [r.id for r in arrange(rows, "best", False)] == ["high", "low", "none", "nan"]
    assert [r.id for r in arrange(rows, "best", True)] == ["low", "high", "none", "nan"]


RUNS = [
    run(
        "r1", name="Swin try", preset="demo-cifar10", state="running", tags=("paper", "x"), best=91.0, model="swin_tiny"
    ),
    run("r2", name="vit base", preset="demo-digits", state="finished", tags=("y",), best=88.0, seed=3),
    run("r3", name="state of the art", preset="demo-digits", state="queued"),
]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "r1 r2 r3"),
        ("swin", "r1"),
        ("SWIN", "r1"),
        ("demo vit", "r2"),
        ("state:running", "r1"),
        ("state:running,queued", "r1 r3"),
        ("preset~cifar", "r1"),
        ("preset:demo", ""),
        ("tag:x", "r1"),
        ("tag~pap", "r1"),
        ("-tag:x", "r2 r3"),
        ("!swin", "r2 r3"),
        ("best>90", "r1"),
        ("best>=88 best<91", "r2"),
        ("seed=3", "r2"),
        ('"of the"', "r3"),
        ('name~"of the"', "r3"),
        ("state:", "r1 r2 r3"),
        ("best>", "r1 r2 r3"),
        ("nothing-like-this", ""),
        ("-", "r1 r2 r3"),
    ],
)
def test_filter(text: str, ids: str) -> None:
    wanted = parse(text)
    assert wanted.problem == ""
    assert " ".join(r.id for r in RUNS if wanted.matches(r)) == ids


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("stat:running", "did you mean state?"),
        ("zzz:1", "fields: state, name"),
        ("best>high", "high is not a number"),
        ("best~9", "best is a number"),
        ("name>3", "name is text"),
    ],
)
def test_filter_says_what_it_does_not_understand(text: str, problem: str) -> None:
    wanted = parse(text)
    assert problem in wanted.problem
    assert all(wanted.matches(r) for r in RUNS)
