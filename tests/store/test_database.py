"""lab.db: made, opened, locked, read without writing, moved aside when damaged."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.homes import ROOT, Home, append, as_stranger, integrity, metrics, python
from vitui.errors import Busy, NotFound, UsageError, VitError
from vitui.store import Store, database, runs, schema
from vitui.store.ingest import ingest


@pytest.fixture
def shared() -> Iterator[Home]:
    """A home that other users can reach (pytest's own folder is closed to them)."""
    place = Path(tempfile.mkdtemp(prefix="vitui-test-"))
    place.chmod(0o755)
    home = Home(place / "home")
    yield home
    home.store.close()
    for folder in (place, home.path):
        folder.chmod(0o755)
    shutil.rmtree(place)


def close_off(home: Home) -> None:
    """Nobody but root may write below the home."""
    home.store.close()
    for path in home.path.iterdir():
        path.chmod(0o555 if path.is_dir() else 0o444)
    home.path.chmod(0o555)


# -- opening -----------------------------------------------------------------------------------------------------


def test_a_new_database_is_wal_named_and_versioned_and_opening_again_changes_nothing(home: Home) -> None:
    db = home.store.reading()
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
    assert [row["name"] for row in db.execute("SELECT name FROM migrations")] == [n for n, _ in schema.MIGRATIONS]
    before = home.path.joinpath("lab.db").read_bytes()
    assert Store(home.path).open() == [] and home.messages == []
    assert home.path.joinpath("lab.db").read_bytes() == before


def test_reading_where_there_is_no_database_creates_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(NotFound, match="vitui rebuild"):
        store.reading()
    with pytest.raises(NotFound), store.writing():
        pass
    assert store.changes_token() == 0 and not store.exists
    assert list(tmp_path.iterdir()) == []


def test_a_column_of_states_takes_no_other_word(home: Home) -> None:
    home.add()
    with pytest.raises(sqlite3.IntegrityError), home.store.writing() as db:
        db.execute("UPDATE runs SET state = 'dozing'")


def test_reading_loads_neither_sqlite_utils_nor_numpy_nor_pydantic(home: Home) -> None:
    home.add()
    code = (
        "import sys; from pathlib import Path; from vitui.store import Store, runs\n"
        "from vitui.store import ingest, metrics, rebuild\n"
        "s = Store(Path(sys.argv[1])); s.open(); print(len(runs.list_runs(s.reading())))\n"
        "print([m for m in ('sqlite_utils', 'numpy', 'pydantic', 'torch') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code, str(home.path)], cwd=ROOT, capture_output=True, text=True)
    assert out.stdout.split("\n")[:2] == ["1", "[]"], out.stderr


def test_a_database_of_the_first_release_gets_its_new_columns_and_keeps_its_rows(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "lab.db", isolation_level=None)
    assert schema.migrate(connection, schema.MIGRATIONS[:1]) == ["1_first"]
    connection.execute(
        "INSERT INTO runs (id, name, preset, family, state, state_at, created, total_epochs, reference) "
        "VALUES ('a', 'old', '', '', 'finished', 1, 1, 30, 98.5)"
    )
    connection.close()
    (tmp_path / "runs").mkdir()
    store = Store(tmp_path)
    assert store.open() == []
    run = runs.get(store.reading(), "a")
    assert run is not None and (run.name, run.total_epochs, run.reference) == ("old", 30, 98.5)
    assert (run.reference_outcome, run.trainable_params) == ("", None)
    names = [row["name"] for row in store.reading().execute("SELECT name FROM migrations ORDER BY name")]
    assert names == ["1_first", "2_outcomes", "3_studies"]
    store.close()


def test_runs_of_an_earlier_release_get_the_fingerprints_of_their_recipes(tmp_path: Path) -> None:
    from engine.recipe import presets
    from engine.recipe.fingerprint import fingerprint

    flat = presets.load("c10-cct7-300").recipe.flat() | {"train.seed": 7}
    connection = sqlite3.connect(tmp_path / "lab.db", isolation_level=None)
    schema.migrate(connection, schema.MIGRATIONS[:2])
    for run in ("a", "b"):
        connection.execute(
            "INSERT INTO runs (id, name, preset, family, state, state_at, created, seed) "
            "VALUES (?, 'old', '', '', 'finished', 1, 1, 7)",
            (run,),
        )
    connection.executemany(
        "INSERT INTO run_config (run, key, value) VALUES ('a', ?, ?)",
        [(key, runs._plain(value)) for key, value in flat.items()],  # as `runs.insert` writes them
    )
    connection.close()
    (tmp_path / "runs").mkdir()
    store = Store(tmp_path)
    store.open()
    found = {run.id: run.recipe_fingerprint for run in runs.list_runs(store.reading())}
    assert found == {"a": fingerprint(flat), "b": ""}  # of the second no recipe is known
    assert [run.id for run in runs.with_recipes(store.reading(), [fingerprint(flat), ""])] == ["a"]
    store.close()


def test_a_failing_migration_leaves_the_old_schema_whole(home: Home) -> None:
    home.add()

    def second(db: object) -> None:
        db.create_table("planets", {"name": str})  # type: ignore[attr-defined]

    def third(db: object) -> None:
        db.create_table("moons", {"name": str})  # type: ignore[attr-defined]
        raise sqlite3.OperationalError("no")

    connection = sqlite3.connect(home.store.path, isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        schema.migrate(connection, [*schema.MIGRATIONS, ("2_second", second), ("3_third", third)])
    assert connection.execute("PRAGMA user_version").fetchone()[0] == schema.VERSION
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert not tables & {"planets", "moons"}
    assert schema.migrate(connection, [*schema.MIGRATIONS, ("2_second", second)]) == ["2_second"]
    assert schema.migrate(connection, [*schema.MIGRATIONS, ("2_second", second)]) == []
    connection.close()


def test_a_newer_database_is_read_and_never_written(home: Home) -> None:
    home.add()
    with home.store.writing() as db:
        db.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    store = Store(home.path)
    messages = store.open()
    assert store.read_only and "update vitui" in messages[0] and store.why_read_only == messages[0]
    assert [run.name for run in runs.list_runs(store.reading())] == ["first"]
    with pytest.raises(UsageError, match="newer vitui"), store.writing():
        pass
    with pytest.raises(UsageError, match="newer vitui"), home.store.writing():  # one that was open when it was upgraded
        pass
    store.close()


@pytest.mark.parametrize("damage", ["garbage", "header", "truncated", "zero page", "foreign"])
def test_what_is_no_sound_database_is_moved_aside_whole(home: Home, damage: str) -> None:
    for number in range(40):
        home.add(f"250101-120000-aa{number:02d}", notes="x" * 400)
    home.store.close()
    path = home.store.path
    whole = path.read_bytes()
    if damage == "garbage":
        path.write_bytes(b"not a database, surely\n" * 500)
    elif damage == "header":
        path.write_bytes(b"\0" * 16 + whole[16:])
    elif damage == "truncated":
        path.write_bytes(whole[: len(whole) // 2])
    elif damage == "zero page":
        path.write_bytes(whole[: 4096 * 6] + b"\0" * 4096 * 4 + whole[4096 * 10 :])
    else:
        path.unlink()
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE letters (text)")
        other.commit()
        other.close()
    wrong = path.read_bytes()
    store = Store(home.path)
    messages = store.open()
    assert store.moved_aside is not None and store.moved_aside.read_bytes() == wrong
    assert len(messages) == 1 and store.moved_aside.name in messages[0]
    assert runs.list_runs(store.reading()) == []
    assert integrity(path) == "ok"
    assert Store(home.path).open() == []
    store.close()


def test_the_companions_of_a_damaged_database_go_with_it(home: Home) -> None:
    home.add()
    code = (
        "import sys, os, sqlite3; db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute(\"UPDATE runs SET name = 'only in the wal'\"); os._exit(9)"
    )
    home.store.close()
    subprocess.run([sys.executable, "-c", code, str(home.store.path)], check=False)
    wal = Path(f"{home.store.path}-wal")
    assert wal.stat().st_size > 0
    home.store.path.write_bytes(b"\0" * 100)
    wal_bytes = wal.read_bytes()
    store = Store(home.path)
    store.open()
    assert store.moved_aside is not None
    assert Path(f"{store.moved_aside}-wal").read_bytes() == wal_bytes
    assert runs.list_runs(store.reading()) == []
    store.close()


def test_damage_met_while_working_is_a_sentence_that_names_the_remedy(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        home.add(f"250101-120000-aa{number:02d}", notes="x" * 900)
    home.store.close()
    whole = home.store.path.read_bytes()
    home.store.path.write_bytes(whole[: 4096 * 3] + b"\xff" * (len(whole) - 4096 * 3))
    with pytest.raises(VitError, match="vitui rebuild"), home.store.writing() as db:
        db.execute("UPDATE runs SET notes = 'y'")


# -- reading without the right to write --------------------------------------------------------------------------


def test_a_home_that_may_not_be_written_to_can_be_read(shared: Home) -> None:
    shared.add()
    close_off(shared)
    assert not Path(f"{shared.store.path}-shm").exists()

    def look() -> list[object]:
        store = Store(shared.path)
        messages = store.open()
        names = [run.name for run in runs.list_runs(store.reading())]
        try:
            with store.writing():
                return ["written"]
        except UsageError as error:
            return [messages, names, store.read_only, "not yours to write to" in str(error)]

    assert as_stranger(look) == [[], ["first"], True, True]
    assert sorted(path.name for path in shared.path.iterdir()) == ["lab.db", "lab.db.lock", "runs"]


def test_what_a_killed_writer_committed_is_read_without_the_right_to_write(shared: Home) -> None:
    shared.add()
    code = (
        "import sys, os; from pathlib import Path; from vitui.store import Store\n"
        "store = Store(Path(sys.argv[1]))\n"
        "with store.writing() as db:\n"
        "    db.execute(\"UPDATE runs SET name = 'second'\"); db.execute('COMMIT'); os._exit(9)"
    )
    assert python(code, str(shared.path)).wait() == 9
    assert Path(f"{shared.store.path}-wal").stat().st_size > 0
    close_off(shared)

    def look() -> list[str]:
        store = Store(shared.path)
        store.open()
        return [run.name for run in runs.list_runs(store.reading())]

    assert as_stranger(look) == ["second"]


def test_a_reader_without_rights_sees_what_the_owner_writes_later(shared: Home) -> None:
    shared.add()
    close_off(shared)
    ready, go = os.pipe(), os.pipe()

    def look() -> list[list[str]]:
        store = Store(shared.path)
        store.open()
        seen = [[run.name for run in runs.list_runs(store.reading())]]
        token = store.changes_token()
        os.write(ready[1], b"1")
        os.read(go[0], 1)
        seen.append([run.name for run in runs.list_runs(store.reading())])
        return [*seen, [str(store.changes_token() != token)]]

    def write() -> None:
        os.read(ready[0], 1)
        with shared.store.writing() as db:
            db.execute("UPDATE runs SET name = 'second'")
        os.write(go[1], b"1")

    if os.getuid() != 0:
        pytest.skip("only root can write where nobody else may")
    writer = threading.Thread(target=write)
    writer.start()
    assert as_stranger(look) == [["first"], ["second"], ["True"]]
    writer.join()


# -- one writer --------------------------------------------------------------------------------------------------


def test_writing_commits_at_the_end_and_not_at_all_when_the_body_raises(home: Home) -> None:
    home.add()
    with pytest.raises(ZeroDivisionError), home.store.writing() as db:
        db.execute("UPDATE runs SET name = 'half'")
        _ = 1 / 0
    assert home.rows("runs")[0][1] == "first"
    with home.store.writing() as db:
        db.execute("UPDATE runs SET name = 'whole'")
    assert home.rows("runs")[0][1] == "whole"


def test_writing_inside_writing_is_an_error_and_does_not_hang(home: Home) -> None:
    with home.store.writing(), pytest.raises(RuntimeError, match="already open"), home.store.writing():
        pass
    with home.store.writing() as db:
        db.execute("SELECT 1")


def test_a_writer_that_never_ends_gives_busy(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "LOCK_TIMEOUT_S", 0.05)
    holder = python(
        "import sys; from pathlib import Path; from vitui.store import Store\n"
        "with Store(Path(sys.argv[1])).writing():\n    print('in', flush=True); sys.stdin.read()",
        str(home.path),
    )
    assert holder.stdout is not None and holder.stdout.readline() == "in\n"
    with pytest.raises(Busy, match="another vitui"), home.store.writing():
        pass
    holder.kill()
    holder.communicate()
    with home.store.writing() as db:  # the lock died with its holder
        db.execute("SELECT 1")


def test_two_writers_and_eight_readers_at_once_lose_nothing(home: Home) -> None:
    run = home.add()
    other = home.add("250101-120000-bbbb")
    rounds = 60
    code = (
        "import sys; from pathlib import Path; from vitui.store import Store\n"
        "from vitui.store.ingest import ingest; from engine.journal import RunDir\n"
        "from tests.store.homes import append, metrics\n"
        "store = Store(Path(sys.argv[1])); run = RunDir(Path(sys.argv[1]) / 'runs' / sys.argv[2])\n"
        f"for step in range(1, {rounds} + 1):\n"
        "    append(run, metrics(step, train__loss=float(step))); assert ingest(store, run).points == 1\n"
    )
    writers = [python(code, str(home.path), one.id) for one in (run, other)]
    failures: list[BaseException] = []
    done = threading.Event()

    def watch() -> None:
        try:
            seen = 0
            while not done.is_set():
                store = home.store
                now = store.reading().execute("SELECT count(*) FROM points").fetchone()[0]
                assert now >= seen
                seen = now
                assert len(runs.list_runs(store.reading())) == 2
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=watch) for _ in range(8)]
    for reader in readers:
        reader.start()
    errors = [writer.communicate()[1] for writer in writers]
    done.set()
    for reader in readers:
        reader.join()
    assert failures == [] and errors == ["", ""]
    assert home.points(run.id, "train/loss") == [(s, float(s)) for s in range(1, rounds + 1)]
    assert integrity(home.store.path) == "ok"


def test_many_processes_may_open_a_new_home_at_once(tmp_path: Path) -> None:
    code = "import sys; from pathlib import Path; from vitui.store import Store; print(Store(Path(sys.argv[1])).open())"
    started = [python(code, str(tmp_path)) for _ in range(6)]
    assert [process.communicate() for process in started] == [("[]\n", "")] * 6
    assert integrity(tmp_path / "lab.db") == "ok"


# -- noticing changes --------------------------------------------------------------------------------------------


def test_the_token_changes_with_every_change_and_only_then(home: Home) -> None:
    run = home.add()
    first = home.store.changes_token()
    assert home.store.changes_token() == first
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(home.store.changes_token()))
    thread.start()
    thread.join()
    assert elsewhere == [first]
    append(run, metrics(1, train__loss=1.0))
    ingest(home.store, run)
    assert home.store.changes_token() != first


def test_a_cached_reader_notices_that_the_file_was_replaced(home: Home) -> None:
    home.add()
    assert len(runs.list_runs(home.store.reading())) == 1
    token = home.store.changes_token()
    home.store.path.write_bytes(b"nonsense")
    Store(home.path).open()
    assert runs.list_runs(home.store.reading()) == []
    assert home.store.changes_token() != token
