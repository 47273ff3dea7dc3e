"""However a journal comes to be read, and whatever is in it, the rows are those of one plain reading of it."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.journal import encode
from tests.store.homes import Home, evaluation, event, metrics
from vitui.store import metrics as read
from vitui.store.ingest import ingest

numbers = st.floats(width=32) | st.integers(-3, 3) | st.sampled_from([math.nan, math.inf, -math.inf])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
attempts = st.integers(1, 3)
steps = st.integers(0, 60)
sound = st.one_of(
    st.builds(lambda a, s, v: metrics(s, attempt=a, train__loss=v), attempts, steps, numbers),
    st.builds(
        lambda a, s, v: metrics(s, attempt=a, train__loss=v[: s + 1], lr=v[: s + 1]),
        attempts,
        steps,
        st.lists(numbers, min_size=1, max_size=12),
    ),
    st.builds(
        lambda a, s, v, w, r: evaluation(s, v, attempt=a, weights=w, role=r),
        attempts,
        steps,
        numbers,
        st.sampled_from(["model", "ema"]),
        st.sampled_from(["select", "report-best", "report-last"]),
    ),
    st.builds(lambda a: event("started", attempt=a, host="h"), attempts),
    st.builds(lambda a, s: event("resumed", attempt=a, step=s, epoch=s / 10), attempts, steps),
    st.builds(lambda a, s: event("checkpoint", attempt=a, step=s, best=True), attempts, steps),
)
hostile = st.builds(
    lambda kind, fields: {**fields, "kind": kind},
    st.sampled_from(["metrics", "eval", "resumed", "started", "data", "model", "finished", "unheard of"]),
    st.dictionaries(
        st.sampled_from(["at", "attempt", "step", "epoch", "values", "split", "role", "weights", "host", "total_steps"])
        | st.text(max_size=4),
        json_values,
        max_size=6,
    ),
)
torn = st.builds(lambda line, cut: encode(line)[:cut] + b"\n", sound, st.integers(1, 30)) | st.binary(max_size=20).map(
    lambda raw: raw.replace(b"\n", b"") + b"\n"
)
calm = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read_in_parts(journal: bytes, cuts: list[int], folder: Path) -> dict[str, Any]:
    """The tables after the journal has grown in these steps, each one ingested."""
    home = Home(folder)
    run = home.add()
    for end in [*sorted(cut % (len(journal) + 1) for cut in cuts), len(journal)]:
        run.journal.write_bytes(journal[:end])
        while ingest(home.store, run).more:
            pass
    tables = home.dump()
    home.store.close()
    return tables


@calm
@given(
    st.lists(sound.map(encode) | hostile.map(encode) | torn, max_size=40), st.lists(st.integers(0, 20_000), max_size=6)
)
def test_read_in_any_parts_gives_the_rows_of_one_reading(parts: list[bytes], cuts: list[int]) -> None:
    journal = b"".join(parts)
    with tempfile.TemporaryDirectory() as folder:
        assert read_in_parts(journal, cuts, Path(folder) / "a") == read_in_parts(journal, [], Path(folder) / "b")


def model(events: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """What the curves must hold: a plain list of points for each key, filtered when a run resumes."""
    curves: dict[str, list[tuple[int, float]]] = {}
    fence = 0
    for one in events:
        if one["attempt"] < fence:
            continue
        if one["kind"] == "started":
            fence = one["attempt"]
        elif one["kind"] == "resumed":
            curves = {key: [p for p in points if p[0] <= one["step"]] for key, points in curves.items()}
        elif one["kind"] == "metrics":
            for key, value in one["values"].items():
                series = value if isinstance(value, list) else [value]
                first = one["step"] - len(series) + 1
                curves.setdefault(key, []).extend((first + i, float(v)) for i, v in enumerate(series))
        elif one["kind"] == "eval" and one["role"] == "select":
            prefix = "test/ema_" if one["weights"] == "ema" else "test/"
            for key, value in one["values"].items():
                curves.setdefault(prefix + key, []).append((one["step"], float(value)))
    return {key: sorted(points, key=lambda p: p[0]) for key, points in curves.items() if points}


@calm
@given(st.lists(sound, max_size=40), st.lists(st.integers(0, 20_000), max_size=3))
def test_curves_and_latest_are_what_a_plain_reading_says(events: list[dict[str, Any]], cuts: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        run = home.add()
        journal = b"".join(encode(one) for one in events)
        for end in [*sorted(cut % (len(journal) + 1) for cut in cuts), len(journal)]:
            run.journal.write_bytes(journal[:end])
            assert ingest(home.store, run).skipped <= len(events)
        db = home.store.reading()
        wanted = model(events)
        assert read.keys(db, run.id) == sorted(wanted)
        for key, points in wanted.items():
            curve = read.curve(db, run.id, key)
            found = list(zip(curve.steps.tolist(), map(repr, curve.values.tolist()), strict=True))
            assert found == [(s, repr(v)) for s, v in points]
            n, nan_count, best = db.execute(
                "SELECT n, nan_count, best FROM latest WHERE run = ? AND key = ?", (run.id, key)
            ).fetchone()
            finite = [v for _, v in points if math.isfinite(v)]
            better = {"top1": max, "top5": max, "loss": min}.get(key.split("/")[-1].removeprefix("ema_"))
            assert (n, nan_count) == (len(points), len(points) - len(finite))
            assert best == (better(finite) if better and finite else None)
            envelope = read.envelope(db, run.id, key, 7)
            assert envelope.count.sum() == n and envelope.nan_count.sum() == nan_count
        home.store.close()
