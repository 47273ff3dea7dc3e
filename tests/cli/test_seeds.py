"""``vitui run --seeds``: a run for each, all or none."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Home

pytestmark = pytest.mark.usefixtures("idle")


def test_a_run_for_each_seed_and_a_line_for_each_run(home: Home) -> None:
    ids = home("run", "demo-digits", "--seeds", "4,2", "--device", "cpu", "-t", "mixup").out.split()
    rows = [home.row(run_id) for run_id in ids]
    assert [(row["seed"], row["name"]) for row in rows] == [(4, "demo-digits seed 4"), (2, "demo-digits seed 2")]
    assert len(home("run", "demo-digits", "--seeds", "3", "--json").json["runs"]) == 3
    assert len(home("runs", "--json").json) == 5


def test_where_one_is_refused_none_is_queued(home: Home) -> None:
    assert "0 is there twice" in home("run", "demo-digits", "--seeds", "0,0", code=2).err
    assert "cifar10" in home("run", "demo-cifar10", "--seeds", "0,1", code=2).err
    assert "--follow is about one" in home("run", "demo-digits", "--seeds", "2", "-f", code=2).err
    assert home("runs", "--json").json == []
