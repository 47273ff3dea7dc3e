"""Studies from words of the command line: what is written, and sentences about what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.recipe import presets
from vitui.errors import UsageError
from vitui.studies.definition import Sampled, Study, parse
from vitui.studies.drafting import Wish, study_text
from vitui.studies.plan import Shelf, variants_of


def study(**words: Any) -> Study:
    return parse(study_text(Wish(**words)), "t")


def test_an_ablation() -> None:
    found = study(base="demo-digits", leave_out=["a,b", "c"], add=["d"], seeds="0,2", sets=["train.epochs=2", "optim.lr=1e-3"],
                  title="T", question='why "so"?', baseline="no-a", device="cpu")  # fmt: skip
    assert (found.leave_out, found.add, found.seeds) == (("a", "b", "c"), ("d",), (0, 2))
    assert found.set == {"train.epochs": 2, "optim.lr": 1e-3}
    assert (found.title, found.question, found.baseline, found.device) == ("T", 'why "so"?', "no-a", "cpu")
    assert study(base="demo-digits", leave_out=["all"]).leave_out == "all"
    assert study(presets=["a,b", "c"], seeds="3").presets == ("a", "b", "c")


def test_a_grid_of_fields_toggles_and_parts_of_a_name() -> None:
    found = study(base="x-{norm}", axes=["lr=1e-3,3e-4", "optim.betas=[0.9,0.99],[0.9,0.95]", "aug=none,mixup,mixup+cutmix,no-ema",
                                         "norm=ln,bn"])  # fmt: skip
    lr, betas, aug, norm = found.axis
    assert (lr.name, lr.field, lr.values) == ("lr", "optim.lr", (1e-3, 3e-4))
    assert (betas.name, betas.values) == ("betas", ([0.9, 0.99], [0.9, 0.95]))
    assert [level.toggles for level in aug.levels] == [(), ("mixup",), ("mixup", "cutmix"), ("no-ema",)]
    assert [level.name for level in norm.levels] == ["ln", "bn"] and not norm.field


def test_a_random_search() -> None:
    found = study(
        base="demo-digits",
        n=20,
        random=["lr=1e-4..1e-2:log", "train.epochs=2..8:int", "batch=32,64", "optim.weight_decay=0..0.1"],
    )
    assert found.search is not None and found.search.n == 20
    assert found.search.fields == {
        "optim.lr": Sampled(low=1e-4, high=1e-2, log=True), "train.epochs": Sampled(low=2, high=8, integer=True),
        "train.batch_size": Sampled(choices=(32, 64)), "optim.weight_decay": Sampled(low=0.0, high=0.1),
    }  # fmt: skip
    grid = study(base="demo-digits", n=2, axes=["lr=1,2,3"])
    assert grid.search is not None and (grid.search.grid, grid.search.n) == (True, 2)


def test_what_is_written_can_be_trained() -> None:
    found = study(base="demo-digits", axes=["lr=1e-3,3e-4", "aug=none,mixup+cutmix"], seeds="2")
    variants = variants_of(found, Shelf([presets.SHIPPED]))
    assert [one.name for one in variants] == ["0.001/none", "0.001/mixup+cutmix", "0.0003/none", "0.0003/mixup+cutmix"]
    assert len({one.fingerprint for one in variants}) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"axes": ["lr"]}, 'axis "lr" cannot be read: an axis is FIELD=VALUE,VALUE'),
        ({"axes": ["lr="]}, 'axis "lr=" cannot be read'),
        ({"axes": ["lr=1,,2"]}, "has an empty value"),
        ({"axes": ["aug=mixpu"]}, "unknown toggle mixpu; did you mean mixup?"),
        ({"random": ["lr=1e-4..1e-2"]}, "say it with --n"),
        ({"n": 3}, "give what to draw, --random or --axis"),
        ({"random": ["lr=1e-4..x"], "n": 1}, "a range is two numbers"),
        ({"random": ["lr=1..2:cube"], "n": 1}, "log or int, not cube"),
        ({"random": ["lr"], "n": 1}, 'random "lr" cannot be read'),
        ({"random": ["nonsense=1..2"], "n": 1}, "nonsense is no field"),
        ({"seeds": "one"}, 'seeds = "one" are no whole numbers'),
        ({"seeds": ","}, "no whole numbers"),
        ({"sets": ["lr"]}, '"lr" is not FIELD=VALUE'),
    ],
)  # fmt: skip
def test_what_cannot_be_read(words: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        study_text(Wish(base="demo-digits", **words))
    assert said in str(raised.value) and "\n" not in str(raised.value)


WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


PAIR = st.builds("{}={}".format, st.one_of(WORD, st.sampled_from(["lr", "optim.lr", "é", "a.b"])), WORD)


@given(title=WORD, question=WORD, base=WORD, axis=PAIR, random=PAIR, sets=PAIR, seeds=st.sampled_from(["", "2", "0,1"]))
def test_any_words_make_toml_or_a_sentence(**words: str) -> None:
    """Quotes, brackets, newlines: what is written means what was typed, or is refused."""
    told = {name: words[name] for name in ("title", "question", "base", "seeds")}
    for more in ({}, {"axes": [words["axis"]]}, {"random": [words["random"]], "n": 1}, {"sets": [words["sets"]]}):
        try:
            text = study_text(Wish(**told, **more))  # type: ignore[arg-type]
            found = parse(text, "t")
        except UsageError as error:  # words that cannot be read, or a study that makes no sense: but TOML in any case
            assert "not valid TOML" not in str(error), error
        else:
            assert (found.title, found.question, found.base) == (words["title"], words["question"], words["base"])
