"""One picture on its way through an engine session, and what comes of it."""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field

from agent.serve.asked import Asked
from agent.serve.refusal import RefusedRequestError
from agent.stream.frame import Frame
from trackers import Detections


@dataclass(frozen=True, eq=False)
class Found:
    """What a session made of one picture.

    Attributes:
        detections: in pixels of the picture, not clipped, best score first.
        lane: of the session.
        batch: pictures in the same inference.
        waited_s: from being put into the queue to being taken out.
        detect_s: of the whole batch.
    """

    detections: Detections
    lane: str
    batch: int
    waited_s: float
    detect_s: float


@dataclass(frozen=True, eq=False)
class Job:
    """One picture that waits, or is being searched; settled once, by whoever is first."""

    frame: Frame
    asked: Asked
    future: Future[Found] = field(default_factory=Future)

    def settle(self, found: Found) -> None:
        """It was searched."""
        with suppress(InvalidStateError):
            self.future.set_result(found)

    def refuse(self, error: RefusedRequestError) -> None:
        """It cannot be."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)
