"""A study's file: what it may say, and the sentence for everything it may not."""

from __future__ import annotations

import time

import pytest

from vitui.errors import NotFound, UsageError
from vitui.studies import definition
from vitui.studies.definition import parse

from .homes import StudyHome

GRID = "\n".join(
    f'[[axis]]\nname = "a{n}"\nfield = "optim.lr"\nvalues = [{", ".join(map(str, range(1, 101)))}]' for n in range(6)
)
"""Hostile: its combinations would fill the memory of any machine."""


def test_every_key_is_read() -> None:
    study = parse(
        """
        title = "T"
        base = "demo-digits"
        seeds = [3, 1]
        leave_out = "all"
        add = ["mixup"]
        presets = ["demo-cifar10"]
        baseline = "base"
        [set]
        train.epochs = 2
        "optim.lr" = 1e-3
        [[variant]]
        name = "own"
        set = { mix.mixup = 0.2 }
        [search]
        n = 3
        [search.fields]
        optim.weight_decay = { low = 1e-4, high = 1e-1, log = true }
        "train.batch_size" = { choices = [32, 64] }
        """,
        "x",
    )
    assert study.seeds == (3, 1) and study.leave_out == "all"
    assert study.sets == ("train.epochs=2", "optim.lr=0.001")
    assert study.variant[0].sets == ("mix.mixup=0.2",)
    assert study.search is not None and list(study.search.fields) == ["optim.weight_decay", "train.batch_size"]


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("base = ", "study x is not valid TOML"),
        ('bas = "demo-digits"', "unknown key bas; did you mean base?"),
        ("", "nothing to train"),
        ('base = "demo-digits"\nseeds = []', "seeds = [] trains nothing"),
        ('base = "demo-digits"\nseeds = [0, 0]', 'seeds: "0" is there twice'),
        ('base = "demo-digits"\nseeds = 0', "greater than or equal to 1"),
        ('base = "demo-{size}"', "{size} is no axis"),
        ('leave_out = ["mixup"]', "leave_out needs a base"),
        ('[[variant]]\nname = "a"', 'variant "a" needs a preset'),
        ('base = "demo-digits"\n[[axis]]\nname = "a"', 'axis "a" has no levels'),
        ('base = "demo-digits"\n[[axis]]\nname = "a"\nlevels = [{name="x"}, {name="x"}]', '"x" is there twice'),
        ('base = "demo-digits"\n[[axis]]\nname = "a"\nlevels = [{name="x/y"}]', "has a / in its name"),
        ('base = "demo-digits"\n[[axis]]\nname = "a"\nlevels = [{nme="x"}]', "unknown key axis.levels.nme"),
        ('base = "demo-digits"\n[report]\nrows = ["a"]', "[report] names an axis a that there is not"),
        ('base = "demo-digits"\n[report]\nalpha = 0.7', "report.alpha"),
        ('base = "demo-digits"\n[search]\nn = 1\nfields = {}', "names no field"),
        (
            'base = "demo-digits"\n[search]\nn = 1\nfields = { "optim.lr" = { low = 1.0, high = 0.1 } }',
            "low = 1.0 must be below high = 0.1",
        ),
        (
            'base = "demo-digits"\n[search]\nn = 1\nfields = { "optim.lr" = { low = 0.0, high = 0.1, log = true } }',
            "log = true needs low above 0",
        ),
        (
            'base = "demo-digits"\n[search]\nn = 1\n'
            'fields = { "train.epochs" = { low = 1.2, high = 1.8, integer = true } }',
            "no whole number from 1.2 to 1.8",
        ),
        ("a = " + "[" * 10_000, "study x is nested too deeply"),
        (f'base = "demo-digits"\n[set]\n{".".join("a" * 3000)} = 1', "study x is nested too deeply"),
        (f"seeds = {'9' * 5000}", "study x is not valid TOML"),
        (f'base = "demo-digits"\n{GRID}', "the axes have 1,000,000,000,000 combinations, more than 100,000"),
        (
            f'base = "demo-digits"\n[search]\nn = 3\ngrid = true\n{GRID}',
            "the axes have 1,000,000,000,000 combinations, more than 100,000",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(text, "x")
    assert sentence in str(raised.value)
    assert "pydantic" not in str(raised.value) and "Traceback" not in str(raised.value)


def test_ten_thousands_of_seeds_are_looked_through_once() -> None:
    seeds = list(range(60_000))
    began = time.process_time()
    assert parse(f'base = "demo-digits"\nseeds = {seeds}', "x").seeds == tuple(seeds)
    assert time.process_time() - began < 3  # each held against all others took minutes


def test_own_studies_win_over_shipped_ones(home: StudyHome) -> None:
    shipped = next(iter(definition.find(home.lab.home)))
    home.write(shipped, 'base = "demo-digits"')
    assert definition.locate(home.lab.home, shipped).parent == definition.own(home.lab.home)


def test_an_unknown_study_has_a_nearest_one(home: StudyHome) -> None:
    home.write("norms", 'base = "demo-digits"')
    with pytest.raises(NotFound, match="did you mean norms"):
        home.lab.study("norm")


@pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 90])
def test_names_are_names_of_files(name: str) -> None:
    with pytest.raises(UsageError, match="cannot name a study"):
        definition.checked_study_name(name)
