"""Runs as TensorBoard event files: a folder for each run, as `tensorboard --logdir` takes them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vitui import display
from vitui.exporting.markup import table
from vitui.exporting.places import staged
from vitui.exporting.request import Request
from vitui.exporting.series import blocks, closing

if TYPE_CHECKING:
    from vitui.comparing import RunFacts
    from vitui.lab import Lab

VERSION: Final = "brain.Event:2"
_STATUS: Final = {
    "finished": "STATUS_SUCCESS", "diverged": "STATUS_FAILURE", "failed": "STATUS_FAILURE", "lost": "STATUS_FAILURE",
    "running": "STATUS_RUNNING", "starting": "STATUS_RUNNING",
}  # fmt: skip
"""What the HParams table shows of a run's state; a stopped or waiting one is "unknown" there."""


def write(lab: Lab, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write OUT/RUN-ID/events.out.tfevents.… and return the folders.

    Scalars are 32-bit floats, which is all that TensorBoard has. Its records are made here from its own message types
    and its own writer: neither TensorFlow nor torch is loaded.
    """
    from vitui.comparing import FactsReader

    folder = request.folder
    with staged(folder, request.runs, force=request.force) as inside:
        for run in request.runs:
            facts = FactsReader(lab, run).read()
            (inside / run).mkdir()
            name = f"events.out.tfevents.{max(0, int(facts.run.created))}.{run}"
            _write_run(lab, facts, request, inside / run / name)
    return [str(folder / run) for run in request.runs]


def _write_run(lab: Lab, facts: RunFacts, request: Request, path: Path) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    with open(path, "wb") as file:
        records = RecordWriter(file)

        def event(at: float, step: int, value: Any) -> None:
            records.write(Event(wall_time=at, step=step, summary=Summary(value=[value])).SerializeToString())

        begun = facts.run.started or facts.run.created
        records.write(Event(wall_time=begun, file_version=VERSION).SerializeToString())
        for value in _described(facts):
            event(begun, 0, value)
        run = facts.run.id
        for block in blocks(lab, run, request.keys):
            points = zip(block.at.tolist(), block.steps.tolist(), block.values.tolist(), strict=True)
            for at, step, number in points:
                event(at, step, Summary.Value(tag=block.key, simple_value=number))
        for one in closing(lab.evals(run), request.keys):
            event(one.at, one.step, Summary.Value(tag=one.key, simple_value=one.value))


def _described(facts: RunFacts) -> Iterator[Any]:
    """What the Text and HParams pages show: what the run is, its recipe, how it ended."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    def hparams(tag: str, **content: Any) -> Any:
        described = metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(**content))
        return Summary.Value(tag=tag, metadata=described, tensor=metadata.NULL_TENSOR)

    run = facts.run
    yield _text("run", table(("", ""), _identity(facts)))
    yield _text("recipe", table(("field", "value"), [(key, display.value(v)) for key, v in facts.config.items()]))
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=run.started or run.created)
    for key, value in {"name": run.name, "preset": run.preset, **facts.config}.items():
        if isinstance(value, bool):
            start.hparams[key].bool_value = value
        elif isinstance(value, int | float):
            start.hparams[key].number_value = value
        else:
            start.hparams[key].string_value = value if isinstance(value, str) else json.dumps(value, default=str)
    yield hparams(metadata.SESSION_START_INFO_TAG, session_start_info=start)
    status = api_pb2.Status.Value(_STATUS.get(run.state, "STATUS_UNKNOWN"))
    end = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=run.ended or run.last_event_at or run.created)
    yield hparams(metadata.SESSION_END_INFO_TAG, session_end_info=end)


def _identity(facts: RunFacts) -> list[tuple[str, str]]:
    run, git = facts.run, facts.provenance.get("git")
    told = [
        ("run", run.id), ("name", run.name), ("preset", run.preset), ("state", run.state),
        ("how it ended", run.evidence), ("device", run.placed), ("tags", ", ".join(run.tags)),
        ("question", run.question), ("notes", run.notes),
        ("commit", str(git.get("commit") or "") if isinstance(git, Mapping) else ""),
    ]  # fmt: skip
    return [(label, text) for label, text in told if text]


def _text(tag: str, markdown: str) -> Any:
    """A value of the Text page, as its plugin stores them."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
    from tensorboard.compat.proto.types_pb2 import DT_STRING
    from tensorboard.plugins.text import metadata

    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
    tensor = TensorProto(dtype=DT_STRING, string_val=[markdown.encode()], tensor_shape=shape)
    return Summary.Value(
        tag=f"{tag}/text_summary", metadata=metadata.create_summary_metadata(None, None), tensor=tensor
    )
