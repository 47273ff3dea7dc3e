"""One attempt's keeper: ``python -I -S runner.py ATTEMPT_DIR [LOCK_FD]``. Standard library only, about 10 MB.

It takes the device leases, starts the trainer in a process group of its own, passes a stop on, and writes
``exit.json`` when the trainer has left. It stands alone: the worker, the TUI and the terminal may die around it.

Decisions worth knowing:

- The trainer writes straight into console.log (O_APPEND); the runner bounds the *file*, readers bound the lines.
  A pipe would bound both, but would break when the runner is killed and take the trainer with it.
- The trainer does not execute before launch.json names it: its child waits at a pipe, and leaves if the runner dies
  there. So a trainer nobody knows of cannot exist.
- Signals are blocked and fetched with sigtimedwait: none arrives too early, not even while Python starts, because the
  worker starts the runner with the same signals blocked. SIGUSR1: stop, however often. SIGTERM: stop; a second one:
  kill now.
- The lease descriptors are inherited by the trainer and held until its last process is gone.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import socket
import sys
import time
from typing import Any, NoReturn

CONSOLE_BYTES = 64 << 20
"""Size at which console.log is cut."""
CONSOLE_KEPT = 8 << 20
"""How much of its end then goes on as console.log.1."""
LEASE_PATIENCE_S = 1.0
"""A momentary probe of a lease by somebody else must not count as "busy"."""
WRITE_PATIENCE_S = 30.0
"""How long exit.json is tried again on a full disk."""
POLL_S = 0.5
SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGCHLD})

_PR_SET_CHILD_SUBREAPER = 36


def write_json(path: str, value: dict[str, Any]) -> None:
    """Whole file or nothing: temporary name, fsync, rename, fsync of the folder. Raises OSError."""
    tmp = f"{path}.{os.getpid()}.tmp"
    try:
        with open(tmp, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(tmp, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(tmp)
        raise
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # some network filesystems cannot
            os.fsync(folder)
    finally:
        os.close(folder)


def open_lease(path: str) -> int:
    """Descriptor of a lease file, made if it is missing. Raises OSError.

    An existing file is opened without O_CREAT: in a sticky folder the kernel (fs.protected_regular) refuses O_CREAT on
    somebody else's file even where plain writing is allowed.
    """
    for _ in range(100):
        try:
            return os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            pass
        except PermissionError:
            return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with contextlib.suppress(FileExistsError):
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
            os.fchmod(fd, 0o666)  # whatever the umask: the lease is shared by all users
            return fd
    raise OSError(f"cannot open lease {path}: it keeps appearing and disappearing")


def take_lease(path: str, patience_s: float = 0.0) -> int | None:
    """Descriptor that holds the lease exclusively, or None when somebody else holds it. Raises OSError."""
    deadline = time.monotonic() + patience_s
    while True:
        fd = open_lease(path)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            if time.monotonic() >= deadline:
                return None
            time.sleep(0.05)
            continue
        with contextlib.suppress(FileNotFoundError):
            mine, there = os.fstat(fd), os.stat(path, follow_symlinks=False)
            if (mine.st_ino, mine.st_dev) == (there.st_ino, there.st_dev):
                return fd
        os.close(fd)  # deleted or replaced while we waited: a lock on a nameless file excludes nobody


def bound_console(path: str, limit: int = CONSOLE_BYTES, kept: int = CONSOLE_KEPT) -> bool:
    """Cut console.log when it is over `limit` bytes: its last `kept` bytes become console.log.1, and it starts anew.

    Writers keep their O_APPEND descriptors. What they write between the last read and the cut (microseconds) is lost.
    True when it was cut.
    """
    try:
        if os.stat(path).st_size <= limit:
            return False
    except OSError:
        return False
    try:
        with open(path, "r+b") as source, open(path + ".1", "wb") as target:
            source.seek(-min(kept, limit), os.SEEK_END)
            while block := source.read(1 << 20):
                target.write(block)
            source.truncate(0)
    except OSError:
        with contextlib.suppress(OSError):  # no room for the copy: bounding matters more than history
            os.truncate(path, 0)
    return True


def oom_kills() -> dict[str, int]:
    """Kernel counters of out-of-memory kills: in this process's memory group (cgroup v2 or v1) and on the host."""
    counts: dict[str, int] = {}
    candidates: list[str] = []
    with contextlib.suppress(OSError), open("/proc/self/cgroup", encoding="utf-8") as file:
        for line in file:
            _, controllers, path = line.rstrip("\n").split(":", 2)
            if not controllers:
                candidates += [f"/sys/fs/cgroup{path}/memory.events"]
            elif "memory" in controllers.split(","):
                base = "/sys/fs/cgroup/memory"
                candidates += [f"{base}{path}/memory.oom_control", f"{base}/memory.oom_control"]
    for key, paths in (("group", candidates), ("host", ["/proc/vmstat"])):
        for name in paths:
            with contextlib.suppress(OSError, ValueError, IndexError), open(name, encoding="ascii") as file:
                value = next((line.split()[1] for line in file if line.startswith("oom_kill ")), None)
                if value is not None:
                    counts[key] = int(value)
                    break
    return counts


def follow_kernel_log() -> int | None:
    """Descriptor of the kernel's log, at its end; None where only root may read it."""
    try:
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        os.lseek(fd, 0, os.SEEK_END)
        return fd
    except OSError:
        return None


def killed_by_kernel(log: int | None, pid: int) -> str | None:
    """The line in which the kernel says that it killed this process for lack of memory, if it does. Closes `log`."""
    if log is None:
        return None
    found = None
    for _ in range(100_000):
        try:
            record = os.read(log, 8192).decode("utf-8", "replace")
        except BrokenPipeError:  # overwritten before we read it
            continue
        except OSError:
            break
        line = record.partition(";")[2].partition("\n")[0]
        if f"Killed process {pid} " in line:
            found = line[:300]
    os.close(log)
    return found


def _start_of(pid: int) -> int:
    """As `identity.start_time`, which cannot be imported here."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        line = file.read()
    return int(line[line.rindex(b")") + 2 :].split()[19])


def spawn(spec: dict[str, Any], console: int, inherited: list[int]) -> tuple[int, int, int]:
    """Fork the trainer up to the point where it waits to execute. Returns (pid, gate, errors).

    Writing one byte to `gate` lets it go, closing it makes it leave; `errors` reads empty after a successful exec and
    a message otherwise.
    """
    gate_read, gate_write = os.pipe()
    error_read, error_write = os.pipe()
    null = os.open("/dev/null", os.O_RDONLY)
    pid = os.fork()
    if pid == 0:
        try:
            os.close(gate_write)
            os.setpgid(0, 0)
            if os.read(gate_read, 1) != b"1":
                os._exit(127)
            for source, target in ((null, 0), (console, 1), (console, 2)):
                os.dup2(source, target)
            for fd in inherited:
                os.set_inheritable(fd, True)
            for signum in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(signum, signal.SIG_DFL)
            # A stopped trainer whose runner dies gets SIGHUP from the kernel (orphaned process group).
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_SETMASK, set())
            os.chdir(spec["cwd"])
            os.execvpe(spec["argv"][0], spec["argv"], {**os.environ, **spec["env"]})
        except BaseException as error:
            os.write(error_write, f"{error}".encode(errors="replace")[:2000] or b"unknown error")
        os._exit(127)
    for fd in (gate_read, error_write, null):
        os.close(fd)
    with contextlib.suppress(OSError):  # the child does it too; whoever is first
        os.setpgid(pid, pid)
    return pid, gate_write, error_read


class _Stop:
    """What was asked of the trainer so far."""

    def __init__(self, pid: int, grace_s: float) -> None:
        self.pid = pid
        self.grace_s = grace_s
        self.asked: float | None = None  # Unix seconds
        self.deadline: float | None = None  # monotonic
        self.killed_after_grace = False
        self.killed_at_once = False

    def on_signal(self, signum: int) -> None:
        if signum == signal.SIGUSR1 or self.asked is None:
            self.ask()
        else:
            self.killed_at_once = True
            self.kill()

    def ask(self) -> None:
        if self.asked is not None:
            return
        self.asked = time.time()
        self.deadline = time.monotonic() + self.grace_s
        os.kill(self.pid, signal.SIGTERM)  # our unreaped child: the pid is surely its own
        os.killpg(self.pid, signal.SIGCONT)  # a stopped process sees SIGTERM only when it goes on

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def tick(self) -> float:
        """Kill when the grace is over; seconds until something is due."""
        if self.deadline is None or self.killed_after_grace:
            return POLL_S
        left = self.deadline - time.monotonic()
        if left <= 0:
            self.killed_after_grace = True
            self.kill()
            return POLL_S
        return min(POLL_S, left)


def _dead(pid: int) -> bool:
    """Whether our child has ended; it stays a zombie, so that its pid and group cannot be anybody else's yet."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _reap_strays(trainer: int) -> None:
    """Collect orphans that ended and were handed to us, but not the trainer."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None or found.si_pid == trainer:
            return
        os.waitpid(found.si_pid, 0)


def _kill_descendants(patience_s: float = 5.0) -> int:
    """SIGKILL every process below us, those that left the group with setsid() included; how many were killed."""
    me, killed, deadline = os.getpid(), set(), time.monotonic() + patience_s
    while time.monotonic() < deadline:
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{entry}/stat", "rb") as file:
                line = file.read()
                state, parent = line[line.rindex(b")") + 2 :].split()[:2]
                if int(parent) == me and state != b"Z":
                    os.kill(int(entry), signal.SIGKILL)  # our child: nobody else can have its pid before we reap it
                    killed.add(entry)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return len(killed)
        time.sleep(0.01)
    return len(killed)


def supervise(spec: dict[str, Any], attempt_dir: str) -> dict[str, Any]:
    """Run the trainer to its end and say how it ended: the content of exit.json."""
    leases: list[int] = []
    for path in spec["leases"]:
        try:
            fd = take_lease(path, LEASE_PATIENCE_S)
        except OSError as error:
            return {"reason": "spawn", "error": f"cannot take the device lease {path}: {error.strerror}"}
        if fd is None:
            return {"reason": "lease", "error": path}
        leases.append(fd)
    if signal.sigpending() & {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1}:
        return {"reason": "unstarted", "stop_requested": time.time()}
    before, log, began = oom_kills(), follow_kernel_log(), time.monotonic()
    console_path = os.path.join(spec["run_dir"], "console.log")
    try:
        console = os.open(console_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        return {"reason": "spawn", "error": f"cannot open {console_path}: {error.strerror}"}
    pid, gate, errors = spawn(spec, console, leases)
    os.close(console)
    try:
        write_json(
            os.path.join(attempt_dir, "launch.json"),
            {
                "runner": {"pid": os.getpid(), "start": _start_of(os.getpid())},
                "trainer": {"pid": pid, "start": _start_of(pid)},
                "boot_id": spec["boot_id"],
                "host": socket.gethostname(),
                "device": spec["device"],
                "at": time.time(),
            },
        )
        os.write(gate, b"1")
    except OSError as error:
        os.close(gate)
        os.waitpid(pid, 0)
        return {"reason": "spawn", "error": f"cannot write {attempt_dir}/launch.json: {error.strerror}"}
    os.close(gate)
    with open(errors, "rb") as file:
        message = file.read().decode(errors="replace")
    if message:
        os.waitpid(pid, 0)
        return {"reason": "spawn", "error": f"cannot start {spec['argv'][0]}: {message}"}

    stop = _Stop(pid, float(spec["grace_s"]))
    wait = POLL_S
    while not _dead(pid):
        info = signal.sigtimedwait(SIGNALS, wait)
        if info is not None and info.si_signo not in (signal.SIGCHLD, signal.SIGHUP) and not _dead(pid):
            stop.on_signal(info.si_signo)
        _reap_strays(pid)
        bound_console(console_path)
        wait = stop.tick()
    stop.kill()  # what is left of its group, while the zombie still keeps the group's number ours
    _, status, usage = os.wait4(pid, 0)
    strays = _kill_descendants()
    code = os.waitstatus_to_exitcode(status)
    after, line = oom_kills(), killed_by_kernel(log, pid)
    oom: dict[str, Any] = {key: after[key] - count for key, count in before.items() if after.get(key, count) > count}
    if line:
        oom["log"] = line
    for fd in leases:  # nobody is left: whoever reads exit.json may have the device at once
        os.close(fd)
    return {
        "reason": "exited" if code >= 0 else "signal",
        "code": code if code >= 0 else None,
        "signal": -code if code < 0 else None,
        "signal_name": signal.Signals(-code).name if -code in set(signal.Signals) else None,
        "stop_requested": stop.asked,
        "killed_after_grace": stop.killed_after_grace,
        "killed_at_once": stop.killed_at_once,
        "grace_s": stop.grace_s,
        "max_rss_kb": usage.ru_maxrss,
        "user_s": round(usage.ru_utime, 3),
        "system_s": round(usage.ru_stime, 3),
        "oom": oom,
        "strays": strays,
        "seconds": round(time.monotonic() - began, 3),
    }


def main(argv: list[str]) -> int:
    """The whole life of a runner; 0 when exit.json was written."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    attempt_dir = os.path.abspath(argv[1])
    if len(argv) > 2:  # held from before we were started until we end: says "this attempt has a runner"
        os.set_inheritable(int(argv[2]), False)
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        with open(os.path.join(attempt_dir, "spec.json"), encoding="utf-8") as file:
            result = supervise(json.load(file), attempt_dir)
    except Exception as error:
        result = {"reason": "spawn", "error": f"the runner failed: {type(error).__name__}: {error}"}
    _kill_descendants()
    record = {"by": "runner", "at": time.time(), **result}
    deadline = time.monotonic() + WRITE_PATIENCE_S
    while True:
        try:
            write_json(os.path.join(attempt_dir, "exit.json"), record)
            return 0
        except OSError as error:
            if time.monotonic() > deadline:
                print(f"cannot write {attempt_dir}/exit.json: {error}; it was {record}", file=sys.stderr)
                return 1
            time.sleep(0.5)


def _run() -> NoReturn:
    sys.exit(main(sys.argv))


if __name__ == "__main__":
    _run()
