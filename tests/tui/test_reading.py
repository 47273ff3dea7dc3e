"""The poller's side: log tails, views, the thread itself."""

from __future__ import annotations

import queue
import time
from pathlib import Path

import pytest
from textual.message import Message

from tests.tui.driving import running
from tests.tui.fake_lab import FINISHED, NOW, RUNNING, FakeLab, run
from vitui.errors import NotFound
from vitui.tui.messages import Gone, ReadFailed, Seen
from vitui.tui.poller import Poller
from vitui.tui.tail import FIRST_BYTES, Tail
from vitui.tui.views.run import RunReader, RunView, RunWatch
from vitui.tui.views.runs import RunsReader, RunsView, RunsWatch


def test_tail_reads_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    tail = Tail(path)
    assert not tail.poll() and tail.lines == ()
    path.write_bytes(b"one\ntw")
    assert tail.poll() and tail.lines == ("one", "tw")
    assert not tail.poll()
    with path.open("ab") as file:
        file.write(b"o\n 10%\r 20%")
    assert tail.poll() and tail.lines == ("one", "two", " 20%")
    with path.open("ab") as file:
        file.write(b"\r 30%\rdone\nnext\n")
    assert tail.poll() and tail.lines == ("one", "two", "done", "next")


def test_tail_notices_that_the_file_was_replaced_or_removed(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("first\nsecond\n")
    tail = Tail(path)
    tail.poll()
    path.rename(tmp_path / "console.log.1")
    path.write_text("fresh\n")
    assert tail.poll() and tail.lines == ("fresh",)
    path.unlink()
    assert tail.poll() and tail.lines == ()
    assert not tail.poll()


def test_tail_of_a_long_log_begins_at_a_whole_line_and_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("".join(f"line {n:06d}\n" for n in range(60_000)))
    tail = Tail(path, max_lines=100)
    tail.poll()
    assert len(tail.lines) == 100 and tail.lines[-1] == "line 059999"
    whole = Tail(path)
    whole.poll()
    assert whole.lines[0].startswith("line ") and len(whole.lines[0]) == len("line 000000")
    assert sum(len(line) + 1 for line in whole.lines) <= FIRST_BYTES


def test_tail_survives_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"\xff\xfe\x00\x1b[2J\x9b1;1H" + b"x" * 300_000 + b"\n\r\r\r\nend\n")
    tail = Tail(path)
    tail.poll()
    assert tail.lines[-1] == "end"
    assert all("\x1b" not in line and len(line) <= 2000 for line in tail.lines)


def test_the_list_is_given_only_when_it_changes(lab: FakeLab) -> None:
    reader = RunsReader(lab)
    first = reader.read(NOW, RunsWatch())
    assert first is not None and len(first.rows) == 8
    second = reader.read(NOW, RunsWatch())
    assert second is not None and second.rows == first.rows and second.fields is not first.fields, "fields come later"
    assert reader.read(NOW, RunsWatch()) is None
    lab.touch()
    assert reader.read(NOW, RunsWatch()) is None
    lab.change(RUNNING, epoch=19.0)
    second = reader.read(NOW, RunsWatch())
    assert second is not None
    changed = [a.id for a, b in zip(second.rows, first.rows, strict=True) if a is not b]
    assert changed == [RUNNING]
    reader.forget()
    assert reader.read(NOW, RunsWatch()) is not None


def test_an_empty_lab_is_given_too(tmp_path: Path) -> None:
    view = RunsReader(FakeLab(tmp_path)).read(NOW, RunsWatch())
    assert view is not None and view.rows == ()


def test_a_costly_list_is_read_whole_only_now_and_then(lab: FakeLab, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = RunsReader(lab)
    reader.read(NOW, RunsWatch())
    reader._whole_due = time.monotonic() + 1000
    whole = []
    original = lab.runs
    monkeypatch.setattr(lab, "runs", lambda states=None, **_: whole.append(states) or original(states=states))
    lab.change(RUNNING, epoch=20.0)
    view = reader.read(NOW, RunsWatch())
    assert view is not None and next(r for r in view.rows if r.id == RUNNING).epoch == 20.0
    lab.change(RUNNING, state="finished", epoch=30.0)  # what has just ended is not live any more, but is shown
    lab.add(run("261117-200000-new1", state="queued"))
    view = reader.read(NOW, RunsWatch())
    assert view is not None
    assert next(r for r in view.rows if r.id == RUNNING).state == "finished"
    assert view.rows[0].id == "261117-200000-new1"
    assert None not in whole
    lab.change(FINISHED, name="renamed elsewhere")
    reader._whole_due = 0.0
    view = reader.read(NOW, RunsWatch())
    assert view is not None and any(r.name == "renamed elsewhere" for r in view.rows)


def test_what_was_put_off_is_read_later_without_a_further_change(lab: FakeLab) -> None:
    reader = RunsReader(lab)
    reader.read(NOW, RunsWatch())
    reader.read(NOW, RunsWatch())
    reader._whole_due = time.monotonic() + 1000
    lab.change(FINISHED, name="renamed elsewhere")
    assert reader.read(NOW, RunsWatch()) is None
    reader._whole_due = 0.0
    view = reader.read(NOW, RunsWatch())
    assert view is not None and any(r.name == "renamed elsewhere" for r in view.rows)


def test_a_run_is_read_with_all_it_has(lab: FakeLab) -> None:
    view = RunReader(lab, RUNNING).read(NOW, RunWatch(RUNNING))
    assert view is not None
    assert set(view.series) == {"train/loss", "train/lr", "minival/top1", "minival/top5", "minival/loss"}
    assert len(view.series["train/loss"]) == 763
    assert view.lr is not None and 0 < view.lr < 2e-3
    assert view.phase == "training"
    changed = [s for s in view.recipe if s.changed]
    assert [(s.key, s.value, s.before, s.origin) for s in changed] == [("mix.mixup", 0.2, 0.0, "--toggle mixup")]
    assert view.log[2] == "model vit_tiny_patch16_224: 207,882 parameters"


def test_a_run_is_read_again_as_far_as_it_changed(lab: FakeLab) -> None:
    reader = RunReader(lab, RUNNING)
    first = reader.read(NOW, RunWatch(RUNNING))
    assert first is not None and reader.read(NOW, RunWatch(RUNNING)) is None
    lab.touch()  # something else in the lab
    assert reader.read(NOW, RunWatch(RUNNING)) is None
    with lab.run_dir(RUNNING).console.open("a") as file:
        file.write("more\n")
    second = reader.read(NOW, RunWatch(RUNNING))
    assert second is not None and second.log[-1] == "more" and second.series is first.series
    lab.change(RUNNING, journal_offset=2, epoch=19.0)
    third = reader.read(NOW, RunWatch(RUNNING))
    assert third is not None and third.run.epoch == 19.0
    assert third.series is first.series and third.recipe is first.recipe and third.events is first.events


def test_a_run_that_is_gone(lab: FakeLab) -> None:
    with pytest.raises(NotFound):
        RunReader(lab, "261101-000000-none").read(NOW, RunWatch("261101-000000-none"))


class Thread:
    """A poller whose messages can be waited for."""

    def __init__(self, lab: FakeLab) -> None:
        self.inbox: queue.Queue[Message] = queue.Queue()
        self.poller = Poller(lab, self.inbox.put, lambda: NOW)  # type: ignore[arg-type]
        self.poller.start()

    def next(self) -> Message:
        message = self.inbox.get(timeout=10)
        self.poller.drawn()
        return message


def view_of(message: Message) -> object:
    assert isinstance(message, Seen)
    return message.view


def test_the_poller_reads_what_is_watched(lab: FakeLab) -> None:
    thread = Thread(lab)
    try:
        assert isinstance(view_of(thread.next()), RunsView)
        thread.poller.watch(RunWatch(RUNNING))
        view = view_of(thread.next())
        assert isinstance(view, RunView) and view.run.id == RUNNING
        lab.change(RUNNING, epoch=19.5, journal_offset=9)
        view = view_of(thread.next())
        assert isinstance(view, RunView) and view.run.epoch == 19.5
        thread.poller.watch(RunsWatch())
        assert isinstance(view_of(thread.next()), RunsView)
        thread.poller.watch(RunWatch(RUNNING))
        assert isinstance(view_of(thread.next()), RunView), "a run opened again is shown although nothing has changed"
        thread.poller.watch(RunWatch("none"))
        assert isinstance(thread.next(), Gone)
    finally:
        thread.poller.stop()
    assert lab.readers == {"vitui-poller"}


def test_what_is_watched_from_now_on_is_not_lost_to_a_run_that_is_gone(lab: FakeLab) -> None:
    """The screen changes while the reading of the run that is gone is under way."""
    inbox: queue.Queue[Message] = queue.Queue()
    poller = Poller(lab, inbox.put, lambda: NOW)  # type: ignore[arg-type]

    class Going(RunWatch):
        def reader(self, lab: object) -> RunReader:
            poller.watch(RunWatch(RUNNING))
            raise NotFound("gone")

    poller.watch(Going("gone"))
    poller.start()
    try:
        assert isinstance(inbox.get(timeout=10), Gone)
        poller.drawn()
        assert isinstance(view_of(inbox.get(timeout=10)), RunView)
    finally:
        poller.drawn()
        poller.stop()


def test_the_poller_waits_until_its_picture_was_drawn(lab: FakeLab) -> None:
    thread = Thread(lab)
    try:
        assert isinstance(view_of(thread.inbox.get(timeout=10)), RunsView)
        for n in range(50):
            lab.change(RUNNING, step=n)
            thread.poller.wake()
        with pytest.raises(queue.Empty):
            thread.inbox.get(timeout=0.3)
        thread.poller.drawn()
        view = view_of(thread.next())
        assert isinstance(view, RunsView)
        assert next(r for r in view.rows if r.id == RUNNING).step == 49
    finally:
        thread.poller.stop()


def test_the_poller_survives_a_broken_lab_and_says_so(lab: FakeLab) -> None:
    thread = Thread(lab)
    try:
        thread.next()
        lab.broken = OSError("disk I/O error")
        thread.poller.wake()
        message = thread.next()
        assert isinstance(message, ReadFailed) and "disk I/O error" in message.reason
        lab.broken = None
        lab.change(RUNNING, epoch=21.0)
        thread.poller.wake()
        while not isinstance(message, Seen):
            message = thread.next()
        assert isinstance(message.view, RunsView) and any(r.epoch == 21.0 for r in message.view.rows)
    finally:
        thread.poller.stop()


async def test_a_picture_that_arrives_while_the_app_is_left_is_dropped(lab: FakeLab) -> None:
    async with running(lab) as (app, _):
        view = app.runs_screen._view
        app.exit()
        seen: list[object] = []
        app.runs_screen.see = seen.append  # type: ignore[method-assign]
        app.on_seen(Seen(view))
        assert seen == []
