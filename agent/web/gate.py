"""Who may ask: with a token its bearers, without one only programs of this machine."""

from __future__ import annotations

import hmac
import ipaddress
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_REFUSALS = {
    HTTPStatus.UNAUTHORIZED: "needs the header 'Authorization: Bearer' with the token of the site file (http.token)",
    HTTPStatus.MISDIRECTED_REQUEST: "without http.token in the site file this answers to localhost and 127.0.0.1 only",
}


class Gate:
    """In front of every page, unknown ones included.

    Without a token the server listens on loopback only, but a web page in a browser of this machine could still reach
    it under a name of its own (DNS rebinding); so the name asked for must be a loopback one.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, careful(send))
            return
        headers = {"www-authenticate": 'Bearer realm="sitewatch"'} if refusal is HTTPStatus.UNAUTHORIZED else None
        response = JSONResponse({"detail": _REFUSALS[refusal]}, refusal, headers)
        await response(scope, receive, careful(send))

    def _refusal(self, headers: Headers) -> HTTPStatus | None:
        if self._token is None:
            return None if names_loopback(headers.get("host", "")) else HTTPStatus.MISDIRECTED_REQUEST
        return None if bears_token(headers, self._token) else HTTPStatus.UNAUTHORIZED


def bears_token(headers: Headers, token: str) -> bool:
    """Whether a request's header `Authorization: Bearer` holds the token; compared in constant time."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    # Headers reach us as Latin-1; what the client sent was UTF-8.
    is_right = hmac.compare_digest(given.strip().encode("latin-1"), token.encode())
    return is_right and scheme.lower() == "bearer"


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or address, no port) can only be reached from this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def names_loopback(host_header: str) -> bool:
    """Whether a Host header, `name[:port]` or `[v6][:port]`, names loopback; a client too old to send one may pass."""
    if host_header.startswith("["):
        return is_loopback(host_header[1:].partition("]")[0])
    return not host_header or is_loopback(host_header.partition(":")[0])


def careful(send: Send) -> Send:
    """`send`, with headers that forbid keeping an answer and guessing its type."""

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["cache-control"] = "no-store"
            headers["x-content-type-options"] = "nosniff"
        await send(message)

    return send_with_headers
