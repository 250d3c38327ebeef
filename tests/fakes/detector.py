"""A detector that answers as it is told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.errors import DetectionError
from agent.stream.frame import Frame
from trackers import Detections


def see_nothing(_frame: Frame) -> Detections:
    """The answer for a frame in which there is nothing."""
    return Detections.empty()


class FakeDetector:
    """An `agent.detect.detector.Detector` without a model; used by one thread.

    Attributes:
        batches: the frames of every call, in order.
        failures: how many of the next calls shall raise DetectionError.
        is_closed: whether `close` was called.
    """

    def __init__(
        self, labels: tuple[str, ...] = ("person",), answer: Callable[[Frame], Detections] = see_nothing
    ) -> None:
        self._labels = labels
        self._answer = answer
        self.batches: list[tuple[Frame, ...]] = []
        self.failures = 0
        self.is_closed = False

    @property
    def labels(self) -> tuple[str, ...]:
        """Text of every class id, in order."""
        return self._labels

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What `answer` says of each frame.

        Raises:
            DetectionError: as many times as `failures` says.
        """
        if self.is_closed:
            raise AssertionError("detect was called after close")
        self.batches.append(tuple(frames))
        if self.failures > 0:
            self.failures -= 1
            raise DetectionError("told to fail")
        return [self._answer(frame) for frame in frames]

    def close(self) -> None:
        """Note it; may be called twice."""
        self.is_closed = True
