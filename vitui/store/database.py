"""Opening lab.db: one writer at a time, any number of readers, and what to do with a file that is not right.

SQLite before 3.51.3 can corrupt a WAL database that two connections write or checkpoint at the same time. Every
read-write connection here therefore lives from open to close inside a flock on ``lab.db.lock``; everybody else opens
``mode=ro``, which can neither write nor checkpoint. Nothing in this module open()s the database file other than
through SQLite: closing such a descriptor would drop SQLite's own POSIX locks of the whole process.

Reading a home that cannot be written to: a WAL database needs its ``-shm`` file. If that exists (a writer is there,
or one was killed), mode=ro works. If it does not and the folder is not ours to write, nobody has the database open,
the file alone is complete, and it is opened ``immutable=1``; such a connection takes no locks, so before every use
the file's stamp is compared and the connection made anew when somebody has written.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from vitui.errors import Busy, NotFound, UsageError, VitError
from vitui.store import schema

LOCK_TIMEOUT_S = 60.0
BUSY_TIMEOUT_S = 10.0
WAL_BYTES = 32 << 20
"""What the -wal file is cut back to after a transaction that made it longer (a rebuild)."""
WHOLE_CHECK_BYTES = 4 << 20
"""Up to this size every `open` checks the whole file (a few ms); above it, the table of runs, unless told otherwise."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_ENVIRONMENT = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_BUSY,
}  # fmt: skip


@dataclass(frozen=True)
class _Found:
    """What `open` saw. `version` counts migrations; `damage` says what is wrong with the file, if anything."""

    version: int
    damage: str = ""


@dataclass
class _Reader:
    """A cached read connection and what it was opened on."""

    connection: sqlite3.Connection
    immutable: bool
    stamp: tuple[int, ...]
    pid: int

    def __del__(self) -> None:
        self.connection.close()


class Store:
    """The database of one home. Creating the object touches nothing; `open` makes the file fit for use."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / "lab.db"
        self.read_only = False
        """Writing is refused, because of `why_read_only`."""
        self.why_read_only = ""
        self.moved_aside: Path | None = None
        """Where `open` put a damaged database. The new one is empty: rebuild it."""
        self._local = threading.local()
        self._watch_lock = threading.Lock()
        self._watch: _Reader | None = None
        self._watch_generation = 0

    @property
    def exists(self) -> bool:
        return self.path.exists()

    # -- making it fit for use -----------------------------------------------------------------------------------

    def open(self, *, thorough: bool = False) -> list[str]:
        """Create the database, bring an older one up to date, move a damaged one aside. Returns sentences to show.

        The home must exist. A database of a newer program, or a home that cannot be written to, sets `read_only`.
        `thorough`: check every page whatever the size. Raises VitError when the file cannot be opened at all, Busy.
        """
        self.read_only, self.why_read_only, self.moved_aside = False, "", None
        if not os.access(self.home, os.W_OK | os.X_OK):
            self._refuse_writes(f"the home {self.home} is not yours to write to, so nothing can be changed in it")
        if self.exists:
            found = self._inspect(thorough)
            if not found.damage and found.version >= schema.VERSION:
                return self._newer(found.version)
        if self.read_only:
            return [self._unusable()] if self.exists else []
        with self._locked():
            messages = []
            if self.exists and (damage := self._inspect(thorough).damage):
                self.moved_aside = self._move_aside()
                messages.append(
                    f"{self.path} {damage}; it is kept as {self.moved_aside.name} and a new one is made "
                    "from the run directories"
                )
            self._migrate()
            return messages

    def _newer(self, version: int) -> list[str]:
        if version == schema.VERSION:
            return []
        self._refuse_writes(
            f"{self.path} was written by a newer vitui (schema {version}, this one knows {schema.VERSION}): "
            "runs can be looked at but not changed; update vitui"
        )
        return [self.why_read_only]

    def _unusable(self) -> str:
        return (
            f"{self.path} is damaged or of an older vitui, and the home is not yours to write to; "
            "ask its owner to run `vitui doctor`"
        )

    def _refuse_writes(self, why: str) -> None:
        self.read_only, self.why_read_only = True, why

    def _inspect(self, thorough: bool) -> _Found:
        """Look without changing anything."""
        try:
            with self._reader() as db:
                version: int = db.execute("PRAGMA user_version").fetchone()[0]
                ours = db.execute("PRAGMA application_id").fetchone()[0] == schema.APPLICATION_ID
                tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if tables and not ours:
                    return _Found(version, "is not a database of vitui")
                if not tables:
                    return _Found(0)
                whole = thorough or self.path.stat().st_size <= WHOLE_CHECK_BYTES
                check = "PRAGMA quick_check(1)" if whole else "PRAGMA quick_check('runs')"
                verdict: str = db.execute(check).fetchone()[0]
                return _Found(version, "" if verdict == "ok" else f"is damaged ({_line(verdict)})")
        except sqlite3.DatabaseError as error:
            if _code(error) in _DAMAGE:
                return _Found(0, f"is damaged ({_line(str(error))})")
            raise self._sentence(error) from error

    def _migrate(self) -> None:
        """Create or upgrade, under the lock. Another process may have done it while we waited."""
        try:
            db = sqlite3.connect(self._uri("rwc"), uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
            try:
                if db.execute("PRAGMA user_version").fetchone()[0] < schema.VERSION:
                    db.execute("PRAGMA journal_mode = WAL")
                    schema.migrate(db)
            finally:
                db.close()
        except sqlite3.DatabaseError as error:
            raise self._sentence(error) from error

    def _move_aside(self) -> Path:
        """Rename the database and its companions, under the lock. Nothing is ever overwritten."""
        stamp = time.strftime("%Y%m%d-%H%M%S")
        number = 0
        while (aside := self.path.with_name(f"lab.db.corrupt-{stamp}{f'-{number}' if number else ''}")).exists():
            number += 1
        # The companions first: a -wal left beside a new lab.db would be taken for its own.
        for suffix in ("-wal", "-shm", ""):
            part = Path(f"{self.path}{suffix}")
            if part.exists():
                part.rename(f"{aside}{suffix}")
        return aside

    # -- writing -------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The only way to write: one transaction, committed at the end, rolled back when the body raises.

        Rows are sqlite3.Row; foreign keys are on. Opening another one inside it in the same thread is a RuntimeError.
        Raises UsageError (read-only, newer database), NotFound (no database), Busy (lock not had within a minute),
        VitError (disk full, damaged file).
        """
        if self.read_only:
            raise UsageError(self.why_read_only)
        if getattr(self._local, "writing", False):
            raise RuntimeError("store.writing() is already open in this thread")
        if not self.exists:
            raise self._missing()
        with self._locked():
            self._local.writing = True
            try:
                yield from self._transaction()
            except sqlite3.DatabaseError as error:
                if _code(error) in _DAMAGE | _ENVIRONMENT:
                    raise self._sentence(error) from error
                raise
            finally:
                self._local.writing = False

    def _transaction(self) -> Iterator[sqlite3.Connection]:
        db = sqlite3.connect(self._uri("rw"), uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA foreign_keys = ON")
            db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
            db.execute("BEGIN IMMEDIATE")
            try:
                version: int = db.execute("PRAGMA user_version").fetchone()[0]
                if version != schema.VERSION:
                    self._newer(version)
                    raise UsageError(self.why_read_only or f"{self.path} is of an older vitui; start vitui again")
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        finally:
            db.close()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the writer's flock. The kernel frees it when the process dies, however it dies."""
        try:
            fd = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise VitError(f"{self.path}.lock cannot be opened: {error.strerror}") from None
        try:
            deadline, pause = time.monotonic() + LOCK_TIMEOUT_S, 0.0005
            while True:
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise Busy(
                            f"another vitui has been writing {self.path} for {LOCK_TIMEOUT_S:.0f} s; try again later"
                        ) from None
                    time.sleep(pause)
                    pause = min(pause * 2, 0.02)
            yield
        finally:
            os.close(fd)

    # -- reading -------------------------------------------------------------------------------------------------

    def reading(self) -> sqlite3.Connection:
        """This thread's read-only connection, rows as sqlite3.Row. Fetch everything at once: an open cursor keeps
        old pages alive. Raises NotFound when there is no database; creates nothing.
        """
        reader: _Reader | None = getattr(self._local, "reader", None)
        if reader is None or not self._fresh(reader):
            reader = self._local.reader = self._open_reader()
        return reader.connection

    def changes_token(self) -> int:
        """A number that is another one once anything in the database has changed; the same from every thread.

        0 while there is no database.
        """
        with self._watch_lock:
            if not self.exists:
                return 0
            if self._watch is None or not self._fresh(self._watch):
                self._watch = self._open_reader()
                self._watch_generation += 1
            version: int = self._watch.connection.execute("PRAGMA data_version").fetchone()[0]
            return (self._watch_generation << 40) + version

    def close(self) -> None:
        """Close this thread's read connection and the one `changes_token` has. Using the store opens them again."""
        self._local.reader = None
        with self._watch_lock:
            self._watch = None

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        reader = self._open_reader()
        try:
            yield reader.connection
        finally:
            reader.connection.close()

    def _open_reader(self) -> _Reader:
        try:
            stamp = self._stamp(False)
            try:
                return _Reader(self._connect_to_read("mode=ro"), False, stamp, os.getpid())
            except sqlite3.OperationalError as error:
                if os.access(self.home, os.W_OK) or _code(error) not in _ENVIRONMENT:
                    raise
                stamp = self._stamp(True)
                return _Reader(self._connect_to_read("immutable=1"), True, stamp, os.getpid())
        except FileNotFoundError:
            raise self._missing() from None
        except sqlite3.DatabaseError as error:
            if not self.exists:
                raise self._missing() from None
            if _code(error) in _ENVIRONMENT:
                raise self._sentence(error) from error
            raise

    def _connect_to_read(self, mode: str) -> sqlite3.Connection:
        # Closing may happen in another thread than the one that used it: when a thread of the app has ended.
        db = sqlite3.connect(
            f"file:{quote(str(self.path))}?{mode}",
            uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S, check_same_thread=False,
        )  # fmt: skip
        try:
            db.row_factory = sqlite3.Row
            db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()  # opening alone does not touch the file
        except BaseException:
            db.close()
            raise
        return db

    def _fresh(self, reader: _Reader) -> bool:
        """Whether a connection is still of this process and on the file that is there now."""
        try:
            return reader.pid == os.getpid() and reader.stamp == self._stamp(reader.immutable)
        except FileNotFoundError:
            return False

    def _stamp(self, immutable: bool) -> tuple[int, ...]:
        info = self.path.stat()
        if not immutable:
            return info.st_dev, info.st_ino
        wal = Path(f"{self.path}-wal")
        return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, wal.stat().st_size if wal.exists() else 0

    def _uri(self, mode: str) -> str:
        return f"file:{quote(str(self.path))}?mode={mode}"

    # -- sentences -----------------------------------------------------------------------------------------------

    def _missing(self) -> NotFound:
        return NotFound(f"{self.path} does not exist; `vitui rebuild` makes it from the run directories")

    def _sentence(self, error: sqlite3.DatabaseError) -> VitError:
        reason = _line(str(error))
        if _code(error) in _DAMAGE:
            return VitError(f"{self.path} is damaged ({reason}); `vitui rebuild` moves it aside and makes a new one")
        if _code(error) == sqlite3.SQLITE_FULL:
            return VitError(f"{self.path} cannot be written: the disk is full; free some space, nothing is lost")
        return VitError(f"{self.path} cannot be used: {reason}; look at its permissions and its disk")


def _code(error: sqlite3.DatabaseError) -> int:
    """SQLite's primary result code; 0 when the error did not come from SQLite itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _line(message: str) -> str:
    return " ".join(message.split())[:200]
