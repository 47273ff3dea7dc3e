"""Journals into rows: everything that is sound, once, whatever else the journal holds and whenever we are killed."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from engine.journal import RunDir, encode
from tests.store.homes import Home, append, data, evaluation, event, integrity, metrics, python, row, started
from vitui.errors import NotFound
from vitui.store import Store, runs
from vitui.store import metrics as read
from vitui.store.ingest import ingest
from vitui.store.series import CHUNK


def test_a_run_becomes_rows(home: Home) -> None:
    run = home.add()
    with home.store.writing() as db:
        runs.transition(db, run.id, "queued", "starting", attempt=1)
    append(
        run, started(), event("phase", name="importing"), data(),
        event("model", name="vit", params=5_000, trainable_params=5_000, macs=1, input_size=[1, 8, 8], pretrained=False),
        metrics(10, 110.0, train__loss=[float(i) for i in range(10, 0, -1)], train__lr=[0.1] * 10, train__images_per_s=512.5),
        evaluation(10, 80.0, at=111.0), event("checkpoint", 112.0, step=10, epoch=1.0, path="last.pt", best=True, metric="top1", value=80.0),
        metrics(20, 120.0, train__loss=[0.5] * 10), evaluation(20, 79.0, at=121.0),
    )  # fmt: skip
    done = ingest(home.store, run)
    assert (done.events, done.points, done.skipped, done.more) == (9, 37, 0, False)
    assert done.last is not None and done.last["kind"] == "eval"
    now = row(home, run)
    assert (now.state, now.state_at, now.started, now.host, now.attempt) == ("running", 100.0, 100.0, "box", 1)
    assert (now.step, now.epoch, now.total_steps, now.total_epochs, now.steps_per_epoch) == (20, 2.0, 30, 3, 10)
    assert (now.params, now.images_per_s, now.loss, now.last_event_at) == (5_000, 512.5, 0.5, 121.0)
    assert (now.best, now.best_epoch, now.best_step, now.last) == (80.0, 1.0, 10, 79.0)
    assert (now.selected_on, now.report_split, now.select_is_report) == ("test", "test", True)
    assert (now.journal_offset, now.journal_skipped) == (run.journal.stat().st_size, 0)
    assert home.points(run.id, "train/loss") == [(s, float(11 - s)) for s in range(1, 11)] + [
        (s, 0.5) for s in range(11, 21)
    ]
    assert read.keys(home.store.reading(), run.id) == [
        "test/loss", "test/top1", "test/top5", "train/images_per_s", "train/loss", "train/lr"
    ]  # fmt: skip
    latest = dict(home.store.reading().execute("SELECT key, best FROM latest").fetchall())
    assert latest == {"test/loss": 0.5, "test/top1": 80.0, "test/top5": 99.0, "train/loss": 0.5, "train/lr": None,
                      "train/images_per_s": None}  # fmt: skip
    found = read.evals(home.store.reading(), run.id)
    assert [(e.step, e.split, e.weights, e.role, e.images, e.values["top1"]) for e in found] == [
        (10, "test", "model", "select", 100, 80.0), (20, "test", "model", "select", 100, 79.0)
    ]  # fmt: skip
    kinds = [e.kind for e in read.events(home.store.reading(), run.id)]
    assert kinds == ["started", "phase", "data", "model", "eval", "checkpoint", "eval"]
    checkpoint = read.events(home.store.reading(), run.id, {"checkpoint"})[0]
    assert (checkpoint.step, checkpoint.epoch, checkpoint.at) == (10, 1.0, 112.0)
    assert checkpoint.data == {"path": "last.pt", "best": True, "metric": "top1", "value": 80.0}


def test_a_journal_that_has_not_grown_is_not_worth_a_write(home: Home) -> None:
    run = home.add()
    append(run, metrics(1, train__loss=1.0), encode(metrics(2, train__loss=1.0))[:-9])
    assert ingest(home.store, run).points == 1
    token = home.store.changes_token()
    assert ingest(home.store, run).points == 0
    assert home.store.changes_token() == token
    append(run, encode(metrics(2, train__loss=1.0))[-9:])
    assert ingest(home.store, run).points == 1
    assert home.points(run.id, "train/loss") == [(1, 1.0), (2, 1.0)]


def test_a_journal_that_is_missing_or_belongs_to_no_row(home: Home) -> None:
    run = home.add()
    assert ingest(home.store, run).events == 0
    stray = RunDir(home.path / "runs" / "stray")
    stray.path.mkdir()
    append(stray, metrics(1, train__loss=1.0))
    with pytest.raises(NotFound, match="rebuild"):
        ingest(home.store, stray)


def test_chunks_fill_up_and_only_the_last_of_a_key_is_written_again(home: Home) -> None:
    run = home.add()
    first = [float(i) for i in range(CHUNK + 100)]
    append(run, metrics(CHUNK + 100, train__loss=first, train__lr=[0.5] * 3))
    ingest(home.store, run)
    before = home.rows("curves")
    written: list[str] = []
    append(run, metrics(CHUNK + 101, train__loss=-1.0))
    from vitui.store.ingest import ingest_into

    with home.store.writing() as db:
        changes = db.total_changes
        ingest_into(db, run)
        assert db.total_changes - changes <= 3  # a chunk, its row of latest, the run (and no trigger, no cascade)
    after = home.rows("curves")
    assert written == [] and [r[:5] for r in after] == [
        (run.id, "train/loss", 0, 1, CHUNK), (run.id, "train/loss", 1, 1, 101), (run.id, "train/lr", 0, 1, 3)
    ]  # fmt: skip
    assert before[0] == after[0] and before[2] == after[2]
    assert home.points(run.id, "train/loss") == list(enumerate([*first, -1.0], 1))


# -- averages, the split that selects, closing evaluations -------------------------------------------------------


def test_with_an_average_it_is_the_average_that_counts(home: Home) -> None:
    run = home.add()
    append(
        run,
        data("minival"),
        evaluation(10, 90.0, split="minival"),
        evaluation(10, 50.0, split="minival", weights="ema"),
    )
    ingest(home.store, run)
    assert (row(home, run).best, row(home, run).last, row(home, run).select_is_report) == (50.0, 50.0, False)
    append(
        run, evaluation(20, 91.0, split="minival"), evaluation(20, 60.0, split="minival", weights="ema"),
        evaluation(30, 55.0, split="minival", weights="ema"),
        evaluation(30, 54.0, weights="ema", role="report-last"), evaluation(20, 58.5, weights="ema", role="report-best"),
    )  # fmt: skip
    ingest(home.store, run)
    now = row(home, run)
    assert (now.best, now.best_step, now.last, now.selected_on) == (60.0, 20, 55.0, "minival")
    assert (now.report_best, now.report_last, now.report_split, now.step) == (58.5, 54.0, "test", 30)
    assert home.points(run.id, "minival/ema_top1") == [(10, 50.0), (20, 60.0), (30, 55.0)]
    assert "test/top1" not in read.keys(home.store.reading(), run.id)


def test_of_equal_bests_the_first_counts_and_nan_never_does(home: Home) -> None:
    run = home.add()
    for step, value in ((10, math.nan), (20, 70.0), (30, 70.0), (40, math.inf), (50, math.nan)):
        append(run, evaluation(step, value))
    ingest(home.store, run)
    assert (row(home, run).best, row(home, run).best_step, row(home, run).last) == (70.0, 20, None)
    latest = home.store.reading().execute(
        "SELECT n, nan_count, best, best_step, last FROM latest WHERE key = 'test/top1'"
    )
    assert tuple(latest.fetchone()) == (5, 3, 70.0, 20, None)
    assert [e.values["top1"] for e in read.evals(home.store.reading(), run.id)][1:3] == [70.0, 70.0]
    assert math.isnan(read.evals(home.store.reading(), run.id)[0].values["top1"])


def test_nan_and_infinity_are_counted_and_come_back(home: Home) -> None:
    run = home.add()
    values = [1.0, math.nan, math.inf, -math.inf, 0.5]
    append(run, metrics(5, train__loss=values))
    ingest(home.store, run)
    stored = home.store.reading().execute("SELECT n, nan_count, min, max, sum, vals FROM curves").fetchone()
    assert tuple(stored) == (5, 3, 0.5, 1.0, 1.5, '[1.0,"NaN","Infinity","-Infinity",0.5]')
    assert home.points(run.id, "train/loss") == [(1, 1.0), (2, None), (3, math.inf), (4, -math.inf), (5, 0.5)]
    assert row(home, run).loss == 0.5
    append(run, metrics(6, train__loss=math.nan))
    ingest(home.store, run)
    assert row(home, run).loss is None


# -- resuming ----------------------------------------------------------------------------------------------------


def test_resuming_replaces_what_came_after_the_checkpoint(home: Home) -> None:
    run = home.add()
    append(run, started(), metrics(10, train__loss=[9.0] * 10), evaluation(10, 50.0), metrics(20, train__loss=[5.0] * 10),
           evaluation(20, 60.0), event("checkpoint", step=20, epoch=2.0, path="p", best=True, metric="top1", value=60.0),
           metrics(23, train__loss=[math.nan] * 3))  # fmt: skip
    ingest(home.store, run)
    assert row(home, run).best == 60.0
    again = [started(2, 200.0), event("resumed", 201.0, 2, step=12, epoch=1.2, path="p"),
             metrics(20, 202.0, 2, train__loss=[4.0] * 8)]  # fmt: skip
    append(run, *again)
    ingest(home.store, run)
    now = row(home, run)
    assert (now.best, now.best_step, now.last, now.step, now.attempt, now.started) == (50.0, 10, 50.0, 20, 2, 100.0)
    expected = [(s, 9.0) for s in range(1, 11)] + [(11, 5.0), (12, 5.0)] + [(s, 4.0) for s in range(13, 21)]
    assert home.points(run.id, "train/loss") == expected
    chunks = home.store.reading().execute(
        "SELECT chunk, attempt, n, step_first, step_last FROM curves WHERE key = 'train/loss'"
    )
    assert [tuple(r) for r in chunks] == [(0, 1, 12, 1, 12), (1, 2, 8, 13, 20)]
    latest = home.store.reading().execute("SELECT n, nan_count, best, best_step FROM latest WHERE key = 'train/loss'")
    assert tuple(latest.fetchone()) == (20, 0, 4.0, 13)
    assert [e.kind for e in read.events(home.store.reading(), run.id)] == ["started", "eval", "started", "resumed"]


def test_resuming_at_zero_starts_the_curves_afresh(home: Home) -> None:
    run = home.add()
    append(
        run,
        started(),
        metrics(10, train__loss=[9.0] * 10),
        started(2),
        event("resumed", attempt=2, step=0, epoch=0.0, path=""),
    )
    ingest(home.store, run)
    assert home.rows("curves") == home.rows("latest") == []
    assert row(home, run).step == 0
    append(run, metrics(5, attempt=2, train__loss=[1.0] * 5))
    ingest(home.store, run)
    assert home.points(run.id, "train/loss") == [(s, 1.0) for s in range(1, 6)]


def test_a_writer_that_was_replaced_is_not_listened_to(home: Home) -> None:
    run = home.add()
    append(run, started(1), metrics(1, train__loss=1.0), started(2), metrics(2, attempt=1, train__loss=66.0),
           metrics(2, attempt=2, train__loss=2.0))  # fmt: skip
    assert ingest(home.store, run).skipped == 1
    assert home.points(run.id, "train/loss") == [(1, 1.0), (2, 2.0)]


def test_an_attempt_that_fails_before_it_resumes_does_not_turn_progress_back(home: Home) -> None:
    run = home.add()
    append(run, started(), metrics(10, train__loss=[1.0] * 10), started(2),
           event("failed", attempt=2, step=0, epoch=0.0, error="no weights", remedy=""))  # fmt: skip
    ingest(home.store, run)
    assert (row(home, run).step, row(home, run).epoch) == (10, 1.0)


def test_only_a_run_that_starts_is_set_running(home: Home) -> None:
    run = home.add()
    append(run, started())
    ingest(home.store, run)
    assert row(home, run).state == "queued"
    other = home.add("other")
    with home.store.writing() as db:
        runs.transition(db, other.id, "queued", "starting", attempt=2)
    append(other, started(1))  # the first attempt's, not read until now
    ingest(home.store, other)
    assert row(home, other).state == "starting"
    append(other, started(2))
    ingest(home.store, other)
    assert row(home, other).state == "running"


# -- journals that are not as they should be ---------------------------------------------------------------------


def test_what_is_not_understood_is_counted_and_the_rest_kept(home: Home) -> None:
    run = home.add()
    sound = [metrics(step, train__loss=float(step)) for step in (1, 2, 3, 4)]
    deep: Any = 0
    for _ in range(300):
        deep = [deep]
    odd: list[dict[str, Any] | bytes] = [
        b"nonsense\n", b"\x00\xff\xfe\n", encode(sound[0])[:-20] + b"\n", b"{}\n", b"\n",
        event("teleported", step=5), event("metrics", step="five", values={}), metrics(-1, train__loss=1.0), metrics(2**70, train__loss=1.0),
        metrics(True, train__loss=1.0), event("metrics", step=5, values=[1, 2]), event("metrics", step=5), event("metrics"),
        metrics(2, train__loss=[1.0] * 9), event("eval", step=6, values="x"), event("eval"), event("resumed", step="x"),
    ]  # fmt: skip
    harmless: list[dict[str, Any] | bytes] = [
        event("warning", message=deep), event("warning", message="\ud800 \x1b[2J", extra={"a": [1, {"b": None}]}),
        event("warning", at="yesterday", attempt="first", message=2**70), event("stopped", step=10**400, reason=None),
        event("model", params=2**80, name=[]), event("data", total_steps="many", select_split=7, report_split=None),
        event("finished", step=4, epoch=math.nan, seconds=math.inf), metrics(4, **{"odd\ud800key": 1.5, "nothing": []}),
    ]  # fmt: skip
    append(run, sound[0], *odd[:9], sound[1], *odd[9:], sound[2], *harmless, sound[3])
    done = ingest(home.store, run)
    assert done.skipped == len(odd) - 1  # an empty line is how a torn one is mended
    assert home.points(run.id, "train/loss") == [(1, 1.0), (2, 2.0), (3, 3.0), (4, 4.0)]
    now = row(home, run)
    assert (now.journal_skipped, now.step, now.params, now.selected_on) == (done.skipped, 4, None, "")
    assert [e.kind for e in read.events(home.store.reading(), run.id)].count("warning") == 3
    assert home.points(run.id, "odd?key") == [(4, 1.5)]
    assert integrity(home.store.path) == "ok"


def test_a_bad_value_in_a_list_does_not_move_the_others(home: Home) -> None:
    run = home.add()
    append(run, metrics(6, train__loss=[1, 2.5, None, "NaN", "x", True], train__lr={"a": 1}))
    assert ingest(home.store, run).skipped == 4
    assert home.points(run.id, "train/loss") == [(1, 1.0), (2, 2.5), (4, None)]


def test_steps_that_go_back_are_kept_and_come_out_in_order(home: Home) -> None:
    run = home.add()
    for step in (5, 6, 2, 9, 9, 3):
        append(run, metrics(step, train__loss=float(step)))
    ingest(home.store, run)
    curve = read.curve(home.store.reading(), run.id, "train/loss")
    assert curve.steps.tolist() == curve.values.tolist() == [2, 3, 5, 6, 9, 9]
    assert read.curve(home.store.reading(), run.id, "train/loss", step_min=3, step_max=6).steps.tolist() == [3, 5, 6]


@pytest.mark.parametrize("longer", [False, True])
def test_a_journal_that_lost_its_end_is_read_again(home: Home, longer: bool) -> None:
    """After a power cut the file may be shorter than what was read from it, and the next attempt appends to that."""
    run = home.add()
    append(run, started(), *(metrics(s, train__loss=float(s)) for s in range(1, 6)))
    ingest(home.store, run)
    whole = run.journal.read_bytes()
    run.journal.write_bytes(whole[: whole.rindex(b'{"kind"') + 10] + b"\n")
    append(run, started(2), *(metrics(s, attempt=2, train__loss=-float(s)) for s in range(5, 30 if longer else 6)))
    if not longer:
        run.journal.write_bytes(run.journal.read_bytes()[:-1])
    assert (run.journal.stat().st_size > len(whole)) == longer or not longer
    ingest(home.store, run)
    fresh = Home(home.path.parent / "fresh")
    other = fresh.add()
    other.journal.write_bytes(run.journal.read_bytes())
    ingest(fresh.store, other)
    assert home.dump() == fresh.dump()
    fresh.store.close()


def test_a_journal_that_vanished_takes_nothing_with_it(home: Home) -> None:
    run = home.add()
    append(run, metrics(1, train__loss=1.0))
    ingest(home.store, run)
    run.journal.unlink()
    assert ingest(home.store, run).events == 0
    run.journal.touch()
    assert ingest(home.store, run).events == 0
    assert home.points(run.id, "train/loss") == [(1, 1.0)]


def test_a_long_journal_is_read_in_portions(home: Home) -> None:
    run = home.add()
    text = "x" * 60_000
    append(run, *(event("warning", message=text) for _ in range(60)))
    done = ingest(home.store, run, budget_bytes=1 << 20)
    assert done.more and 0 < done.events < 60
    total = done.events
    while done.more:
        done = ingest(home.store, run, budget_bytes=1 << 20)
        total += done.events
    assert total == 60


def test_reading_a_journal_needs_no_numpy_and_little_memory(home: Home) -> None:
    run = home.add()
    append(
        run, *(metrics(s, train__loss=[float(f"{math.sin(i):.7g}") for i in range(10)]) for s in range(10, 300_001, 10))
    )
    code = (
        "import sys, json; from pathlib import Path; from engine.journal import RunDir\n"
        "from vitui.store import Store; from vitui.store.ingest import ingest\n"
        "store, points = Store(Path(sys.argv[1])), 0\n"
        "while True:\n"
        "    done = ingest(store, RunDir(Path(sys.argv[1]) / 'runs' / sys.argv[2])); points += done.points\n"
        "    if not done.more: break\n"
        # Not ru_maxrss, which begins with what the parent had.
        "peak = next(int(line.split()[1]) for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(json.dumps([points, 'numpy' in sys.modules, peak / 1024]))"
    )
    out, errors = python(code, str(home.path), run.id).communicate()
    points, numpy, megabytes = json.loads(out or f'"{errors}"')
    assert (points, numpy) == (300_000, False) and megabytes < 50


def test_an_old_store_object_goes_on_after_a_rebuild_elsewhere(home: Home) -> None:
    run = home.add()
    append(run, metrics(1, train__loss=1.0))
    store = Store(home.path)
    assert ingest(store, run).points == 1
    home.store.close()
    home.store.path.write_bytes(b"broken")
    Store(home.path).open()
    with pytest.raises(NotFound):
        ingest(store, run)
    store.close()


def test_the_lower_loss_decides_between_equal_accuracies_as_it_does_for_the_checkpoint(home: Home) -> None:
    run = home.add()
    events = []
    for step, loss in ((10, 0.5), (20, 0.2), (30, 0.3)):
        event_ = evaluation(step, 97.2, at=100.0 + step)
        events.append({**event_, "values": {"top1": 97.2, "loss": loss}})
    append(run, started(), data(), *events)
    ingest(home.store, run)
    assert (row(home, run).best, row(home, run).best_step) == (97.2, 20)
