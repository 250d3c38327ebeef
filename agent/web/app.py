"""The pages: `/metrics`, `/healthz`, `/readyz`, `/api/v1/status`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from prometheus_client.exposition import choose_encoder

from agent.web.answers import Answers
from agent.web.gate import Gate

METHODS = ["GET", "HEAD"]


def make_app(answers: Answers, token: str | None = None) -> FastAPI:
    """The pages behind the gate; with a token every page demands it.

    Every page is a coroutine: FastAPI runs plain functions in threads that nobody here would own.
    """
    app = FastAPI(title="sitewatch", openapi_url=None, docs_url=None, redoc_url=None)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(answers.registry), headers={"content-type": content_type})

    async def healthz() -> Response:
        return _health(answers)

    async def readyz() -> Response:
        missing = list(answers.missing())
        return _answer({"ready": not missing, "missing": missing}, is_good=not missing)

    async def status() -> Response:
        return _answer(jsonable_encoder(dict(answers.status())), is_good=True)

    pages: dict[str, Callable[..., Awaitable[Response]]] = {
        "/metrics": metrics,
        "/healthz": healthz,
        "/readyz": readyz,
        "/api/v1/status": status,
    }
    for path, page in pages.items():
        app.add_api_route(path, page, methods=METHODS, response_model=None)
    app.add_middleware(Gate, token=token)
    return app


def _health(answers: Answers) -> Response:
    stalled = list(answers.heartbeats.stalled())
    ages_s = {name: round(age_s, 3) for name, age_s in sorted(answers.heartbeats.ages_s().items())}
    content = {"alive": not stalled, "stalled": stalled, "heartbeat_age_seconds": ages_s}
    return _answer(content, is_good=not stalled)


def _answer(content: object, *, is_good: bool) -> Response:
    return JSONResponse(content, HTTPStatus.OK if is_good else HTTPStatus.SERVICE_UNAVAILABLE)
