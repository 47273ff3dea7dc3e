"""Runs in the tracking store of MLflow: a local SQLite file, or whatever --to names."""

from __future__ import annotations

import json
import logging
import os
import posixpath
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from vitui.errors import UsageError, VitError
from vitui.exporting.request import PROJECT, Request
from vitui.exporting.series import blocks, closing, names, wanted

if TYPE_CHECKING:
    from vitui.comparing import RunFacts
    from vitui.lab import Lab
    from vitui.store import Run

DATABASE, ARTIFACTS = "mlflow.db", "mlartifacts"
_DATABASE_FILES: Final = tuple(DATABASE + end for end in ("", "-journal", "-wal", "-shm"))
RUN_TAG, DONE_TAG = "vitui.run", "vitui.exported"
"""Whose run it is; the second is set last, so a run without it is what an interrupted export left behind."""
METRICS, PARAMS = 1000, 100
"""At most so many in one call; see MLflow's `log_batch`."""
KEY_LIMIT: Final = 250
_STATUS: Final = {
    "finished": "FINISHED", "stopped": "KILLED", "diverged": "FAILED", "failed": "FAILED", "lost": "FAILED",
    "queued": "SCHEDULED", "starting": "SCHEDULED", "running": "RUNNING",
}  # fmt: skip
_FORBIDDEN: Final = re.compile(r"[^/\w.\- :]")


def write(lab: Lab, request: Request, tell: Callable[[str], None]) -> list[str]:
    """Write each run with parameters, metrics, tags and artifacts; returns store and MLflow's run id of each.

    Nothing but the server of `to` is contacted, and without one nothing. Where it fails, what it began is deleted.
    """
    from vitui.comparing import FactsReader

    metric_names = {run: _renamed(names(lab, run), request.keys, tell) for run in request.runs}
    with _store(request) as (client, experiment, where):
        before = {run: _there(client, experiment, run) for run in request.runs}
        taken = [run for run, ids in before.items() if any(ids.values())]
        if taken and not request.force:
            raise UsageError(f"run {taken[0]} is in {where} already; --force replaces it")
        made: list[str] = []
        try:
            for run in request.runs:
                facts = FactsReader(lab, run).read()
                made.append(_begun(client, experiment, facts.run))
                _write_run(client, made[-1], lab, facts, request, metric_names[run], tell)
        except BaseException:
            for mine in made:
                client.delete_run(mine)
            raise
        for old in (old for ids in before.values() for old in ids):
            client.delete_run(old)
    return [f"{where} {mine}" for mine in made]


@contextmanager
def _store(request: Request) -> Iterator[tuple[Any, str, str]]:
    """The client, the id of the experiment, and the name of the store. What MLflow refuses becomes a VitError."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # else it reports to its makers
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # its own seven take minutes to say "no such host"
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient
    from sqlalchemy.exc import SQLAlchemyError

    for name in ("alembic", "mlflow"):  # each step of making a database is a line of theirs
        logging.getLogger(name).setLevel(logging.ERROR)
    folder = request.folder.absolute()
    fresh = [folder / name for name in (*_DATABASE_FILES, ARTIFACTS) if not request.to and not (folder / name).exists()]
    where = _shown(request.to) if request.to else f"sqlite:///{folder / DATABASE}"
    if not request.to:
        _make(folder)
    try:
        client = MlflowClient(tracking_uri=request.to or where)
        yield client, _experiment(client, request, folder), where
    except (MlflowException, SQLAlchemyError) as error:
        _forget(fresh)
        said = " ".join(str(error).split()).replace(request.to or where, where)
        raise VitError(f"MLflow at {where}: {said[:300]}") from None
    except BaseException:
        _forget(fresh)
        raise


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder} cannot be made a folder ({error.strerror}); choose another with --out") from None


def _forget(fresh: Sequence[Path]) -> None:
    """Remove what was not there before an export that then failed."""
    for path in fresh:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _shown(uri: str) -> str:
    """A tracking URI without the password in it."""
    parts = urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.netloc else uri


def _experiment(client: Any, request: Request, folder: Path) -> str:
    name = request.project or PROJECT
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    return str(client.create_experiment(name, None if request.to else (folder / ARTIFACTS).as_uri()))


def _there(client: Any, experiment: str, run: str) -> dict[str, bool]:
    """MLflow's runs of this run, each with whether its export was finished."""
    found = client.search_runs([experiment], filter_string=f"tags.`{RUN_TAG}` = '{run}'")
    return {one.info.run_id: DONE_TAG in one.data.tags for one in found}


# -- one run -------------------------------------------------------------------------------------------------------


def _begun(client: Any, experiment: str, run: Run) -> str:
    """MLflow's id of a new run."""
    begun = _milliseconds(run.started or run.created)
    return str(client.create_run(experiment, begun, {RUN_TAG: run.id}, run.name).info.run_id)


def _write_run(
    client: Any,
    mine: str,
    lab: Lab,
    facts: RunFacts,
    request: Request,
    called: Mapping[str, str],
    tell: Callable[[str], None],
) -> None:
    from mlflow.entities import Param, RunTag

    run = facts.run
    params = [Param(_name(key), _text(value)) for key, value in facts.config.items()]
    for part in _batched(params, PARAMS):
        client.log_batch(mine, params=part, synchronous=True)
    client.log_batch(mine, tags=[RunTag(key, value) for key, value in _tags(facts).items()], synchronous=True)
    for number, metrics in enumerate(_metrics(lab, run.id, request.keys, called), 1):
        client.log_batch(mine, metrics=metrics, synchronous=True)
        if number % 100 == 0:
            tell(f"{run.id}: {number * METRICS:,} points are in MLflow")
    folder = lab.run_dir(run.id)
    if folder.model.is_dir():
        client.log_artifacts(mine, str(folder.model), "model")
    for path in (folder.recipe, folder.resolved):
        if path.is_file():
            client.log_artifact(mine, str(path))
    status = _STATUS[run.state]
    if status in ("FINISHED", "KILLED", "FAILED"):
        client.set_terminated(mine, status, _milliseconds(run.ended or run.last_event_at or run.state_at))
    elif status != "RUNNING":
        client.update_run(mine, status)
    client.set_tag(mine, DONE_TAG, "true")


def _tags(facts: RunFacts) -> dict[str, str]:
    run, git = facts.run, facts.provenance.get("git")
    commit = git if isinstance(git, Mapping) else {}
    told = {
        "vitui.state": run.state, "vitui.evidence": run.evidence, "vitui.preset": run.preset,
        "vitui.tags": ", ".join(run.tags), "vitui.question": run.question, "vitui.device": run.placed,
        "vitui.host": run.host, "mlflow.note.content": run.notes, "mlflow.user": facts.provenance.get("user"),
        "mlflow.source.git.commit": commit.get("commit"), "mlflow.source.git.branch": commit.get("branch"),
    }  # fmt: skip
    return {key: str(value) for key, value in told.items() if value}


def _metrics(lab: Lab, run: str, keys: Sequence[str], called: Mapping[str, str]) -> Iterator[list[Any]]:
    """Every point as MLflow's metrics, METRICS at a time, series after series."""
    from mlflow.entities import Metric

    for block in blocks(lab, run, keys):
        points = list(zip(block.values.tolist(), block.at.tolist(), block.steps.tolist(), strict=True))
        for part in _batched(points, METRICS):
            yield [Metric(called[block.key], value, _milliseconds(at), step) for value, at, step in part]
    ends = [
        Metric(called[one.key], one.value, _milliseconds(one.at), one.step) for one in closing(lab.evals(run), keys)
    ]
    yield from _batched(ends, METRICS)


def _batched(items: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _milliseconds(at: float) -> int:
    return round(min(max(0.0, at * 1000), 2.0**62))  # a damaged journal may say anything


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _renamed(series: Sequence[str], keys: Sequence[str], tell: Callable[[str], None]) -> dict[str, str]:
    """What each series is called in MLflow, which does not take every name. Raises UsageError where two become one."""
    called = {key: _name(key) for key in series if wanted(key, keys)}
    for key, name in called.items():
        if twin := next((other for other, taken in called.items() if taken == name and other != key), None):
            raise UsageError(
                f"series {key} and {twin} would both be {name} in MLflow; leave one of them out with --keys"
            )
        if name != key:
            tell(f"series {key} is called {name} in MLflow")
    return called


def _name(key: str) -> str:
    """A name that MLflow takes: letters, digits and ``/ _ - . :`` and spaces, and a path without detours."""
    name = _FORBIDDEN.sub("_", key)[:KEY_LIMIT] or "_"
    plain = posixpath.normpath(name) == name and not name.startswith(("/", "..")) and name != "."
    return name if plain else re.sub(r"[/.]", "_", name)
