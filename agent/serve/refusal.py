"""Why a request gets no detections: a closed list of codes, each with its status."""

from __future__ import annotations

from enum import Enum
from http import HTTPStatus

from agent.errors import SitewatchError


class Code(str, Enum):
    """What a program can tell refusals apart by; also the label of the metric that counts them."""

    EMPTY = "empty"
    BAD_MULTIPART = "bad_multipart"
    BAD_REQUEST = "bad_request"
    UNAUTHORIZED = "unauthorized"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    SLOW_BODY = "slow_body"
    TOO_MANY_BYTES = "too_many_bytes"
    NO_IMAGE = "no_image"
    FOREIGN_HOST = "foreign_host"
    TOO_MANY_PIXELS = "too_many_pixels"
    DAMAGED = "damaged"
    ANIMATED = "animated"
    BAD_PARAMETER = "bad_parameter"
    INFERENCE_FAILED = "inference_failed"
    INTERNAL = "internal"
    NOT_READY = "not_ready"
    QUEUE_FULL = "queue_full"
    DEADLINE = "deadline"
    ENGINE_LOST = "engine_lost"


STATUSES: dict[Code, HTTPStatus] = {
    Code.EMPTY: HTTPStatus.BAD_REQUEST,
    Code.BAD_MULTIPART: HTTPStatus.BAD_REQUEST,
    Code.BAD_REQUEST: HTTPStatus.BAD_REQUEST,
    Code.UNAUTHORIZED: HTTPStatus.UNAUTHORIZED,
    Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Code.SLOW_BODY: HTTPStatus.REQUEST_TIMEOUT,
    Code.TOO_MANY_BYTES: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Code.NO_IMAGE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Code.FOREIGN_HOST: HTTPStatus.MISDIRECTED_REQUEST,
    Code.TOO_MANY_PIXELS: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.DAMAGED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.ANIMATED: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.BAD_PARAMETER: HTTPStatus.UNPROCESSABLE_ENTITY,
    Code.INFERENCE_FAILED: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
    Code.NOT_READY: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.QUEUE_FULL: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.DEADLINE: HTTPStatus.SERVICE_UNAVAILABLE,
    Code.ENGINE_LOST: HTTPStatus.SERVICE_UNAVAILABLE,
}


class RefusedRequestError(SitewatchError):
    """A request that gets no detections; the message is one line for whoever sent it.

    Attributes:
        code: why.
    """

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(" ".join(detail.split()))
        self.code = code

    @property
    def status(self) -> HTTPStatus:
        """What HTTP calls it."""
        return STATUSES[self.code]
