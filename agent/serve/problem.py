"""Errors as `application/problem+json` (RFC 9457), whoever raised them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agent.serve.answer import problem_of
from agent.serve.refusal import STATUSES, Code, RefusedRequestError
from agent.telemetry.serve import ServeHappenings

PROBLEM_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
_HTTP_CODES = {int(status): code for code, status in reversed(STATUSES.items())}


def problem_response(error: RefusedRequestError, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a refused request."""
    more = dict(headers or {})
    if error.code is Code.UNAUTHORIZED:
        more["www-authenticate"] = 'Bearer realm="sitewatch"'
    if error.status == STATUSES[Code.QUEUE_FULL]:
        more["retry-after"] = str(RETRY_AFTER_S)
    return JSONResponse(asdict(problem_of(error)), error.status, more, PROBLEM_TYPE)


def tell_problems(app: FastAPI, happened: ServeHappenings) -> None:
    """Whatever goes wrong in a page of `app` becomes a problem, and is counted."""

    def refused(error: RefusedRequestError, headers: Mapping[str, str] | None = None) -> Response:
        happened.refused(error.code.value)
        return problem_response(error, headers)

    @app.exception_handler(RefusedRequestError)
    async def of_ours(_request: Request, error: RefusedRequestError) -> Response:
        return refused(error)

    @app.exception_handler(RequestValidationError)
    async def of_parameters(_request: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()[:5])
        return refused(RefusedRequestError(Code.BAD_PARAMETER, told))

    @app.exception_handler(HTTPException)
    async def of_routing(_request: Request, error: HTTPException) -> Response:
        code = _HTTP_CODES.get(error.status_code, Code.BAD_REQUEST)
        return refused(RefusedRequestError(code, str(error.detail)), error.headers)

    @app.exception_handler(Exception)
    async def of_bugs(request: Request, error: Exception) -> Response:
        happened.failed(request.url.path, error)
        return refused(RefusedRequestError(Code.INTERNAL, "a mistake of the server; its log tells more"))
