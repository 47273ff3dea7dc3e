"""Fields: names, aliases, what is suggested for a name that is none."""

from __future__ import annotations

import math
import re

import pytest

from tests.tui.fake_lab import NOW, run
from vitui.errors import UsageError
from vitui.query.fields import ANY, NO_VALUES, Fields, known
from vitui.query.recipe_fields import descriptions
from vitui.query.run_fields import ALIASES, RUN_FIELDS

KNOWN = Fields({"optim.lr": "Peak learning rate", "mix.mixup": ""}, {"train/loss", "val/top1", "train/lr"})


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("best", "best"), ("ACC1", "best"), ("top1", "best"), ("acc5", "top5"), ("lr", "optim.lr"), ("tags", "tag"),
        ("optim.lr", "optim.lr"), ("train/loss", "train/loss"), ("best(val/top1)", "best(val/top1)"),
        ("smooth(val/top1)", "smooth(val/top1)"), ("smooth(best)", "smooth"), ("smooth(acc1)", "smooth"),
        ("last(val/top1)", "val/top1"), ("best(acc)", "best"),
    ],
)  # fmt: skip
def test_a_field_has_one_key_whatever_it_is_called(name: str, key: str) -> None:
    assert KNOWN.get(name).key == key
    assert ANY.get(name).key == key


@pytest.mark.parametrize(
    ("name", "hint"),
    [("stat", "did you mean state?"), ("optm.lr", "did you mean optim.lr?"), ("best(val/top3)", "no field best(val/top3)"),
     ("zzzz", "fields: state, name")],
)  # fmt: skip
def test_an_unknown_name_gets_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(UsageError, match=re.escape(hint)):
        KNOWN.get(name)


def test_names_are_fields_and_every_alias_leads_to_one() -> None:
    assert {f.key for f in KNOWN.all()} == set(KNOWN.names())
    assert {"best(val/top1)", "smooth(val/top1)", "best(train/loss)"} <= set(KNOWN.names())
    assert "best(train/lr)" not in KNOWN.names(), "neither more nor less is better"
    recipe = descriptions()
    assert all(key in RUN_FIELDS or key in recipe for key in ALIASES.values())
    assert recipe["optim.lr"].startswith("Peak learning rate") and recipe["schedule.warmup_epochs"]


def test_search_looks_into_names_and_descriptions() -> None:
    assert KNOWN.search("lr")[0].key == "optim.lr" or KNOWN.search("optim")[0].key == "optim.lr"
    assert "optim.lr" in [f.key for f in KNOWN.search("peak learning")]
    assert not KNOWN.search("no such thing")


def test_every_field_of_the_run_can_be_taken_from_an_empty_and_from_a_full_run() -> None:
    full = run("x", best=1.0, reference=2.0, report_best=1.5, started=NOW - 60, ended=NOW, tags=("a",), params=5)
    for field in RUN_FIELDS.values():
        for one in (run("y"), full):
            field.get(one, NO_VALUES, NOW)
    assert RUN_FIELDS["gap"].get(full, NO_VALUES, NOW) == -0.5
    assert RUN_FIELDS["took"].get(full, NO_VALUES, NOW + 999) == 60
    assert RUN_FIELDS["took"].get(run("z", started=NOW - 5), NO_VALUES, NOW) == 5


@pytest.mark.parametrize("value", [None, "", (), math.nan, math.inf])
def test_what_counts_as_not_known(value: object) -> None:
    assert not known(value)
    assert known(0) and known(0.0) and known("x") and known(False)


def test_a_field_is_the_same_whatever_is_known_of_it() -> None:
    assert ANY.get("optim.lr") == KNOWN.get("lr") != KNOWN.get("mix.mixup")
    assert len({ANY.get("best(val/top1)"), KNOWN.get("best(val/top1)")}) == 1
