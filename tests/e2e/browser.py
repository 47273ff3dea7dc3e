"""The app in headless Chromium, driven through the DevTools protocol: keys in, and what it writes to its terminal."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Coroutine
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pyte
from PIL import Image

from tests.e2e.conftest import Vitui, until
from tests.e2e.terminal import Seen

NAMES = ("chromium", "chromium-browser", "google-chrome")
KEYS = {  # tmux's name: the DOM's key, its code, the text it types
    "Enter": ("Enter", 13, "\r"), "Escape": ("Escape", 27, ""), "Tab": ("Tab", 9, ""), "Space": (" ", 32, " "),
    "Down": ("ArrowDown", 40, ""), "Up": ("ArrowUp", 38, ""),
}  # fmt: skip
CTRL = 2
PATIENCE_S = 60


def chromium() -> tuple[str, str]:
    """The browser's command, installed where it is missing and can be; else why there is none."""
    for name in NAMES:
        if found := shutil.which(name):
            return found, ""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "", "there is no Chromium, and only root can install it"
    done = subprocess.run(
        ["apt-get", "install", "-y", "-qq", "chromium"], capture_output=True, text=True, timeout=600,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )  # fmt: skip
    found = shutil.which("chromium")
    return (found, "") if found else ("", f"Chromium cannot be installed here: {done.stderr.strip()[-200:]}")


class Server:
    """`vitui serve` on a home, with the link that it prints."""

    def __init__(self, vitui: Vitui, port: int) -> None:
        self.process = vitui.popen("serve", "--port", str(port), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()

    def close(self) -> tuple[int, str]:
        """End it as ctrl+c does; its exit code and what it said."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=30)
        return self.process.returncode, said


class Page(Seen):
    """One tab with the app in it. Its screen is what the app sent through the socket, put together by an emulator."""

    def __init__(self, command: str, link: str, folder: Path, size: tuple[int, int]) -> None:
        self._folder = folder
        width, height = size
        self._browser = subprocess.Popen(
            [command, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--remote-debugging-port=0", f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._drawn = threading.Lock()
        self._terminal = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self._terminal)
        self.socket_closed = False
        try:
            self._do(self._connect())
            self.ask("Network.enable")
            self.ask("Page.enable")
            self.ask("Emulation.setFocusEmulationEnabled", enabled=True)
            self.open(link)
        except BaseException:
            self.close()
            raise

    def open(self, link: str) -> None:
        """Go to a link; the server prints it a moment before it listens."""
        until(lambda: "errorText" not in self.ask("Page.navigate", url=link))

    @property
    def screen(self) -> str:
        if self._reading.done():
            self._reading.result()  # raises what went wrong
        with self._drawn:
            return "\n".join(line.rstrip() for line in self._terminal.display).rstrip("\n")

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal in the page."""
        with self._drawn:
            return self._terminal.columns, self._terminal.lines

    def press(self, *keys: str) -> None:
        for key in keys:
            ctrl = key.startswith("C-") and len(key) == 3
            if ctrl:
                name, code, text = key[2], ord(key[2].upper()), ""
            else:
                name, code, text = KEYS.get(key, (key, ord(key.upper()) if len(key) == 1 and key.isalnum() else 0, key))
            told: dict[str, Any] = {"key": name, "windowsVirtualKeyCode": code, "modifiers": CTRL if ctrl else 0}
            self.ask("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **told,
                     **({"text": text} if text else {}))  # fmt: skip
            self.ask("Input.dispatchKeyEvent", type="keyUp", **told)

    def type(self, text: str) -> None:
        self.press(*("Space" if c == " " else c for c in text))

    def picture(self) -> Image.Image:
        return Image.open(BytesIO(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))).convert("RGB")

    def text(self) -> str:
        """What the page says outside the terminal."""
        told = self.ask("Runtime.evaluate", expression="document.body.innerText", returnByValue=True)
        return str(told["result"]["value"])

    def ask(self, method: str, **params: Any) -> Any:
        """One DevTools command and its answer."""
        return self._do(self._send(method, params))

    def close(self) -> None:
        with contextlib.suppress(Exception):
            self._do(self._hang_up())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._browser.pid, signal.SIGKILL)
        self._browser.wait(10)

    # -- the protocol --------------------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _connect(self) -> None:
        where = self._folder / "DevToolsActivePort"
        deadline = time.monotonic() + PATIENCE_S
        while not (where.exists() and where.read_text().count("\n")):
            assert self._browser.poll() is None and time.monotonic() < deadline, "Chromium does not start"
            await asyncio.sleep(0.05)
        port = int(where.read_text().split()[0])
        self._session = aiohttp.ClientSession()
        async with self._session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            pages = [one for one in await answer.json() if one["type"] == "page"]
        self._wire = await self._session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0)
        self._reading = asyncio.create_task(self._read())

    async def _hang_up(self) -> None:
        self._reading.cancel()
        await self._wire.close()
        await self._session.close()

    async def _send(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._numbers)
        waiting = self._answers[number] = self._loop.create_future()
        await self._wire.send_json({"id": number, "method": method, "params": params})
        answer = await waiting
        assert "error" not in answer, f"{method}: {answer}"
        return answer["result"]

    async def _read(self) -> None:
        async for message in self._wire:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                self._happened(told["method"], told["params"])

    def _happened(self, method: str, params: dict[str, Any]) -> None:
        if method == "Network.webSocketCreated":
            self.socket_closed = False
            with self._drawn:
                self._terminal.reset()
        elif method == "Network.webSocketClosed":
            self.socket_closed = True
        elif method == "Network.webSocketFrameReceived" and params["response"]["opcode"] == 2:
            with self._drawn:
                self._stream.feed(base64.b64decode(params["response"]["payloadData"]))
        elif method == "Network.webSocketFrameSent" and params["response"]["opcode"] == 1:
            kind, *rest = json.loads(params["response"]["payloadData"])
            if kind == "resize":
                with self._drawn:
                    self._terminal.resize(lines=rest[0]["height"], columns=rest[0]["width"])
