"""Who may talk to the served app: whoever was given the link, from a page that the app itself served.

Whoever reaches the app can launch, stop and delete runs, and on a shared machine every user reaches every loopback
port. So the link holds a secret, which a cookie takes over; a page of another origin cannot use the cookie, and a name
that merely points at this machine (DNS rebinding) is no address of ours.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
COOKIE = "vitui"


def is_loopback(host: str) -> bool:
    """Whether a host name or address (without port) means this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def hostname(authority: str) -> str:
    """The host of ``host:port``, lower case; IPv6 without its brackets."""
    return (urlsplit(f"//{authority}").hostname or "").lower()


def guard(secret: str, names: frozenset[str]) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Middleware that lets in who knows `secret`. `names`: host names served beside loopback; empty string: any."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        host = hostname(request.host)
        if not (is_loopback(host) or host in names or "" in names):
            raise web.HTTPForbidden(text=f"vitui is not served under the name {host}\n")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="vitui answers to its own page only\n")
        if (given := request.query.get("token")) is not None and request.path == "/":
            if not hmac.compare_digest(given.encode(), secret.encode()):
                raise web.HTTPForbidden(text="this link is of another session; take the one that is printed now\n")
            answer: web.StreamResponse = web.HTTPFound("/")
            # Cookies know no ports: the port in its name keeps two servers of one machine apart.
            answer.set_cookie(cookie_name(request.host), secret, httponly=True, samesite="Lax")
            return answer
        known = request.cookies.get(cookie_name(request.host), "")
        if not hmac.compare_digest(known.encode(), secret.encode()):
            raise web.HTTPForbidden(text="open the whole link that `vitui serve` printed, with its token\n")
        return await handler(request)

    return check


def cookie_name(authority: str) -> str:
    """Name of the cookie for a ``host:port``."""
    return f"{COOKIE}-{urlsplit(f'//{authority}').port or 80}"
