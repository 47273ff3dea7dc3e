"""Of the questions that wait, only the newest is answered."""

from __future__ import annotations

import threading

from vitui.tui.newest import Newest


def test_of_those_that_wait_only_the_newest_is_done() -> None:
    newest, going, free, over, done = Newest("test"), threading.Event(), threading.Event(), threading.Event(), []

    def first() -> None:
        going.set()
        assert free.wait(10)
        done.append(1)

    def last() -> None:
        done.append(3)
        over.set()

    newest.put(first)
    assert going.wait(10)
    newest.put(lambda: done.append(2))
    newest.put(last)
    free.set()
    assert over.wait(10)
    assert done == [1, 3]
    over.clear()
    newest.put(last)
    assert over.wait(10)
    assert done == [1, 3, 3]
