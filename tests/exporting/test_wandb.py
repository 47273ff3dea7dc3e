"""Offline runs of W&B: the transaction log that `wandb sync` sends has everything. Only where wandb is installed."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.making import OTHER, RUN, opened, same, trained
from tests.exporting.test_tables import HOSTILE, silent
from tests.store.homes import Home
from vitui.errors import VitError
from vitui.exporting import Request, export
from vitui.exporting.series import rows

pytest.importorskip("wandb")
BLOCK, HEADER = 32768, 7


def records(path: Path) -> Iterator[Any]:
    """W&B's log: blocks of 32 KiB with records (CRC, length, kind) that may be split, as in LevelDB."""
    from wandb.proto.wandb_internal_pb2 import Record

    raw, at, whole = path.read_bytes(), HEADER, b""
    assert raw[:4] == b":W&B"
    while at < len(raw):
        if BLOCK - at % BLOCK < HEADER:
            at += BLOCK - at % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", raw[at : at + HEADER])
        whole += raw[at + HEADER : at + HEADER + length]
        at += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield Record.FromString(whole)
            whole = b""


def items(found: Any) -> dict[str, Any]:
    return {".".join(one.nested_key) or one.key: json.loads(one.value_json) for one in found}


def test_everything_is_in_the_log(home: Home, tmp_path: Path) -> None:
    trained(home, name=HOSTILE, tags=["paper", "x" * 100], notes="two\nlines")
    lab = opened(home)
    [place] = export(lab, "wandb", Request((RUN,), tmp_path, project="mine"), silent)
    folder = Path(place)
    assert folder.parent == tmp_path / "wandb" and folder.name.startswith("offline-run-20231114_")
    assert not any(path.is_symlink() for path in tmp_path.rglob("*")), "links of the export would lead nowhere"
    found = list(records(folder / f"run-{RUN}.wandb"))
    [run] = [r.run for r in found if r.HasField("run")]
    assert (run.run_id, run.project, run.notes) == (RUN, "mine", "two\nlines")
    assert len(run.display_name) <= 128 and run.display_name.startswith("x/../\\x1b[31m")
    assert run.tags[0] == "paper" and len(run.tags[1]) == 64
    config = items(run.config.update)
    assert config["train"]["epochs"] == 3 and config["vitui"]["id"] == RUN and config["vitui"]["commit"] == "c" * 40
    assert "secret patch" not in str(run)
    history = [(r.history.step.num, items(r.history.item)) for r in found if r.HasField("history")]
    known = list(rows(lab, RUN, ()))
    assert [step for step, _ in history] == [step for step, _, _ in known] == list(range(1, 31))
    for (_, told), (step, at, values) in zip(history, known, strict=True):
        assert told.pop("_timestamp") == at and told.pop("_step") == step
        told.pop("_runtime")
        assert told.keys() == values.keys()
        assert same([float(told[key]) for key in values], list(values.values()))
    summary: dict[str, Any] = {}
    for one in (r.summary for r in found if r.HasField("summary")):
        summary |= items(one.update)
    assert summary["state"] == "finished" and summary["best"] == 60.0 and summary["report_best"] == 59.5
    assert summary["report-best/test/top1"] == 59.5 and summary["minival/top1"]["max"] == 60.0
    assert [r.exit.exit_code for r in found if r.HasField("exit")] == [0]


def test_several_runs_and_how_they_ended(home: Home, tmp_path: Path) -> None:
    trained(home)
    trained(home, OTHER, state="diverged")
    lab = opened(home)
    places = export(lab, "wandb", Request((RUN, OTHER), tmp_path, ("train/loss",)), silent)
    codes = [r.exit.exit_code for place in places for path in Path(place).glob("*.wandb") for r in records(path)
             if r.HasField("exit")]  # fmt: skip
    assert codes == [0, 1]
    with pytest.raises(VitError, match="is there already; --force"):
        export(lab, "wandb", Request((OTHER,), tmp_path), silent)
    assert export(lab, "wandb", Request((OTHER,), tmp_path, force=True), silent) == places[1:]
    assert sorted(path.name for path in (tmp_path / "wandb").iterdir()) == sorted(Path(p).name for p in places)


def test_what_wandb_refuses_is_a_sentence(home: Home, tmp_path: Path) -> None:
    trained(home)
    with pytest.raises(VitError, match="W&B: Invalid project name"):
        export(opened(home), "wandb", Request((RUN,), tmp_path, project="a/b"), silent)
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
