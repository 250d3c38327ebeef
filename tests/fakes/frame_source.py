"""A source of made-up frames that keeps the promises of `FrameSource`, and a listener that keeps what it hears."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from agent.clock import SystemClock
from agent.errors import SourceError, SourceFailure
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import ClockSource, Frame, FrameInfo
from agent.stream.source import CameraContext, FrameNumbers

BEGINNING = datetime(2026, 1, 1, tzinfo=timezone.utc)


class RecordingListener:
    """Hears everything sources and cameras tell, as (name, arguments)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, tuple[Any, ...]]] = []

    def names(self) -> list[str]:
        return [name for name, _ in self.heard]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [arguments for heard, arguments in self.heard if heard == name]

    def opened(self, *arguments: object) -> None:
        self.heard.append(("opened", arguments))

    def decoded(self, *_arguments: object) -> None:
        """Too many to remember."""

    def corrupt(self, *arguments: object) -> None:
        self.heard.append(("corrupt", arguments))

    def ended_early(self, *arguments: object) -> None:
        self.heard.append(("ended_early", arguments))

    def clock_offset(self, *arguments: object) -> None:
        self.heard.append(("clock_offset", arguments))

    def starting(self, *arguments: object) -> None:
        self.heard.append(("starting", arguments))

    def captured(self, *arguments: object) -> None:
        self.heard.append(("captured", arguments))

    def not_due(self, *arguments: object) -> None:
        self.heard.append(("not_due", arguments))

    def lost(self, *arguments: object) -> None:
        self.heard.append(("lost", arguments))

    def ended(self, *arguments: object) -> None:
        self.heard.append(("ended", arguments))


def camera_context(listener: RecordingListener | None = None, numbers: FrameNumbers | None = None) -> CameraContext:
    """What a source of the camera `gate` is given."""
    return CameraContext("gate", SystemClock(), numbers or FrameNumbers(), listener or RecordingListener())


def make_frame(sequence: int, *, fps: float = 10.0, camera_id: str = "gate", size: tuple[int, int] = (64, 36)) -> Frame:
    """One grey frame, `sequence / fps` seconds after the beginning."""
    after_s = sequence / fps
    width, height = size
    at = BEGINNING + timedelta(seconds=after_s)
    info = FrameInfo(camera_id, sequence, at, ClockSource.PTS, 1000.0 + after_s, width, height)
    return Frame(info, ArrayPicture(np.full((height, width, 3), 128, np.uint8)))


class FakeFrameSource:
    """Yields so many frames, then ends, fails, or waits until it is closed.

    Args:
        count: how many frames.
        numbers: carried on from source to source.
        failure: raised after the frames, when given.
        waits: after the frames, block until closed.
        fps: of the frames' times.
    """

    def __init__(
        self,
        count: int,
        *,
        numbers: FrameNumbers | None = None,
        failure: SourceFailure | None = None,
        waits: bool = False,
        fps: float = 10.0,
    ) -> None:
        self._count = count
        self._numbers = numbers or FrameNumbers()
        self._failure = failure
        self._waits = waits
        self._fps = fps
        self._is_closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        return self._is_closed.is_set()

    def frames(self) -> Iterator[Frame]:
        for _ in range(self._count):
            if self._is_closed.is_set():
                return
            sequence, _ = self._numbers.stamp(0.0)
            yield make_frame(sequence, fps=self._fps)
        if self._waits:
            self._is_closed.wait()
        if self._failure is not None and not self._is_closed.is_set():
            raise SourceError("gate", self._failure, f"made up: {self._failure.value}")

    def close(self) -> None:
        self._is_closed.set()
