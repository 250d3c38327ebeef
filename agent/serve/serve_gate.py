"""In front of every page: who may ask, and how often each page was asked."""

from __future__ import annotations

import time
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent.serve.problem import problem_response
from agent.serve.refusal import Code, RefusedRequestError
from agent.telemetry.serve import ServeHappenings
from agent.web.gate import bears_token, careful, names_loopback

# Those that a load balancer asks; they tell nothing that is worth a token.
OPEN_PAGES = frozenset({"/health", "/ready"})
OTHER = "other"


class ServeGate:
    """Refuses with a problem where a token is missing; without one, asks from a name that is not this machine's."""

    def __init__(self, app: ASGIApp, token: str | None, happened: ServeHappenings, pages: frozenset[str]) -> None:
        """Put it in front of `app`.

        Args:
            app: the pages.
            token: what every request must bear, save to `OPEN_PAGES`; None serves this machine only.
            happened: is told of every answer.
            pages: that there are.
        """
        self._app = app
        self._token = token
        self._happened = happened
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through or answer why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        page = scope["path"] if scope["path"] in self._pages else OTHER
        refusal = self._refusal(page, Headers(scope=scope))
        told = self._counted(page, careful(send))
        if refusal is None:
            await self._app(scope, receive, told)
            return
        self._happened.refused(refusal.code.value)
        await problem_response(refusal)(scope, receive, told)

    def _refusal(self, page: str, headers: Headers) -> RefusedRequestError | None:
        if self._token is None:
            if names_loopback(headers.get("host", "")):
                return None
            return RefusedRequestError(
                Code.FOREIGN_HOST, "without a token this server answers to localhost and 127.0.0.1 only"
            )
        if page in OPEN_PAGES or bears_token(headers, self._token):
            return None
        return RefusedRequestError(
            Code.UNAUTHORIZED, "needs the header 'Authorization: Bearer' with the token that the server was given"
        )

    def _counted(self, page: str, send: Send) -> Send:
        began_s = time.monotonic()

        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._happened.answered(page, HTTPStatus(message["status"]), time.monotonic() - began_s)
            await send(message)

        return send_and_count
