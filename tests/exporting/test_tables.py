"""CSV and Parquet hold what the database holds, number by number."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.exporting.making import OTHER, RUN, opened, same, trained
from tests.store.homes import Home
from vitui.exporting import Request, export, series, tables
from vitui.exporting.csv import write_table
from vitui.lab import Lab

HOSTILE = 'x/../\x1b[31m"\n,=1+1' + "y" * 280


def silent(message: str) -> None:
    raise AssertionError(message)


def read_csv(path: Path) -> list[dict[str, str]]:
    text = path.read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert text.count("\n") == len(rows) + 1, "a line for each row, so that line tools can work"
    return rows


def points(lab: Lab, runs: list[str]) -> list[tuple[str, str, int, float, float]]:
    """As the database has them."""
    out = []
    for run in runs:
        times = {f"{e.split}/{metric}": {} for e in lab.evals(run) for metric in e.values}  # type: dict[str, Any]
        for e in lab.evals(run):
            for metric in e.values:
                if e.role == "select":
                    times[f"{e.split}/{metric}"][e.step] = e.at
        for key in lab.keys(run):
            curve = lab.curve(run, key)
            for step, value, at in zip(curve.steps, curve.values, curve.at, strict=True):
                out.append((run, key, int(step), float(value), times.get(key, {}).get(int(step), float(at))))
    return out


@pytest.fixture
def lab(home: Home) -> Lab:
    trained(home, tags=["paper", "a,b"], notes="two\nlines", name=HOSTILE)
    trained(home, OTHER, state="running")
    return opened(home)


@pytest.mark.parametrize("block", [7, 100_000])
def test_csv(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(tables, "BLOCK", block)
    monkeypatch.setattr(series, "BLOCK", block)
    out = tmp_path / "out"
    placed = export(lab, "csv", Request((RUN, OTHER), out), silent)
    assert placed == [str(out / f"{name}.csv") for name in ("points", "evals", "runs")]
    assert sorted(path.name for path in out.iterdir()) == ["evals.csv", "points.csv", "runs.csv"]
    found, known = read_csv(out / "points.csv"), points(lab, [RUN, OTHER])
    assert list(found[0]) == ["run", "key", "step", "value", "at"]
    assert [(r["run"], r["key"], int(r["step"]), float(r["at"])) for r in found] == [(*k[:3], k[4]) for k in known]
    assert same([float(r["value"]) for r in found], [k[3] for k in known])
    words = {r["value"] for r in found if not r["value"].replace(".", "").replace("e-", "").isdigit()}
    assert words == {"NaN", "Inf", "-Inf"}, "as R and pandas read them"
    evals = read_csv(out / "evals.csv")
    flat = [(run, e.step, e.split, e.role, m, v, e.images, e.at)
            for run in (RUN, OTHER) for e in lab.evals(run) for m, v in e.values.items()]  # fmt: skip
    assert [(r["run"], int(r["step"]), r["split"], r["role"], r["metric"], float(r["value"]), int(r["images"]), float(r["at"]))
            for r in evals] == flat  # fmt: skip


def test_csv_of_runs(lab: Lab, tmp_path: Path) -> None:
    export(lab, "csv", Request((RUN, OTHER), tmp_path), silent)
    one, other = read_csv(tmp_path / "runs.csv")
    assert one["run"] == RUN and one["state"] == "finished" and other["state"] == "running"
    assert float(one["best"]) == lab.run(RUN).best == 60.0 and int(one["best_step"]) == 20
    assert float(one["report_best"]) == 59.5 and one["report_split"] == "test" and other["report_best"] == ""
    assert one["name"].startswith('x/../\\x1b[31m"\\n,=1+1') and one["notes"] == "two\\nlines"
    assert one["tags"] == '["a,b", "paper"]' and one["commit"] == "c" * 40 and one["macs"] == "5000"
    assert one["config.train.epochs"] == "3" and one["config.optim.betas"] == "[0.9, 0.99]"
    assert one["config.train.deterministic"] == "true" and one["selected_on_report"] == "false"


def test_parquet(lab: Lab, tmp_path: Path) -> None:
    export(lab, "parquet", Request((RUN, OTHER), tmp_path), silent)
    found, known = parquet.read_table(tmp_path / "points.parquet"), points(lab, [RUN, OTHER])
    assert found.schema.types == [pa.string(), pa.string(), pa.int64(), pa.float64(), pa.float64()]
    rows = found.to_pylist()
    assert [(r["run"], r["key"], r["step"], r["at"]) for r in rows] == [(*k[:3], k[4]) for k in known]
    assert same([r["value"] for r in rows], [k[3] for k in known])
    assert found.column("value").null_count == 0 and any(r["value"] != r["value"] for r in rows), "NaN is no null"
    evals = parquet.read_table(tmp_path / "evals.parquet").to_pylist()
    assert {(r["step"], r["role"], r["metric"]): r["value"] for r in evals if r["run"] == RUN}[
        20, "report-best", "top1"
    ] == 59.5
    runs = parquet.read_table(tmp_path / "runs.parquet")
    one = runs.to_pylist()[0]
    assert one["name"] == HOSTILE and one["notes"] == "two\nlines", "a file that no terminal shows keeps texts whole"
    assert runs.schema.field("config.train.epochs").type == pa.int64()
    assert runs.schema.field("config.train.deterministic").type == pa.bool_()
    assert runs.schema.field("best").type == pa.float64() and one["best"] == 60.0
    assert runs.to_pylist()[1]["report_best"] is None


def test_keys_and_single_tables(lab: Lab, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(lab, "csv", Request((RUN,), None, ("train/lr",), "points"), silent) == []
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {r["key"] for r in rows} == {"train/lr"} and len(rows) == 30
    file = tmp_path / "some where" / "evals.parquet"
    assert export(lab, "parquet", Request((RUN,), file, table="evals"), silent) == [str(file)]
    assert [path.name for path in file.parent.iterdir()] == ["evals.parquet"]
    assert parquet.read_table(file).num_rows == 3 * 5


def test_a_run_without_anything(home: Home, tmp_path: Path) -> None:
    home.add()
    lab = opened(home)
    for form in ("csv", "parquet"):
        export(lab, form, Request((RUN,), tmp_path), silent)
    assert read_csv(tmp_path / "points.csv") == [] and read_csv(tmp_path / "evals.csv") == []
    assert read_csv(tmp_path / "runs.csv")[0]["state"] == "queued"
    assert parquet.read_table(tmp_path / "points.parquet").num_rows == 0
    assert parquet.read_table(tmp_path / "evals.parquet").schema.names[:3] == ["run", "step", "epoch"]


def test_what_a_failed_export_wrote_is_gone(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "runs.csv")

    monkeypatch.setattr(tables, "runs", full)  # the last of three tables
    with pytest.raises(OSError, match="No space"):
        export(lab, "csv", Request((RUN,), tmp_path / "out" / "deep"), silent)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("values", "kind", "kept"),
    [
        ([1, 2.5, None], tables.REAL, [1.0, 2.5, None]),
        ([1, 2, None], tables.WHOLE, [1, 2, None]),
        ([True, None], tables.FLAG, [True, None]),
        ([True, 1], tables.TEXT, ["true", "1"]),
        (["auto", 8, math.nan], tables.TEXT, ["auto", "8", "NaN"]),
        ([None, None], tables.TEXT, [None, None]),
    ],
)
def test_kinds_of_columns(values: list[Any], kind: str, kept: list[Any]) -> None:
    assert tables._kind(values) == kind
    assert tables._as_kind(values, kind) == kept


def test_a_table_says_what_is_not_known() -> None:
    columns = (("a", tables.REAL), ("b", tables.FLAG), ("c", tables.TEXT), ("d", tables.WHOLE))
    out = io.StringIO()
    write_table(tables.Table("x", columns, iter([[[math.nan, None], [None, False], ["", None], [None, 0]]])), out)
    assert out.getvalue() == "a,b,c,d\nNaN,,,\n,false,,0\n"
