"""The pages: `POST /detect`, `/health`, `/ready`, `/metrics`, and `/openapi.json`, which tells of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from agent.serve.answer import DetectAnswer, HealthAnswer, ReadyAnswer
from agent.serve.asked import Asked, refuse_unknown
from agent.serve.detect_page import AnswerForm, DetectPage
from agent.serve.document import DETECT_ANSWERS, DETECT_BODY, HEALTH_ANSWERS, METRICS_ANSWERS, READY_ANSWERS, describe
from agent.serve.problem import tell_problems
from agent.serve.serve_gate import ServeGate
from agent.serve.service import Draw, Served
from agent.telemetry.serve import ServeHappenings

MOST_DETECTIONS = 10_000
PAGES = frozenset({"/detect", "/health", "/ready", "/metrics", "/openapi.json"})

Threshold = Annotated[float | None, Query(ge=0, le=1)]
MaxDetections = Annotated[int | None, Query(ge=1, le=MOST_DETECTIONS)]
LabelsAsked = Annotated[list[str] | None, Query(alias="label")]


@dataclass(frozen=True, eq=False)
class Face:
    """What the pages are made of.

    Attributes:
        served: what is served right now.
        registry: the metrics.
        happened: is told of every answer.
        usual: what counts where a request does not say.
        draw: draws detections into a picture itself.
        version: ours.
        token: what every request must bear; None serves this machine only.
    """

    served: Served
    registry: CollectorRegistry
    happened: ServeHappenings
    usual: Asked
    draw: Draw
    version: str
    token: str | None = None


def make_app(face: Face) -> FastAPI:
    """The pages behind the gate. Each is a coroutine; what takes long is done in threads of the service."""
    app = FastAPI(title="sitewatch serve", version=face.version, docs_url=None, redoc_url=None, redirect_slashes=False)
    _add_detect(app, face)
    _add_looks(app, face)
    tell_problems(app, face.happened)
    describe(app, face.served, is_open=face.token is None)
    app.add_middleware(ServeGate, token=face.token, happened=face.happened, pages=PAGES)
    return app


def _add_detect(app: FastAPI, face: Face) -> None:
    page, usual = DetectPage(face.served, face.draw), face.usual

    @app.post("/detect", response_model=DetectAnswer, responses=DETECT_ANSWERS, openapi_extra=DETECT_BODY)
    async def detect(
        request: Request,
        score_threshold: Threshold = None,
        iou_threshold: Threshold = None,
        max_detections: MaxDetections = None,
        labels: LabelsAsked = None,
        answer: AnswerForm = "json",
    ) -> Response:
        """Find objects in one picture: the body itself, or the part `image` of a form."""
        if labels is not None:
            refuse_unknown(labels, face.served.ready_service().labels)
        asked = Asked(
            usual.score_threshold if score_threshold is None else score_threshold,
            usual.iou_threshold if iou_threshold is None else iou_threshold,
            usual.max_detections if max_detections is None else max_detections,
            None if labels is None else frozenset(labels),
        )
        return await page.answer(request, asked, answer)


def _add_looks(app: FastAPI, face: Face) -> None:
    served = face.served

    async def health() -> Response:
        """Whether every loop turns: 503 asks for a new process."""
        stalled = list(served.stalled())
        return _look(HealthAnswer(not stalled, stalled), is_good=not stalled)

    async def ready() -> Response:
        """Whether pictures are searched: 503 while the model is made ready, and while the server stops."""
        lacks = served.lacks()
        return _look(ReadyAnswer(not lacks, lacks, served.is_model_changed), is_good=not lacks)

    async def metrics(request: Request) -> Response:
        """Metrics for Prometheus."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(face.registry), headers={"content-type": content_type})

    _add_page(app, "/health", health, response_model=HealthAnswer, responses=HEALTH_ANSWERS)
    _add_page(app, "/ready", ready, response_model=ReadyAnswer, responses=READY_ANSWERS)
    _add_page(app, "/metrics", metrics, response_class=Response, responses=METRICS_ANSWERS)


def _add_page(app: FastAPI, path: str, page: Callable[..., Awaitable[Response]], **documented: Any) -> None:  # noqa: ANN401 - as FastAPI takes them
    """One page for GET and HEAD; the two that stand in the document, each with an id of its own, are never reached."""
    app.add_api_route(path, page, methods=["GET", "HEAD"], include_in_schema=False, response_model=None)
    for method in ("GET", "HEAD"):
        name = f"{path.strip('/')}_{method.lower()}"
        app.add_api_route(path, page, methods=[method], operation_id=name, **documented)


def _look(content: HealthAnswer | ReadyAnswer, *, is_good: bool) -> Response:
    return JSONResponse(asdict(content), HTTPStatus.OK if is_good else HTTPStatus.SERVICE_UNAVAILABLE)
