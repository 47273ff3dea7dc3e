"""`vitui serve`: who gets in, and where it listens. A browser drives it in tests/e2e."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from vitui.serving.guard import hostname, is_loopback
from vitui.serving.server import AppServer, link, without_multiplexer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """Port and secret of a real server, ended as ctrl+c ends it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    child = subprocess.Popen(
        [sys.executable, "-m", "vitui", "--home", str(home), "serve", "--port", str(port)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None and child.stderr is not None
    try:
        secret = child.stdout.readline().strip().partition("token=")[2]
        child.stderr.readline()
        for _ in range(1000):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert child.poll() is None
        yield port, secret
    finally:
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=30)
        assert child.returncode == 0 and "Traceback" not in said


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    return answer.status, dict(answer.headers), answer.read().decode("utf-8", "replace")


def test_the_link_lets_in_and_nothing_else_does(server: tuple[int, str]) -> None:
    port, secret = server
    assert get(port, "/")[0] == 403
    assert get(port, "/static/css/xterm.css")[0] == 403
    status, _, said = get(port, "/?token=guess")
    assert status == 403 and "another session" in said
    status, headers, _ = get(port, f"/?token={secret}")
    assert status == 302 and headers["Location"] == "/"
    assert "HttpOnly" in headers["Set-Cookie"] and "SameSite=Lax" in headers["Set-Cookie"]
    cookie = headers["Set-Cookie"].split(";")[0]
    status, _, page = get(port, "/", Cookie=cookie)
    assert status == 200 and f'"ws://127.0.0.1:{port}/ws"' in page and "https://" not in page
    status, _, page = get(port, "/", Cookie=cookie.replace(str(port), "9000", 1), Host="localhost:9000")
    assert status == 200 and '"ws://localhost:9000/ws"' in page, "behind a tunnel the socket is where the page is"


def test_other_pages_and_other_names_are_refused(server: tuple[int, str]) -> None:
    port, secret = server
    cookie = f"vitui-{port}={secret}"
    assert get(port, "/ws", Cookie=cookie, Origin="http://evil.example")[0] == 403
    assert get(port, "/", Cookie=f"vitui-80={secret}", Host="evil.example")[0] == 403


def test_a_taken_port_is_one_sentence(server: tuple[int, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vitui", "--home", str(tmp_path), "serve", "--port", str(server[0])],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2 and "choose another with --port" in done.stderr and done.stdout == ""


def test_names_of_this_machine() -> None:
    assert all(is_loopback(host) for host in ("localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"))
    assert not any(is_loopback(host) for host in ("0.0.0.0", "localhost.evil.example", "10.0.0.1", ""))
    assert hostname("[::1]:80") == "::1" and hostname("LOCALHOST:1") == "localhost" and hostname("") == ""
    assert link("::1", 80, "s") == "http://localhost:80/?token=s"
    assert link("10.0.0.7", 80, "s") == "http://10.0.0.7:80/?token=s"
    assert link("0.0.0.0", 1, "s").startswith(f"http://{socket.gethostname()}:1/")


def test_the_command_is_quoted_and_the_terminal_forgotten(tmp_path: Path) -> None:
    server = AppServer(tmp_path / "a b; rm -rf ~", "127.0.0.1", 1, "s")
    assert f"--home '{tmp_path}/a b; rm -rf ~'" in server.command
    assert without_multiplexer({"TMUX": "x", "STY": "y", "HOME": os.sep}) == {"HOME": os.sep}
