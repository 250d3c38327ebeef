"""Reads a request's body, and not a byte more than is allowed."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from agent.serve.refusal import Code, RefusedRequestError


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The whole body.

    Raises:
        RefusedRequestError: it is larger, by what its head says or as it comes; or its sender went away.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    chunks: list[bytes] = []
    size_bytes = 0
    try:
        async for chunk in request.stream():
            size_bytes += len(chunk)
            if size_bytes > max_bytes:
                raise _too_large(max_bytes)
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise RefusedRequestError(Code.BAD_REQUEST, "the connection was closed before the body was whole") from error
    return b"".join(chunks)


def _too_large(max_bytes: int) -> RefusedRequestError:
    return RefusedRequestError(Code.TOO_MANY_BYTES, f"the body is larger than is allowed: {max_bytes} bytes")
