"""TensorBoard reads back what was exported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import SCALARS, TENSORS, EventAccumulator
from tensorboard.plugins.hparams import metadata, plugin_data_pb2

from tests.exporting.making import OTHER, RUN, closing, opened, settle, trained
from tests.exporting.test_tables import HOSTILE, points, silent
from tests.store.homes import Home, append, data, event, metrics, started
from vitui.exporting import Request, export
from vitui.lab import Lab


def read(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder), size_guidance={SCALARS: 0, TENSORS: 0})
    found.Reload()
    return found


def scalars(found: EventAccumulator) -> list[tuple[str, int, Any, float]]:
    return [(tag, e.step, e.value, e.wall_time) for tag in sorted(found.Tags()["scalars"]) for e in found.Scalars(tag)]


def hparams(found: EventAccumulator, tag: str) -> plugin_data_pb2.HParamsPluginData:
    content = found.SummaryMetadata(tag).plugin_data
    assert content.plugin_name == "hparams"
    return plugin_data_pb2.HParamsPluginData.FromString(content.content)


def test_every_point_comes_back(home: Home, tmp_path: Path) -> None:
    """With its step and its time; NaN and the infinities as such; closing evaluations under names of their own."""
    trained(home)
    lab = opened(home)
    assert export(lab, "tensorboard", Request((RUN,), tmp_path), silent) == [str(tmp_path / RUN)]
    known = [(key, step, value, at) for _, key, step, value, at in points(lab, [RUN])]
    known += [(f"{e.role}/{e.split}/{m}", e.step, v, e.at)
              for e in lab.evals(RUN) if e.role != "select" for m, v in e.values.items()]  # fmt: skip
    found = scalars(read(tmp_path / RUN))
    assert [(tag, step, at) for tag, step, _, at in found] == [(k, s, at) for k, s, _, at in sorted(known, key=_tag)]
    ours = np.array([value for _, _, value, _ in sorted(known, key=_tag)], dtype=np.float32)
    assert np.array_equal(np.array([value for _, _, value, _ in found], dtype=np.float32), ours, equal_nan=True)
    assert np.isnan(ours).sum() == 1 and np.isinf(ours).sum() == 2
    assert {tag for tag, *_ in found} >= {"report-best/test/top1", "report-last/test/top1", "minival/top1"}


def _tag(point: tuple[str, int, float, float]) -> str:
    return point[0]


def test_several_runs_and_what_they_are(home: Home, tmp_path: Path) -> None:
    trained(home, name=HOSTILE)
    trained(home, OTHER, state="diverged")
    export(opened(home), "tensorboard", Request((RUN, OTHER), tmp_path), silent)
    assert sorted(path.name for path in tmp_path.iterdir()) == [RUN, OTHER, "home"], "paths are made of ids, not names"
    one, other = read(tmp_path / RUN), read(tmp_path / OTHER)
    start = hparams(one, metadata.SESSION_START_INFO_TAG).session_start_info
    assert start.start_time_secs == 100.0
    told = dict(start.hparams.items())
    assert told["train.epochs"].number_value == 3 and told["train.deterministic"].bool_value is True
    assert told["data.dataset"].string_value == "digits" and told["optim.betas"].string_value == "[0.9, 0.99]"
    ends = [hparams(found, metadata.SESSION_END_INFO_TAG).session_end_info for found in (one, other)]
    assert [end.status for end in ends] == [1, 2] and ends[0].end_time_secs == 240.0, "SUCCESS and FAILURE"
    text = one.Tensors("run/text_summary")[0].tensor_proto.string_val[0].decode()
    assert (
        "\x1b" not in text
        and "| run | 250101-120000-aaaa |" in text
        and "| field | value |" in str(one.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0])
    )


def test_a_live_run_and_one_without_evaluations(home: Home, tmp_path: Path) -> None:
    run = home.add()
    append(run, started(), data(), metrics(3, 110.0, train__loss=[3.0, 2.0, 1.0]))
    settle(home, run, "running")
    lab = opened(home)
    export(lab, "tensorboard", Request((RUN,), tmp_path), silent)
    found = read(tmp_path / RUN)
    assert [(s, v) for _, s, v, _ in scalars(found)] == [(1, 3.0), (2, 2.0), (3, 1.0)]
    assert hparams(found, metadata.SESSION_END_INFO_TAG).session_end_info.status == 3, "RUNNING"
    closing(run)
    settle(home, run, "finished")
    export(lab, "tensorboard", Request((RUN,), tmp_path, force=True), silent)
    assert len(list((tmp_path / RUN).iterdir())) == 1
    assert "report-best/test/top1" in read(tmp_path / RUN).Tags()["scalars"]


def test_chosen_keys(home: Home, tmp_path: Path) -> None:
    trained(home)
    export(opened(home), "tensorboard", Request((RUN,), tmp_path, ("train/lr", "report-best/*/top1")), silent)
    assert {tag for tag, *_ in scalars(read(tmp_path / RUN))} == {"train/lr", "report-best/test/top1"}


def test_a_number_beyond_32_bits_is_an_infinity_there(home: Home, tmp_path: Path) -> None:
    run = home.add()
    append(
        run, started(), metrics(1, 110.0, big=1e300), event("metrics", 111.0, step=2, epoch=0.0, values={"big": -1e300})
    )
    settle(home, run, "stopped")
    export(opened(home), "tensorboard", Request((RUN,), tmp_path), silent)
    assert [v for _, _, v, _ in scalars(read(tmp_path / RUN))] == [np.inf, -np.inf]


def test_exporting_loads_no_other_framework(home: Home, tmp_path: Path) -> None:
    trained(home)
    script = (
        "import sys; from pathlib import Path; from vitui.lab import Lab; from vitui.exporting import Request, export\n"
        f"export(Lab.open(Path({str(home.path)!r}), adopt=False), 'tensorboard', Request(({RUN!r},), Path({str(tmp_path)!r})), print)\n"
        "print(*sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines())
    assert "tensorboard.compat.proto.event_pb2" in loaded and not loaded & {"torch", "tensorflow", "grpc"}


def test_the_lab_is_left_usable(home: Home, tmp_path: Path) -> None:
    """The moment that was held is let go, also when the export fails."""
    trained(home)
    lab: Lab = opened(home)
    (tmp_path / RUN).mkdir()
    with pytest.raises(Exception, match="is there already"):
        export(lab, "tensorboard", Request((RUN,), tmp_path), silent)
    assert not lab.store.reading().in_transaction
    export(lab, "tensorboard", Request((RUN,), tmp_path, force=True), silent)
    assert not lab.store.reading().in_transaction
