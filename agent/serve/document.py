"""What the OpenAPI document says beyond what the pages' own signatures do: bodies, errors, labels, the token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI

from agent.serve.multipart import MULTIPART, NAME
from agent.serve.problem import PROBLEM_TYPE
from agent.serve.refusal import STATUSES, Code
from agent.serve.service import Served

Responses = dict[int | str, dict[str, Any]]
_BYTES = {"type": "string", "format": "binary"}
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_RETRY = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "string"}}}
IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/bmp", "image/gif")
# Anybody may get these: from the gate, before a page is asked.
EVERYWHERE = (Code.FOREIGN_HOST, Code.INTERNAL)


def _problems(*codes: Code) -> Responses:
    """The errors a page gives, one entry a status."""
    by_status: Responses = {}
    for code in (*codes, *EVERYWHERE):
        status = STATUSES[code]
        entry = by_status.setdefault(int(status), {"description": "", "content": {PROBLEM_TYPE: {"schema": _PROBLEM}}})
        entry["description"] += f"{', ' if entry['description'] else 'code: '}{code.value}"
        if status == STATUSES[Code.QUEUE_FULL]:
            entry["headers"] = _RETRY
    return by_status


DETECT_ANSWERS: Responses = {
    200: {
        "description": "The detections, or with `answer` the picture with them drawn in.",
        "content": {"image/jpeg": {"schema": _BYTES}, "image/png": {"schema": _BYTES}},
    },
    **_problems(*(code for code in Code if code not in {Code.UNAUTHORIZED, Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED})),
}
DETECT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One picture: JPEG, PNG, WebP, BMP, or GIF of one frame.",
        "content": {
            **{kind: {"schema": _BYTES} for kind in (*IMAGE_TYPES, "application/octet-stream")},
            MULTIPART: {
                "schema": {
                    "type": "object",
                    "properties": {NAME: _BYTES},
                    "required": [NAME],
                    "additionalProperties": False,
                },
                "encoding": {NAME: {"contentType": ", ".join(IMAGE_TYPES)}},
            },
        },
    }
}
HEALTH_ANSWERS: Responses = {503: {"description": "A loop does not turn.", "model": None}, **_problems()}
READY_ANSWERS: Responses = {503: {"description": "Not ready.", "model": None}, **_problems()}
METRICS_ANSWERS: Responses = {
    200: {"description": "Metrics.", "content": {"text/plain": {"schema": {"type": "string"}}}},
    **_problems(),
}


def describe(app: FastAPI, served: Served, *, is_open: bool) -> None:
    """Let the document say everything: problems, the model's labels, and the token where one is needed."""
    made_by_fastapi = app.openapi

    def openapi() -> dict[str, Any]:
        document = made_by_fastapi()
        schemas = document["components"]["schemas"]
        schemas["Problem"] = _problem_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        _same_when_not_well(document["paths"])
        if served.service is not None:
            _name_labels(document["paths"]["/detect"]["post"]["parameters"], served.service.labels)
        if not is_open:
            _ask_for_token(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to extend the document


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    return {
        "type": "object",
        "description": "An error, after RFC 9457.",
        "properties": {
            "type": {"const": "about:blank"},
            "title": {**text, "description": "what HTTP calls it"},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {**text, "description": "one line for a person"},
            "code": {"enum": [code.value for code in Code], "description": "for programs; this list is closed"},
        },
        "required": ["type", "title", "status", "detail", "code"],
        "additionalProperties": False,
    }


def _same_when_not_well(paths: Mapping[str, Any]) -> None:
    """`/health` and `/ready` answer 503 in the same form as 200."""
    for path in ("/health", "/ready"):
        for operation in paths[path].values():
            operation["responses"]["503"]["content"] = operation["responses"]["200"]["content"]


def _name_labels(parameters: Sequence[Mapping[str, Any]], labels: tuple[str, ...]) -> None:
    """Say which labels there are."""
    schema = next(each["schema"] for each in parameters if each["name"] == "label")
    kinds = schema.get("anyOf", [schema])
    next(kind for kind in kinds if kind.get("type") == "array")["items"] = {"type": "string", "enum": list(labels)}


def _ask_for_token(document: dict[str, Any]) -> None:
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path in {"/health", "/ready"}:
                continue
            operation["security"] = [{"token": []}]
            operation["responses"].update({str(status): each for status, each in _problems(Code.UNAUTHORIZED).items()})
