"""One camera's work from start to stop: open, deliver what is due, and come back when it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from agent.clock import Clock
from agent.errors import SourceError, SourceFailure
from agent.stream.due import DueGate
from agent.stream.frame import Frame, FrameInfo
from agent.stream.reconnect import Reconnect
from agent.stream.source import FrameSource

TURN_S = 0.5


class CameraListener(Protocol):
    """What a camera tells; called by the thread in `run()`."""

    def starting(self, camera_id: str) -> None:
        """It is about to be opened, for the first time or again."""

    def captured(self, info: FrameInfo) -> None:
        """A frame was decoded."""

    def not_due(self, camera_id: str) -> None:
        """A decoded frame was let go, since detection is not due."""

    def lost(self, camera_id: str, failure: SourceFailure, detail: str, retry_in_s: float) -> None:
        """It could not be opened or stopped delivering; it is tried again."""

    def ended(self, camera_id: str) -> None:
        """A clip that is played once has come to its end, or the camera was stopped."""


class Camera:
    """Runs one camera in one thread; `stop()` may be called by any other.

    Args:
        camera_id: whose frames these are.
        open_source: makes a new source; the camera's `FrameNumbers` are handed on to each by whoever wrote it.
        deliver: takes each due frame; may block where nothing may be lost.
        gate: which frames are due.
        clock: for how long a connection was healthy.
        happened: is told what happens.
        reconnect: how long to wait before each new attempt; None raises the first failure instead.
        beat: called every turn, also while waiting for a retry: this thread lives.
    """

    def __init__(
        self,
        camera_id: str,
        open_source: Callable[[], FrameSource],
        deliver: Callable[[Frame], None],
        *,
        gate: DueGate,
        clock: Clock,
        happened: CameraListener,
        reconnect: Reconnect | None,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._camera_id = camera_id
        self._open_source = open_source
        self._deliver = deliver
        self._gate = gate
        self._clock = clock
        self._happened = happened
        self._reconnect = reconnect
        self._beat = beat
        self._lock = threading.Lock()
        self._source: FrameSource | None = None
        self._is_stopped = threading.Event()
        self._first_frame_s: float | None = None

    def run(self) -> None:
        """Deliver frames until stopped, or until a clip that is played once has ended.

        Raises:
            SourceError: the source failed, and there is no `reconnect`.
        """
        try:
            while self._begin() and self._is_lost():
                pass
        finally:
            self._happened.ended(self._camera_id)

    def look_at(self, gate: DueGate) -> None:
        """From the next frame on, another gate decides which frames are due; any thread."""
        self._gate = gate

    def stop(self) -> None:
        """Make `run()` return soon, wherever it is; any thread, before `run()` too, and twice."""
        self._is_stopped.set()
        with self._lock:
            source = self._source
        if source is not None:
            source.close()

    def _begin(self) -> bool:
        """Have a new source, unless stopped."""
        self._beat()
        self._first_frame_s = None
        with self._lock:
            if self._is_stopped.is_set():
                return False
            self._source = self._open_source()
        self._happened.starting(self._camera_id)
        return True

    def _is_lost(self) -> bool:
        """Play until the end, or until the source fails and it is time to try again."""
        try:
            self._play()
        except SourceError as error:
            if self._reconnect is None:
                raise
            self._wait_after(error, self._reconnect)
            return True
        return False

    def _play(self) -> None:
        assert self._source is not None, "_begin made it"  # noqa: S101 - for the type checker
        try:
            for frame in self._source.frames():
                self._take(frame)
                if self._is_stopped.is_set():
                    return
        finally:
            self._source.close()

    def _take(self, frame: Frame) -> None:
        self._beat()
        if self._first_frame_s is None:
            self._first_frame_s = self._clock.monotonic_s()
        self._happened.captured(frame.info)
        if self._gate.is_due(frame.info.captured_monotonic_s):
            self._deliver(frame)
        else:
            self._happened.not_due(self._camera_id)

    def _wait_after(self, error: SourceError, reconnect: Reconnect) -> None:
        now_s = self._clock.monotonic_s()
        delay_s = reconnect.delay_s(0.0 if self._first_frame_s is None else now_s - self._first_frame_s)
        self._happened.lost(self._camera_id, error.failure, error.detail, delay_s)
        left_s = delay_s
        while left_s > 0 and not self._is_stopped.wait(min(left_s, TURN_S)):
            left_s -= TURN_S
            self._beat()
