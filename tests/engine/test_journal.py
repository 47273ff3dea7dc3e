"""The journal keeps what it is given: torn lines, full disks, hostile values."""

from __future__ import annotations

import json
import math
import os
import resource
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import journal
from engine.journal import Journal, decode, encode, read, read_all

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=5))
def test_what_is_encoded_is_one_ascii_line_of_json_and_decodes_to_the_same(fields: dict[str, object]) -> None:
    line = encode({**fields, "kind": "metrics"})
    assert line.count(b"\n") == 1 and line.endswith(b"\n") and line.isascii()
    event = decode(line[:-1])
    assert event is not None
    assert json.loads(line)["kind"] == "metrics"
    assert journal._finite(event) == journal._finite(
        json.loads(json.dumps(journal._finite({**fields, "kind": "metrics"})))
    )


@given(st.floats())
def test_every_float_survives_the_journal(value: float) -> None:
    event = decode(encode({"kind": "metrics", "values": {"x": value}})[:-1])
    assert event is not None
    back = journal.number(event["values"]["x"])
    assert back == value or (math.isnan(back) and math.isnan(value))


@given(st.binary(max_size=60), st.integers(0, 200))
def test_a_flipped_byte_is_noticed(noise: bytes, position: int) -> None:
    line = bytearray(encode({"kind": "metrics", "values": {"train/loss": 0.25}})[:-1])
    line[position % len(line)] ^= 1 + (noise[0] if noise else 0) % 255 or 1
    assert decode(bytes(line)) is None
    decode(noise)  # never raises


def test_absurdly_nested_json_is_damage_not_a_crash() -> None:
    body = b'{"kind":"warning","message":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert decode(body[:-1] + b',"crc":"%08x"}' % zlib.crc32(body)) is None


def test_a_torn_last_line_is_left_until_it_completes(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    whole = encode({"kind": "warning", "message": "one"}) + encode({"kind": "warning", "message": "two"})
    path.write_bytes(whole[:-5])
    first = read(path)
    assert [e["message"] for e in first.events] == ["one"] and first.skipped == 0
    path.write_bytes(whole)
    second = read(path, first.offset)
    assert [e["message"] for e in second.events] == ["two"] and second.offset == len(whole)


def test_an_attempt_after_a_torn_line_loses_only_the_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = Journal(path, 1)
    first.event("warning", message="kept")
    first.close()
    with open(path, "ab") as file:
        file.write(b'{"kind":"metrics","at":17')
    second = Journal(path, 2)
    second.event("resumed", step=3)
    second.close()
    found = read(path)
    assert [e["kind"] for e in found.events] == ["warning", "resumed"] and found.skipped == 1


def test_a_full_disk_keeps_events_until_there_is_room(tmp_path: Path) -> None:
    """A file-size limit makes write() short and then fail, as a full disk does; lifting it must lose nothing."""
    script = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(journal.__file__).parents[1])!r})
from engine.journal import Journal
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
j = Journal(Path({str(tmp_path / "journal.jsonl")!r}), 1)
for i in range(20):
    if i == 5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.RLIM_INFINITY))
    if i == 15:
        assert j.pending == 10 and not j.sync(), j.pending
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    j.event("warning", message="x" * 40, number=i)
assert j.sync() and j.pending == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    events = list(read_all(tmp_path / "journal.jsonl"))
    assert [e["number"] for e in events] == list(range(20))


def test_pending_events_are_bounded_and_the_loss_is_reported(tmp_path: Path) -> None:
    script = f"""
import resource, signal, sys
sys.path.insert(0, {str(Path(journal.__file__).parents[1])!r})
from engine.journal import Journal
from pathlib import Path
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
Journal.MAX_PENDING = 8
j = Journal(Path({str(tmp_path / "journal.jsonl")!r}), 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
j.event("checkpoint", step=1)
for i in range(20):
    j.event("metrics", step=i)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert j.sync()
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    events = list(read_all(tmp_path / "journal.jsonl"))
    assert events[0]["kind"] == "checkpoint"
    assert [e["step"] for e in events if e["kind"] == "metrics"] == list(range(13, 20))
    assert "13 metric events were lost" in events[-1]["message"]


@pytest.mark.parametrize("seed", range(5))
def test_kill_9_loses_nothing_that_was_logged(tmp_path: Path, seed: int) -> None:
    """The writer says on a pipe how far it got; every event it spoke of must be there."""
    script = f"""
import os, sys
sys.path.insert(0, {str(Path(journal.__file__).parents[1])!r})
from engine.journal import Journal
from pathlib import Path
j = Journal(Path({str(tmp_path / "journal.jsonl")!r}), 1)
for i in range(10**9):
    j.event("metrics", step=i, values={{"train/loss": 1.0 / (i + 1)}})
    os.write(1, b"%d\\n" % i)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None
    for _ in range(50 + 37 * seed):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    acknowledged = int(rest[-1]) if rest else 49 + 37 * seed
    steps = [e["step"] for e in read_all(tmp_path / "journal.jsonl")]
    assert steps == list(range(len(steps))) and len(steps) > acknowledged


def test_atomic_write_leaves_the_old_file_when_there_is_no_room(tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    journal.write_json(path, {"a": 1})
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError):
            journal.atomic_write(path, os.urandom(8192))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert journal.read_json(path) == {"a": 1} and os.listdir(tmp_path) == ["value.json"]


def test_run_ids_sort_by_time_and_are_unique() -> None:
    ids = [journal.new_run_id(1_700_000_000 + i) for i in range(100)]
    assert ids == sorted(ids) and len({journal.new_run_id(0) for _ in range(500)}) > 495
