"""`POST /detect`: from a request to its answer, within its deadline and its share of memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Literal, TypeVar

import cv2
from fastapi import Request, Response
from fastapi.responses import JSONResponse

from agent.serve.answer import (
    Clocked,
    DetectAnswer,
    Engine,
    Model,
    Picture,
    told_detections,
    told_thresholds,
)
from agent.serve.asked import Asked
from agent.serve.body import read_body
from agent.serve.refusal import Code, RefusedRequestError
from agent.serve.service import DetectionService, Draw, Searched, Served

T = TypeVar("T")
AnswerForm = Literal["json", "jpeg", "png"]
JPEG_QUALITY = 90
MEDIA_TYPES: dict[AnswerForm, str] = {"json": "application/json", "jpeg": "image/jpeg", "png": "image/png"}


@dataclass(frozen=True)
class _Time:
    """How much of it a request has left."""

    began_s: float
    until_s: float

    @property
    def gone_s(self) -> float:
        return time.monotonic() - self.began_s

    async def within(self, work: Awaitable[T], code: Code, doing: str) -> T:
        """What `work` gives.

        Raises:
            RefusedRequestError: the deadline came first.
        """
        try:
            return await asyncio.wait_for(work, max(0.0, self.until_s - time.monotonic()))
        except (asyncio.TimeoutError, TimeoutError) as error:
            limit_s = self.until_s - self.began_s
            raise RefusedRequestError(code, f"{doing} took longer than the deadline of {limit_s:g} s") from error


class DetectPage:
    """Answers `POST /detect`; used by the event loop."""

    def __init__(self, served: Served, draw: Draw) -> None:
        self._served = served
        self._draw = draw

    async def answer(self, request: Request, asked: Asked, form: AnswerForm) -> Response:
        """The detections in the picture that a request brings, or the picture with them drawn in.

        Raises:
            RefusedRequestError: why there are none.
        """
        service = self._served.ready_service()
        began_s = time.monotonic()
        clock = _Time(began_s, began_s + service.limits.deadline_s)
        async with self._place(service):
            body = await clock.within(
                read_body(request, service.limits.max_bytes), Code.SLOW_BODY, "receiving the body"
            )
            read_s = clock.gone_s
            work = service.search(body, request.headers.get("content-type", ""), asked, keep=form != "json")
            del body
            searched = await clock.within(work, Code.DEADLINE, "searching the picture")
            if form != "json":
                drawn = service.apart(lambda: self._drawn(searched, service.labels, form))
                return Response(await clock.within(drawn, Code.DEADLINE, "drawing"), media_type=MEDIA_TYPES[form])
            clocked = Clocked(read_s, searched.decode_s, clock.gone_s)
            return JSONResponse(asdict(_told(service, searched, asked, clocked)))

    @asynccontextmanager
    async def _place(self, service: DetectionService) -> AsyncIterator[None]:
        """One of the requests that may be open at once."""
        if self._served.open_requests >= service.limits.requests:
            raise RefusedRequestError(
                Code.QUEUE_FULL, f"{self._served.open_requests} requests wait already; ask again later"
            )
        self._served.open_requests += 1
        try:
            yield
        finally:
            self._served.open_requests -= 1

    def _drawn(self, searched: Searched, labels: tuple[str, ...], form: AnswerForm) -> bytes:
        pixels = searched.pixels
        assert pixels is not None, "kept, as the answer is a picture"  # noqa: S101 - for the type checker
        self._draw(pixels, searched.found.detections, labels)
        how = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if form == "jpeg" else []
        try:
            is_good, encoded = cv2.imencode(f".{form}", pixels, how)
        except cv2.error as error:
            raise RefusedRequestError(Code.TOO_MANY_PIXELS, f"no {form} can hold a picture of this size") from error
        if not is_good:
            raise RefusedRequestError(Code.TOO_MANY_PIXELS, f"no {form} can hold a picture of this size")
        return encoded.tobytes()


def _told(service: DetectionService, searched: Searched, asked: Asked, clocked: Clocked) -> DetectAnswer:
    plan, found, info = service.plan, searched.found, searched.frame.info
    engine = service.engine_of(found)
    return DetectAnswer(
        image=Picture(info.width_px, info.height_px, searched.sent_format),  # type: ignore[arg-type] # one of FORMATS
        detections=told_detections(found.detections, service.labels),
        model=Model(plan.model, plan.family, plan.sha256),
        engine=Engine(engine.runtime, engine.version, engine.accelerator, found.lane, found.batch),
        thresholds=told_thresholds(asked),
        timings=clocked.told(found),
    )
