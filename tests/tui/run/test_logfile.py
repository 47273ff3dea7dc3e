"""A log of any length: lines by number, whatever they hold, and searching it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitui.text import console_line
from vitui.tui.logfile import LONG_BYTES, LogFile, LogWindow, pattern, search, shown


def whole(log: LogFile) -> tuple[str, ...]:
    return log.page(LogWindow(0, 10**6)).lines


def found(path: Path, text: str, **more: int) -> list[int]:
    wanted, problem = pattern(text)
    assert wanted is not None and not problem
    return [line for part in search(path, wanted, lambda: False, **more) for line in part.lines]


def test_every_line_can_be_reached(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_text("".join(f"line {n}\n" for n in range(100_000)) + "open")
    log = LogFile(path)
    assert log.poll() and not log.poll()
    assert log.total == 100_001
    assert log.page(LogWindow(50_000, 2)).lines == ("line 50000", "line 50001")
    end = log.page(LogWindow(None, 3))
    assert (end.first, end.lines, end.share) == (99_998, ("line 99998", "line 99999", "open"), 1.0)
    with path.open("a") as file:
        file.write(" line\nnew")
    assert log.poll()
    assert log.page(LogWindow(None, 3)).lines == ("line 99999", "open line", "new")


def test_a_file_that_is_cut_replaced_or_gone(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    log = LogFile(path)
    assert not log.poll() and log.total == 0 and whole(log) == ()
    path.write_text("one\ntwo\n")
    assert log.poll() and whole(log) == ("one", "two")
    path.write_text("a\n")
    assert log.poll() and whole(log) == ("a",)
    other = tmp_path / "other"
    other.write_text("x\ny\nz\n")
    other.replace(path)
    assert log.poll() and whole(log) == ("x", "y", "z")
    path.unlink()
    assert log.poll() and log.total == 0


def test_a_huge_file_is_indexed_a_piece_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"0123456\n" * (1 << 20))
    log = LogFile(path)
    assert log.poll(budget=1 << 20)
    page = log.page(LogWindow(None, 1))
    assert page.total == (4 << 20) // 8 and page.share == 0.5, "in blocks of 4 MiB"
    assert log.poll(budget=1 << 20) and log.total == 1 << 20 and not log.poll()


def test_long_lines_progress_bars_and_binary(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    bars = b"".join(b"\r%3d%% of the epoch" % n for n in range(100)) * 200
    assert len(bars) > 2 * LONG_BYTES
    path.write_bytes(b"x" * 100_000 + b"\n" + bars + b"\n" + bytes(range(256)) + b"\nend\n")
    log = LogFile(path)
    log.poll()
    long, bar, *binary, end = whole(log)
    assert long.startswith("xxx") and len(long) <= 2000 and bar == " 99% of the epoch" and end == "end"
    assert all(line.isprintable() for line in binary)


@given(st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"")), max_size=20), st.integers(0, 25))
@settings(max_examples=60, deadline=None)
def test_lines_are_those_of_the_file(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], first: int) -> None:
    path = tmp_path_factory.mktemp("log") / "console.log"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    log = LogFile(path)
    log.poll()
    expected = [console_line(line.decode("utf-8", "replace")) for line in lines]
    assert log.total == len(lines) and list(whole(log)) == expected
    page = log.page(LogWindow(first, 3))
    assert list(page.lines) == expected[page.first : page.first + 3]


def test_what_is_searched() -> None:
    def matches(text: str, line: str) -> bool:
        wanted, problem = pattern(text)
        assert wanted is not None and not problem
        return bool(wanted.search(line))

    assert matches("nan", "loss NaN") and not matches("NaN", "loss nan") and matches("NaN", "NaN")
    assert matches("a.b(", "A.B(") and not matches("a.b", "axb")
    assert matches("/epoch \\d+$/", "EPOCH 12") and matches("/x|y", "y"), "the last slash may be missing"
    assert pattern("") == (None, "") and pattern("/") == (None, "") and pattern("//") == (None, "")
    wanted, problem = pattern("/a(/")
    assert wanted is None and problem.startswith("not a regular expression: ")


def test_searching_as_it_is_shown_and_going_on(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    lines = ["nothing", "\x1b[32mthe\x1b[0m loss", "x" * 100_000 + " loss", "10%\rloss 1\rdone", "tab\tloss"]
    path.write_text("\n".join(lines) + "\n")
    assert found(path, "the loss") == [1], "colours do not hide it"
    assert found(path, "loss") == [1, 4], "what is overwritten or cut is not on the screen"
    [*_, last] = list(search(path, pattern("loss")[0], lambda: False))  # type: ignore[arg-type]
    with path.open("a") as file:
        file.write("more loss\n")
    assert found(path, "loss", line=last.next_line, offset=last.offset) == [5]


def test_a_search_is_bounded_and_can_be_left(tmp_path: Path) -> None:
    path = tmp_path / "console.log"
    path.write_bytes(b"loss\n" * 500_000)
    wanted = pattern("loss")[0]
    assert wanted is not None
    assert len(found(path, "loss", limit=1000)) == 1000
    steps = search(path, wanted, lambda: False, limit=10**6)
    first = next(steps)
    assert 0 < first.offset < first.size and first.lines[-1] == first.next_line - 1
    assert list(search(path, wanted, lambda: True)) == []
    assert list(search(tmp_path / "none", wanted, lambda: False)) == []


def test_blocks_cut_lines_and_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vitui.tui.logfile.SEARCH_BYTES", 7)
    path = tmp_path / "console.log"
    path.write_text("äöü größe\nzwei\n\ndrei größe\n")
    assert found(path, "größe") == [0, 3]


def test_a_long_line_is_its_beginning_or_what_overwrote_it() -> None:
    assert shown(b"head\ntail") == "head" and shown(b"head\nold\rnew") == "new" and shown(b"head\ntail\r") == "head"
