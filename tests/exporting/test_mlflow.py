"""Runs in MLflow's store, read back with its own client. Only where mlflow is installed."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.making import OTHER, RUN, exported, opened, trained
from tests.exporting.test_tables import points, silent
from tests.store.homes import Home, append, event
from vitui.errors import UsageError, VitError
from vitui.exporting import Request, export
from vitui.exporting.mlflow import _name, _renamed, _shown
from vitui.store.ingest import ingest

BIGGEST = sys.float_info.max


@pytest.mark.parametrize("key", ["train/loss", "a b", "a:b", "ünï", "x.y-z_1"])
def test_names_that_stay(key: str) -> None:
    assert _name(key) == key


@pytest.mark.parametrize(
    ("key", "name"), [("a\x1b[b", "a__b"), ("/a", "_a"), ("a//b", "a__b"), ("../x", "___x"), ("", "_"), ("a/", "a_")]
)
def test_names_that_mlflow_would_refuse(key: str, name: str) -> None:
    assert _name(key) == name


def test_two_series_of_one_name_are_refused() -> None:
    told: list[str] = []
    assert _renamed(["a(b", "c"], (), told.append) == {"a(b": "a_b", "c": "c"}
    assert told == ["series a(b is called a_b in MLflow"]
    with pytest.raises(UsageError, match=r"series a\(b and a\[b would both be a_b in MLflow"):
        _renamed(["a(b", "a[b"], (), told.append)


def test_a_password_is_not_shown() -> None:
    assert _shown("https://user:secret@host:5000/x") == "https://host:5000/x"
    assert _shown("sqlite:////tmp/a.db") == "sqlite:////tmp/a.db"


# -- with the library ----------------------------------------------------------------------------------------------


def client(folder: Path) -> tuple[Any, list[Any]]:
    """MLflow's client, and its runs of the experiment vitui."""
    tracking = pytest.importorskip("mlflow.tracking")
    found = tracking.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    return found, found.search_runs([found.get_experiment_by_name("vitui").experiment_id])


def test_everything_is_in_the_store(home: Home, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    run = trained(home, tags=["paper"], notes="a note")
    exported(run)
    trained(home, OTHER, state="running")
    lab, out = opened(home), tmp_path / "out"
    places = export(lab, "mlflow", Request((RUN, OTHER), out), silent)
    found, runs = client(out)
    one = next(r for r in runs if r.data.tags["vitui.run"] == RUN)
    other = next(r for r in runs if r.data.tags["vitui.run"] == OTHER)
    assert places == [f"sqlite:///{out / 'mlflow.db'} {r.info.run_id}" for r in (one, other)]
    assert (one.info.run_name, one.info.status, other.info.status) == ("first", "FINISHED", "RUNNING")
    assert (one.info.start_time, one.info.end_time) == (100_000, 240_000)
    assert one.data.params["train.epochs"] == "3" and one.data.params["optim.betas"] == "[0.9, 0.99]"
    assert one.data.tags["mlflow.source.git.commit"] == "c" * 40 and one.data.tags["mlflow.note.content"] == "a note"
    known = [(k, s, v, at) for _, k, s, v, at in points(lab, [RUN])]
    known += [(f"{e.role}/{e.split}/{m}", e.step, v, e.at)
              for e in lab.evals(RUN) if e.role != "select" for m, v in e.values.items()]  # fmt: skip
    for key in {k for k, *_ in known}:
        told = [(m.step, repr(m.value), m.timestamp) for m in found.get_metric_history(one.info.run_id, key)]
        ours = [(s, repr(_stored(v)), round(at * 1000)) for k, s, v, at in known if k == key]
        assert sorted(told) == sorted(ours), key
    assert sorted(a.path for a in found.list_artifacts(one.info.run_id)) == ["model", "recipe.toml"]
    assert (out / "mlartifacts" / one.info.run_id / "artifacts" / "model" / "config.json").exists()


def _stored(value: float) -> float:
    """MLflow keeps NaN; in SQL an infinity is the greatest number."""
    return math.copysign(BIGGEST, value) if math.isinf(value) else value


def test_a_run_is_there_once(home: Home, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    run = trained(home)
    lab = opened(home)
    export(lab, "mlflow", Request((RUN,), tmp_path), silent)
    with pytest.raises(UsageError, match=r"is in sqlite:.* already; --force"):
        export(lab, "mlflow", Request((RUN,), tmp_path), silent)
    [before] = client(tmp_path)[1]
    append(run, event("metrics", 300.0, 2, step=31, epoch=3.1, values={"train/loss": 0.5}))
    ingest(home.store, run)
    export(lab, "mlflow", Request((RUN,), tmp_path, force=True), silent)
    [after] = client(tmp_path)[1]
    assert after.info.run_id != before.info.run_id and after.data.metrics["train/loss"] == 0.5


def test_what_an_interrupted_export_left_is_replaced(home: Home, tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    trained(home)
    lab = opened(home)
    export(lab, "mlflow", Request((RUN,), tmp_path), silent)
    found, [half] = client(tmp_path)
    found.delete_tag(half.info.run_id, "vitui.exported")
    export(lab, "mlflow", Request((RUN,), tmp_path), silent)
    [whole] = client(tmp_path)[1]
    assert whole.info.run_id != half.info.run_id


def test_a_failure_leaves_nothing(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlflow")
    from vitui.exporting import mlflow as ours

    trained(home)
    out = tmp_path / "out"
    monkeypatch.setattr(ours, "_STATUS", {})
    with pytest.raises(KeyError):
        export(opened(home), "mlflow", Request((RUN,), out), silent)
    assert list(out.rglob("*")) == []
    full = tmp_path / "full"
    kept = [full / "mlflow.db.bak", full / "mlartifacts" / "mine"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_text("of somebody else")
    with pytest.raises(KeyError):
        export(opened(home), "mlflow", Request((RUN,), full), silent)
    assert all(path.exists() for path in kept) and not (full / "mlflow.db").exists()


def test_a_store_that_mlflow_refuses_is_a_sentence(home: Home) -> None:
    pytest.importorskip("mlflow")
    trained(home)
    with pytest.raises(VitError, match="MLflow at nosuch://store: "):
        export(opened(home), "mlflow", Request((RUN,), to="nosuch://store"), silent)
