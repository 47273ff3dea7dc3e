"""``vitui serve``: the terminal app in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from vitui.cli.opening import open_lab, say


def add_to(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Where to listen; anything but loopback can be reached by others.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=1, max=65535, help="Port to listen on.")] = 8000,
) -> None:
    """Serve the app to a browser: the same screens and keys.

    Prints the link, which holds a secret: whoever has it can do all that the app can. Ctrl+c ends it.
    From another machine: ssh -L 8000:localhost:8000 HOST, then open the link.
    """
    import os
    import secrets

    lab = open_lab(context, create=True)
    from vitui.serving.guard import is_loopback
    from vitui.serving.server import AppServer, check_free, link, without_multiplexer

    check_free(host, port)
    secret = secrets.token_urlsafe(18)
    print(link(host, port, secret), flush=True)
    if not is_loopback(host):
        say("anybody who reaches this machine and reads the traffic can use the app: it is not encrypted")
    say("open this link in a browser; ctrl+c ends the server, training goes on")
    environ = without_multiplexer(os.environ)
    os.environ.clear()
    os.environ.update(environ)
    AppServer(lab.home, host, port, secret).serve()
