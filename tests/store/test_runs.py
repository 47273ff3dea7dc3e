"""Rows of runs: found, listed, moved between states, labelled; whatever the text in them."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from tests.store.homes import Home
from vitui.errors import NotFound, UsageError
from vitui.store import ENDED, LIVE, RESUMABLE, STATES, WAITING, runs
from vitui.store.states import EDGES

HOSTILE = [
    "[bold red]x[/] [link=file:///]y", "\x1b]52;c;AAAA\x07\x1b[2J", "a" * 300, "../../etc/passwd", "naïve 🦄 ‮rtl",
    "'); DROP TABLE runs; --", "nul\0byte", "line\nbreak", "% _ \\ *",
]  # fmt: skip


def one(home: Home, run: str = "250101-120000-aaaa") -> runs.Run:
    found = runs.get(home.store.reading(), run)
    assert found is not None
    return found


def test_a_new_run_has_what_its_labels_and_recipe_say(home: Home) -> None:
    home.add(tags=["b", "a", "b", " "], notes="n", question="why?", star=True, device="gpu:1", gpus=2, family="compact",
             reference={"value": 98.0, "source": "Table 4, row 2", "metric": "top1"})  # fmt: skip
    run = one(home)
    assert (run.name, run.preset, run.family, run.state, run.state_at) == ("first", "demo", "compact", "queued", 1.7e9)
    assert (run.tags, run.notes, run.question, run.star, run.archived) == (("a", "b"), "n", "why?", True, False)
    assert (run.device, run.gpus, run.seed, run.model, run.dataset) == ("gpu:1", 2, 7, "vit_tiny", "digits")
    assert (run.total_epochs, run.reference, run.reference_source) == (3, 98.0, "Table 4, row 2")
    assert (run.position, run.held, run.reason, run.handle, run.best) == (1, False, "", None, None)
    assert runs.get(home.store.reading(), "250101-120000") is None


def test_configuration_is_kept_so_that_sql_can_compare_it(home: Home) -> None:
    home.add()
    config = dict(home.store.reading().execute("SELECT key, value FROM run_config").fetchall())
    assert config["model.options.depth"] == 2 and config["model.name"] == "vit_tiny"
    assert config["optim.betas"] == "[0.9, 0.99]" and config["train.deterministic"] == "true"


@pytest.mark.parametrize(
    "labels",
    [
        {"name": 7, "tags": "abc", "notes": None, "created": "soon", "gpus": -1, "device": [], "reference": [1], "star": 1},
        {"name": "\ud800 lone", "tags": ["\udfff", 3, None, {}], "notes": "\ud800", "created": float("inf"), "gpus": 2**70},
        {},
    ],
)  # fmt: skip
def test_labels_of_the_wrong_type_count_as_absent(home: Home, labels: dict[str, object]) -> None:
    with home.store.writing() as db:
        runs.insert(db, runs.new_run("r", labels, {"train.seed": "x", "train.epochs": 10**40, "a": None, "b": 2**80}))
    run = one(home, "r")
    assert (run.device, run.gpus, run.seed, run.total_epochs, run.created) == ("auto", 1, None, None, 0.0)
    assert run.name in ("r", "? lone") and run.tags in ((), ("?",)) and run.star is False


@pytest.mark.parametrize("text", HOSTILE)
def test_any_text_comes_back_as_it_went_in(home: Home, text: str) -> None:
    home.add(name=text, notes=text, tags=[text], question=text)
    run = one(home)
    assert (run.name, run.notes, run.question, run.tags) == (text, text, text, (text.strip(),))
    found = runs.list_runs(home.store.reading(), text=text)
    assert [r.id for r in found] == [run.id]


# -- finding -----------------------------------------------------------------------------------------------------


def test_prefixes_resolve_when_they_mean_one_run(home: Home) -> None:
    for run in ("250101-120000-aaaa", "250101-120000-aabb", "250102-080000-cccc", "250102"):
        home.add(run)
    db = home.store.reading()
    assert runs.resolve_prefix(db, "250101-120000-aaa") == "250101-120000-aaaa"
    assert runs.resolve_prefix(db, "250102") == "250102"  # a whole id wins over a prefix of another
    with pytest.raises(UsageError, match="250101-120000-aaaa, 250101-120000-aabb"):
        runs.resolve_prefix(db, "2501")
    for wrong in ("99", "%", "_50101", "", "250101*", "\x1b[2J"):
        with pytest.raises(NotFound) as caught:
            runs.resolve_prefix(db, wrong)
        assert "\x1b" not in str(caught.value)


def test_the_list_is_newest_first_and_filters(home: Home) -> None:
    home.add("a", created=1.0, name="Étude one")
    home.add("b", created=3.0, name="two", tags=["ablation"], archived=True)
    home.add("c", created=2.0, name="three", notes="Mixup OFF")
    with home.store.writing() as db:
        runs.transition(db, "c", "queued", "stopped")
    db = home.store.reading()

    def ids(**wanted: object) -> list[str]:
        return [run.id for run in runs.list_runs(db, **wanted)]  # type: ignore[arg-type]

    assert ids() == ["c", "a"] and ids(include_archived=True) == ["b", "c", "a"]
    assert ids(states={"queued"}) == ["a"] and ids(states=[]) == [] and ids(states={"lost", "stopped"}) == ["c"]
    assert ids(limit=1) == ["c"] and ids(limit=0) == [] and ids(limit=1, text="ÉTUDE") == ["a"]
    assert ids(text="mixup three") == ["c"] and ids(text="ablation") == [] and ids(text="  ") == ["c", "a"]
    assert ids(text="ablation", include_archived=True) == ["b"] and ids(text="zzz") == []


def test_listing_is_one_statement(home: Home) -> None:
    for number in range(5):
        home.add(f"r{number}", tags=["x"])
    db = home.store.reading()
    statements: list[str] = []
    db.set_trace_callback(statements.append)
    assert len(runs.list_runs(db)) == 5
    db.set_trace_callback(None)
    assert len([s for s in statements if not s.startswith("--")]) == 1 and "curves" not in statements[0]


# -- states ------------------------------------------------------------------------------------------------------


def test_the_sets_of_states_cover_all_of_them_once() -> None:
    assert sorted(WAITING | LIVE | ENDED) == sorted(STATES) and len(WAITING) + len(LIVE) + len(ENDED) == len(STATES)
    assert {"stopped", "failed", "diverged", "lost"} == RESUMABLE and set(EDGES) == set(STATES)


@pytest.mark.parametrize("frm", STATES)
@pytest.mark.parametrize("to", STATES)
def test_a_run_makes_exactly_the_steps_in_the_table(home: Home, frm: str, to: str) -> None:
    home.add()
    with home.store.writing() as db:
        db.execute("UPDATE runs SET state = ?", (frm,))
        if to in EDGES[frm]:
            assert runs.transition(db, "250101-120000-aaaa", frm, to, evidence="e", at=5.0)
        else:
            with pytest.raises(ValueError, match="cannot go"):
                runs.transition(db, "250101-120000-aaaa", frm, to)
    run = one(home)
    assert run.state == (to if to in EDGES[frm] else frm)
    if to in EDGES[frm]:
        assert (run.state_at, run.evidence) == (5.0, "e")
        assert run.ended == (5.0 if to in ENDED else None)
        assert (run.position is not None) == (to == "queued")


def test_words_that_are_no_states_and_columns_that_are_not_settable_are_errors(home: Home) -> None:
    home.add()
    with home.store.writing() as db:
        for frm, to, columns in (("queued", "gone", {}), ("dead", "queued", {}), ([], "queued", {}),
                                 ("queued", "starting", {"best": 1.0}), ("queued", "starting", {"id = 'x' --": 1})):  # fmt: skip
            with pytest.raises(ValueError):
                runs.transition(db, "250101-120000-aaaa", frm, to, **columns)  # type: ignore[arg-type]
    assert one(home).state == "queued"


def test_of_many_who_claim_a_run_one_wins(home: Home) -> None:
    home.add()
    won: list[int] = []

    def claim(number: int) -> None:
        with home.store.writing() as db:
            if runs.transition(db, "250101-120000-aaaa", {"queued"}, "starting", attempt=number):
                won.append(number)

    threads = [threading.Thread(target=claim, args=(n,)) for n in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1 and one(home).attempt == won[0]


def test_resuming_forgets_how_it_ended_and_a_run_that_is_not_there_is_no_error(home: Home) -> None:
    home.add()
    with home.store.writing() as db:
        handle = {"run": "x", "places": [["cpu", 0]]}
        assert runs.transition(db, "250101-120000-aaaa", "queued", "starting", handle=handle, placed="cpu", attempt=1)
        assert runs.update(db, "250101-120000-aaaa", host="box", stop_requested=4.0)
    assert one(home).handle == handle and one(home).host == "box"
    with home.store.writing() as db:
        assert runs.transition(
            db, "250101-120000-aaaa", LIVE, "failed", evidence="killed \ud800", at=9.0, exit_code=None, exit_signal=9
        )
    run = one(home)
    assert (run.evidence, run.ended, run.exit_signal, run.handle) == ("killed ?", 9.0, 9, None)
    with home.store.writing() as db:
        assert runs.transition(db, "250101-120000-aaaa", RESUMABLE, "queued", device="cpu")
        assert not runs.transition(db, "nobody", "queued", "starting")
        assert not runs.update(db, "nobody", host="h")
    run = one(home)
    assert (run.evidence, run.ended, run.exit_signal, run.stop_requested, run.placed) == ("", None, None, None, "")
    assert (run.device, run.attempt, run.position) == ("cpu", 1, 1)


def test_a_stop_ends_a_waiting_run_and_is_noted_once_on_a_live_one(home: Home) -> None:
    for name in ("a", "b", "c"):
        home.add(name)
    with home.store.writing() as db:
        assert runs.request_stop(db, "a")
        runs.transition(db, "b", "queued", "starting")
        assert runs.request_stop(db, "b")
    first = one(home, "b").stop_requested
    with home.store.writing() as db:
        assert runs.request_stop(db, "b")
        assert not runs.request_stop(db, "a") and not runs.request_stop(db, "nobody")
    assert one(home, "a").state == "stopped" and one(home, "a").position is None
    assert one(home, "b").state == "starting" and one(home, "b").stop_requested == first is not None
    assert one(home, "c").position == 1


# -- the queue and labels ----------------------------------------------------------------------------------------


def order(home: Home) -> list[str]:
    queued = [run for run in runs.list_runs(home.store.reading()) if run.position is not None]
    assert sorted(run.position or 0 for run in queued) == list(range(1, len(queued) + 1))
    return [run.id for run in sorted(queued, key=lambda run: run.position or 0)]


def test_the_queue_keeps_its_order_without_gaps(home: Home) -> None:
    for name in "abcd":
        home.add(name)
    assert order(home) == ["a", "b", "c", "d"]
    with home.store.writing() as db:
        assert runs.enqueue(db, "b") == 2  # where it is
        assert runs.move(db, "d", 1) and runs.move(db, "a", 99) and not runs.move(db, "nobody", 1)
    assert order(home) == ["d", "b", "c", "a"]
    with home.store.writing() as db:
        assert runs.transition(db, "b", "queued", "starting")
    assert order(home) == ["d", "c", "a"]
    with home.store.writing() as db:
        assert runs.transition(db, "b", "starting", "queued")  # its lease was busy: it has not lost its turn
        assert runs.dequeue(db, "c") and not runs.dequeue(db, "c")
    assert order(home) == ["b", "d", "a"]


def test_holding_and_reasons_say_whether_they_changed_anything(home: Home) -> None:
    home.add("a")
    with home.store.writing() as db:
        assert runs.hold(db, "a") and not runs.hold(db, "nobody")
        assert runs.set_reason(db, "a", "GPU 1: 30.0 of 48.0 GB free") and not runs.set_reason(db, "nobody", "x")
        assert not runs.set_reason(db, "a", "GPU 1: 30.0 of 48.0 GB free")
    assert (one(home, "a").held, one(home, "a").reason) == (True, "GPU 1: 30.0 of 48.0 GB free")
    with home.store.writing() as db:
        assert runs.release(db, "a") and not runs.release(db, "nobody")
    assert one(home, "a").held is False


def test_labels_change_only_where_given(home: Home) -> None:
    home.add(tags=["x"], notes="keep")
    with home.store.writing() as db:
        runs.set_labels(db, "250101-120000-aaaa", name="new \ud800", star=True)
        runs.set_labels(db, "250101-120000-aaaa")
    run = one(home)
    assert (run.name, run.notes, run.tags, run.star, run.archived) == ("new ?", "keep", ("x",), True, False)
    with home.store.writing() as db:
        runs.set_labels(db, "250101-120000-aaaa", tags=["z", "y", "z"], notes="", archived=True, star=False)
    run = one(home)
    assert (run.notes, run.tags, run.star, run.archived) == ("", ("y", "z"), False, True)


def test_meta_is_set_and_removed(home: Home) -> None:
    with home.store.writing() as db:
        runs.set_meta(db, "queue_paused", "three failures")
    assert runs.get_meta(home.store.reading(), "queue_paused") == "three failures"
    with home.store.writing() as db:
        runs.set_meta(db, "queue_paused", None)
    assert runs.get_meta(home.store.reading(), "queue_paused") is None


def test_the_same_id_twice_is_refused(home: Home) -> None:
    home.add()
    with pytest.raises(sqlite3.IntegrityError), home.store.writing() as db:
        runs.insert(db, runs.NewRun("250101-120000-aaaa", "again"))
    assert one(home).name == "first"
