"""`vitui export` as it is typed: where things go, what is refused before anything is written."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Home
from tests.store.homes import append, data, evaluation, metrics, started
from vitui.exporting import FORMATS
from vitui.store import Store
from vitui.store.ingest import ingest

RUN, OTHER = "250101-120000-aaaa", "250102-120000-bbbb"
EXTRAS = {"parquet": "pyarrow", "tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}


@pytest.fixture
def runs(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Two runs; commands write into a folder of their own."""
    store = Store(home.path)
    for run_id, name in ((RUN, "a/../\x1b[31mb"), (OTHER, "second")):
        run = home.add(run_id, name=name)
        append(run, started(), data(), metrics(5, 110.0, train__loss=[5.0, 4.0, 3.0, 2.0, 1.0]), evaluation(5, 40.0))
        ingest(store, run)
    store.close()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return home


def files(folder: Path = Path()) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_tables_go_to_a_folder(runs: Home) -> None:
    answer = runs("export", RUN, OTHER, "--format", "csv")
    assert answer.out.split() == [f"vitui-export/{name}.csv" for name in ("points", "evals", "runs")]
    assert files() == sorted(answer.out.split())
    assert runs("export", "250101", "-f", "parquet", "-o", "x/y").out.split()[0] == "x/y/points.parquet"


def test_one_table_goes_to_stdout(runs: Home) -> None:
    answer = runs(
        "export", RUN, "-f", "csv", "--table", "points", "--keys", "train/loss, minival/none , test/*", code=2
    )
    assert "no run has a series minival/none; there are: test/loss" in answer.err and answer.out == ""
    rows = list(
        csv.DictReader(io.StringIO(runs("export", RUN, "-f", "csv", "--table", "points", "--keys", "train/*").out))
    )
    assert [(row["step"], row["value"]) for row in rows] == [(str(n), f"{6 - n}.0") for n in range(1, 6)]
    assert "\x1b" not in runs("export", "@", RUN, "-f", "csv", "--table", "runs").out
    assert files() == []


def test_an_export_is_not_written_over(runs: Home) -> None:
    runs("export", RUN, "-f", "tensorboard", "-o", "out")
    before = files()
    assert len(before) == 1 and before[0].startswith(f"out/{RUN}/events.out.tfevents.")
    answer = runs("export", OTHER, RUN, "-f", "tensorboard", "-o", "out", code=2)
    assert answer.err == f"vitui: out/{RUN} is there already; --force replaces it, --out writes elsewhere\n"
    assert files() == before, "nothing of the other run either"
    runs("export", OTHER, RUN, "-f", "tensorboard", "-o", "out", "--force")
    assert [name.split("/")[1] for name in files()] == [RUN, OTHER]


@pytest.mark.parametrize("form", EXTRAS)
def test_a_missing_library_is_named_with_the_command_that_gets_it(
    runs: Home, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setitem(sys.modules, EXTRAS[form], None)  # as Python has it where an import is known to fail
    answer = runs("export", RUN, "-f", form, code=2)
    assert answer.err == (
        f"vitui: --format {form} needs {EXTRAS[form]}, which is not installed: pip install 'vitui[{form}]'\n"
    )
    assert answer.out == "" and files() == []


def test_a_folder_of_that_name_is_no_library(runs: Home, environment: dict[str, str], tmp_path: Path) -> None:
    """W&B's own folder is called wandb, and `python -m` looks for modules where it is started."""
    (tmp_path / "here" / "wandb").mkdir()
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from vitui.cli import main; main()"
    blocked = "import importlib.machinery as m; f = m.PathFinder.find_spec\n" + (
        "def find(name, path=None, target=None):\n    s = f(name, path, target)\n"
        "    return None if name == 'wandb' and s is not None and s.origin else s\n"
        "m.PathFinder.find_spec = staticmethod(find)\n"
    )  # an installed wandb would be found beside the folder
    done = subprocess.run(
        [sys.executable, "-c", blocked + script, "export", RUN, "-f", "wandb"], capture_output=True, text=True,
        env=environment, cwd=tmp_path / "here",
    )  # fmt: skip
    assert done.returncode == 2 and "needs wandb, which is not installed" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-f", "xml"), "unknown format xml; known: csv, parquet, tensorboard, wandb, mlflow, card"),
        (("-f", "csv", "--table", "point"), "unknown table point; known: points, evals, runs"),
        (("-f", "card", "--table", "runs"), "--table means nothing to --format card; it is for csv, parquet"),
        (("-f", "csv", "--to", "http://x"), "--to means nothing to --format csv; it is for mlflow"),
        (("-f", "card", "--keys", "train/loss"), "--keys means nothing to --format card"),
        (("-f", "csv", "--project", "x"), "--project means nothing to --format csv; it is for wandb, mlflow"),
        (("-f", "mlflow", "--to", "x", "-o", "y"), "--to and --out exclude one another"),
        (("-f", "csv", "--keys", " ,"), "--keys is empty"),
        (("-f", "csv", "-o", ""), "--out is empty"),
        (("-f", "csv", "-o", "/dev/null/x"), "/dev/null/x cannot be made a folder (Not a directory)"),
    ],
)
def test_what_means_nothing_is_refused(runs: Home, words: tuple[str, ...], sentence: str) -> None:
    answer = runs("export", RUN, *words, code=2)
    assert answer.err.startswith(f"vitui: {sentence}") and answer.err.count("\n") == 1 and answer.out == ""
    assert files() == []


def test_a_run_that_is_not_there(runs: Home) -> None:
    assert "no run id starts with '9'" in runs("export", RUN, "9", "-f", "csv", code=3).err
    assert files() == []


def test_a_card_needs_a_model(runs: Home) -> None:
    answer = runs("export", RUN, "-f", "card", code=4)
    assert answer.err == (
        f"vitui: run {RUN} is stopped and has no model/ to describe: it is written when a run finishes\n"
    )


def test_shell_completion_and_help_know_every_format(runs: Home) -> None:
    told = " ".join(runs("export", "--help").out.split())
    assert all(name in told for name in FORMATS)
