"""What the pages ask: the model that is served, its queue, and whether it is ready."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from agent.clock import Clock
from agent.detect.detection_plan import DetectionPlan
from agent.serve.asked import Asked
from agent.serve.batch_queue import BatchQueue
from agent.serve.fitted_picture import fitted_frame
from agent.serve.job import Found, Job
from agent.serve.multipart import picture_of
from agent.serve.picture import SentPicture, read_picture
from agent.serve.refusal import Code, RefusedRequestError
from agent.stream.frame import BgrArray, Frame
from trackers import Detections

Draw = Callable[[BgrArray, Detections, tuple[str, ...]], None]


@dataclass(frozen=True)
class ServeLimits:
    """What one request may cost.

    Attributes:
        max_bytes: of a body.
        max_pixels: of a picture.
        requests: open at once; one more is refused.
        deadline_s: from a request's head to its answer.
    """

    max_bytes: int
    max_pixels: int
    requests: int
    deadline_s: float


@dataclass(frozen=True)
class EngineWords:
    """What answers say of an engine."""

    runtime: str
    version: str
    accelerator: str


@dataclass(frozen=True, eq=False)
class Searched:
    """A picture with what was found in it; `pixels` only where they were to be kept."""

    sent_format: str
    frame: Frame
    pixels: BgrArray | None
    found: Found
    decode_s: float


class DetectionService:
    """Searches pictures; `search` belongs to the event loop, which it never blocks."""

    def __init__(
        self,
        plan: DetectionPlan,
        engines: Mapping[str, Mapping[int, EngineWords]],
        queue: BatchQueue,
        limits: ServeLimits,
        decoders: Executor,
        clock: Clock,
    ) -> None:
        """A service over a queue that somebody takes from.

        Args:
            plan: how the model is fed and read.
            engines: by session, then by the most pictures that each engine takes.
            queue: towards the sessions.
            limits: of one request.
            decoders: threads that decode pictures.
            clock: dates them.
        """
        self.plan = plan
        self.limits = limits
        self.queue = queue
        self._engines = engines
        self._decoders = decoders
        self._clock = clock
        self._numbers = itertools.count(1)

    @property
    def labels(self) -> tuple[str, ...]:
        """Text of every class id."""
        return self.plan.labels.texts

    def engine_of(self, found: Found) -> EngineWords:
        """Which engine searched a picture."""
        by_size = self._engines[found.lane]
        return by_size[min(size for size in by_size if size >= found.batch)]

    async def search(self, body: bytes, content_type: str, asked: Asked, *, keep: bool) -> Searched:
        """Decode, wait for a session, search.

        Args:
            body: of the request.
            content_type: of it.
            asked: which detections count.
            keep: whether the picture's pixels are wanted afterwards.

        Raises:
            RefusedRequestError: it is no picture, or no session can search it.
        """
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        sent, frame = await loop.run_in_executor(self._decoders, self._prepared, body, content_type)
        decode_s = loop.time() - began_s
        form, pixels = sent.format, sent.pixels if keep else None
        del sent, body  # large, and waited with
        job = Job(frame, asked)
        self.queue.put(job)
        found = await asyncio.wrap_future(job.future)
        return Searched(form, frame, pixels, found, decode_s)

    async def apart(self, work: Callable[[], bytes]) -> bytes:
        """Do what takes long in a decoder's thread."""
        return await asyncio.get_running_loop().run_in_executor(self._decoders, work)

    def _prepared(self, body: bytes, content_type: str) -> tuple[SentPicture, Frame]:
        sent = read_picture(picture_of(body, content_type), self.limits.max_pixels)
        frame = fitted_frame(sent.pixels, self.plan, next(self._numbers), self._clock.now(), self._clock.monotonic_s())
        return sent, frame


class Served:
    """What is served right now, if anything; shared by the HTTP face and the main thread.

    Attributes:
        service: None while the model is being made ready.
        missing: what lacks for being ready, as sentences.
        is_draining: open requests are answered, then everything ends.
        is_model_changed: the model's file is no longer the one that was loaded.
        open_requests: requests for detections that are being answered; the event loop's own.
    """

    def __init__(self, stalled: Callable[[], Sequence[str]]) -> None:
        """Nothing yet.

        Args:
            stalled: names of the threads whose loop does not turn.
        """
        self.stalled = stalled
        self.service: DetectionService | None = None
        self.missing: tuple[str, ...] = ("starting",)
        self.is_draining = False
        self.is_model_changed = False
        self.open_requests = 0

    def lacks(self) -> list[str]:
        """What lacks for being ready, right now."""
        found = list(self.missing)
        if self.is_draining:
            found.append("the server stops: open requests are answered, then it ends")
        if self.service is not None and self.service.queue.lost:
            found.append(f"the engine was lost: {self.service.queue.lost}")
        return found

    def ready_service(self) -> DetectionService:
        """The service.

        Raises:
            RefusedRequestError: it is not ready yet.
        """
        if self.service is None or self.missing:
            raise RefusedRequestError(Code.NOT_READY, f"not ready: {'; '.join(self.missing)}; ask again later")
        return self.service
