"""The server: one process of the app for each browser tab, ended with it."""

from __future__ import annotations

import logging
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiohttp import web
from textual_serve.server import Server

from vitui.errors import UsageError
from vitui.serving.guard import guard, is_loopback

TEMPLATES = Path(__file__).parent


class AppServer(Server):  # type: ignore[misc]  # textual-serve says it is typed, but not how its class is
    """textual-serve with a guard, a page that loads nothing from elsewhere, and addresses as the browser sees them."""

    def __init__(self, home: Path, host: str, port: int, secret: str) -> None:
        command = shlex.join([sys.executable, "-P", "-m", "vitui", "--home", str(home)])
        super().__init__(command, host=host, port=port, title="vitui", templates_path=TEMPLATES)
        self._secret = secret

    def initialize_logging(self) -> None:
        logging.basicConfig(level=logging.WARNING, format="vitui serve: %(message)s")

    async def _make_app(self) -> web.Application:
        app: web.Application = await super()._make_app()
        any_name = frozenset({""}) if self.host in ("0.0.0.0", "::") else frozenset({self.host.lower()})
        app.middlewares.append(guard(self._secret, any_name))
        return app

    async def on_startup(self, app: web.Application) -> None:
        """The command line has said all there is to say."""

    async def handle_index(self, request: web.Request) -> Any:
        """The page; its socket is where the browser found the page, behind a tunnel as well."""
        self.public_url = f"{request.scheme}://{request.host}"
        return await super().handle_index(request)


def check_free(host: str, port: int) -> None:
    """Raises UsageError where nothing can listen there."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host} port {port} ({error.strerror or error}); choose another with --port or --host"
        ) from None


def link(host: str, port: int, secret: str) -> str:
    """What is opened in a browser."""
    shown = "localhost" if is_loopback(host) else socket.gethostname() if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/?token={secret}"


def without_multiplexer(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for apps in a browser: the terminal `vitui serve` was typed in is none of theirs."""
    return {key: value for key, value in environ.items() if key not in ("TMUX", "TMUX_PANE", "STY")}
