"""Who may talk to the page: nobody from another site, and on a network nobody without the token.

A site that the user visits can make their browser send requests here. It cannot forge ``Origin``;
and by binding its own name to this address (DNS rebinding) it becomes the same origin, but then
``Host`` is its name. So ``Host`` must be an address or this machine's own name, and ``Origin``,
where there is one, the same as ``Host``.

A host's cookies are shared by all its ports. So the cookie's name holds the port, as the browser
knows it: behind a tunnel it is another than the server's.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "edge-ttvos-token"
PARAMETER = "token"


def is_loopback(address: str) -> bool:
    """Whether an address to bind to is reached from this machine alone."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def new_token() -> str:
    """128 bits, as they stand in a URL."""
    return secrets.token_urlsafe(16)


class Guard:
    """ASGI middleware that refuses before anything else looks at a request.

    Args:
        app: what is guarded.
        token: that must be shown once in the URL and is then kept as a cookie; None: none.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app, self._token = app, token
        name = socket.gethostname().lower()
        self._names = {"localhost", name, f"{name}.local"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or hand on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> Response | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse(f"this is not {host[:80]!r}", 421)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return PlainTextResponse("requests of other sites are refused", 403)
        if self._token is None or self._matches(_cookie(headers)):
            return None
        shown = parse_qs(scope["query_string"].decode("latin-1")).get(PARAMETER, [""])[0]
        if not self._matches(shown):
            return PlainTextResponse("the token is missing or wrong: open the printed URL", 401)
        return self._welcome(host) if scope["type"] == "http" else None

    def _is_ours(self, host: str) -> bool:
        name = urlsplit(f"//{host}").hostname or ""
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name in self._names
        return True

    def _matches(self, shown: str) -> bool:
        return secrets.compare_digest(shown.encode(), (self._token or "").encode())

    def _welcome(self, host: str) -> Response:
        """The page without the token in its address, which others might see."""
        response = RedirectResponse("/", 303)
        name = cookie_name(host)
        response.set_cookie(name, self._token or "", httponly=True, samesite="strict")
        return response


def cookie_name(host: str) -> str:
    """What the token's cookie is called by a browser that asked ``host``, such as ``pi:8080``."""
    port = re.search(r":(\d{1,5})$", host)
    return f"{COOKIE}-{port[1]}" if port else COOKIE


def _cookie(headers: dict[str, str]) -> str:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(headers.get("host", "")))
    except CookieError:
        return ""
    return found.value if found else ""
