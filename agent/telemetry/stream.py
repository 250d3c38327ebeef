"""How the capture of cameras is told: what was opened, lost and recovered, and what became of each frame."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Protocol

from agent.errors import SourceFailure
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller


class FrameShape(Protocol):
    """What is told of a decoded frame; telemetry knows the steps' records by shape only."""

    @property
    def camera_id(self) -> str:
        """The camera."""

    @property
    def captured_at(self) -> datetime:
        """UTC wall time of capture."""


class StreamShape(Protocol):
    """What is told of an open stream."""

    @property
    def width_px(self) -> int:
        """Of its picture."""

    @property
    def height_px(self) -> int:
        """Of its picture."""

    @property
    def fps(self) -> float | None:
        """As it says of itself."""

    @property
    def codec(self) -> str:
        """FFmpeg's name of it."""


class CameraState(str, Enum):
    """Where a camera is in its life."""

    STARTING = "starting"
    UP = "up"
    RETRYING = "retrying"
    ENDED = "ended"


class FrameDrop(str, Enum):
    """Why a due frame was not detected in."""

    SLOT = "slot"
    STALE = "stale"
    INFERENCE_FAILED = "inference_failed"


StateListener = Callable[[str, CameraState, SourceFailure | None, str], None]


class StreamHappenings:
    """Tells what cameras do; any thread may call it.

    Args:
        teller: counts and writes.
        stages: is told how long decoding took.
        on_state: called with camera id, state, reason and a sentence whenever one of them changes; by the thread
            that caused it, so it must be quick.

    Attributes:
        early_ends: what was told of clips that gave less than they promised, by camera.
        captured_frames: how many frames were decoded so far, by camera.
    """

    def __init__(self, teller: Teller, stages: PipelineHappenings, on_state: StateListener | None = None) -> None:
        self._teller = teller
        self._stages = stages
        self._on_state = on_state
        self.early_ends: dict[str, str] = {}
        self.captured_frames: dict[str, int] = {}
        self._lock = threading.Lock()
        self._states: dict[str, tuple[CameraState, SourceFailure | None, str]] = {}
        self._was_lost: set[str] = set()
        self._frames = teller.counter("frames", "Decoded frames by what became of them.", ("camera", "outcome"))
        self._up = teller.gauge("camera_up", "1 while a camera delivers frames, else 0.", ("camera",))
        self._reconnects = teller.counter(
            "camera_reconnects", "Times a camera was lost or not reached and is tried again.", ("camera", "reason")
        )
        self._last_frame = teller.gauge(
            "camera_last_frame_timestamp_seconds", "Capture time of the last decoded frame, Unix time.", ("camera",)
        )
        self._offset = teller.gauge(
            "camera_clock_offset_seconds", "The camera's own clock minus ours, from its RTCP reports.", ("camera",)
        )

    def starting(self, camera_id: str) -> None:
        """A camera is about to be opened, for the first time or again."""
        if camera_id not in self._states:
            self._up.labels(camera_id).set(0)
            self._set_state(camera_id, CameraState.STARTING, None, "opening")

    def opened(self, camera_id: str, stream: StreamShape) -> None:
        """The first frame is here, or the picture has a new size."""
        rate = f"{stream.fps:.4g} fps" if stream.fps else "unknown rate"
        detail = f"{stream.width_px}x{stream.height_px}, {rate}, {stream.codec}"
        with self._lock:
            verb = "is back" if camera_id in self._was_lost else "delivers"
            self._was_lost.discard(camera_id)
        self._teller.say(logging.INFO, f"{camera_id} {verb}: {detail}", camera=camera_id)
        self._up.labels(camera_id).set(1)
        self._set_state(camera_id, CameraState.UP, None, detail)

    def captured(self, info: FrameShape) -> None:
        """A frame was decoded."""
        self.captured_frames[info.camera_id] = self.captured_frames.get(info.camera_id, 0) + 1
        self._frames.labels(info.camera_id, "captured").inc()
        self._last_frame.labels(info.camera_id).set(info.captured_at.timestamp())

    def not_due(self, camera_id: str) -> None:
        """A decoded frame was let go, since detection is not due."""
        self._frames.labels(camera_id, "not_due").inc()

    def detected(self, camera_id: str) -> None:
        """A due frame was detected in."""
        self._frames.labels(camera_id, "detected").inc()

    def frame_dropped(self, camera_id: str, reason: FrameDrop) -> None:
        """A due frame was not detected in; counted as outcome `dropped_<reason>`."""
        self._frames.labels(camera_id, f"dropped_{FrameDrop(reason).value}").inc()
        self._teller.fold(
            ("frame_dropped", camera_id, reason),
            logging.INFO if reason is FrameDrop.SLOT else logging.WARNING,
            f"{camera_id}: {{count}} frames dropped in {{seconds}} s ({FrameDrop(reason).value})",
            camera=camera_id,
            reason=FrameDrop(reason).value,
        )

    def decoded(self, camera_id: str, seconds: float) -> None:
        """A frame was decoded within so many seconds."""
        self._stages.stage_took("decode", camera_id, seconds)

    def corrupt(self, camera_id: str, count: int) -> None:
        """So many packets or pictures were damaged."""
        self._frames.labels(camera_id, "corrupt").inc(count)
        self._teller.fold(
            ("corrupt", camera_id),
            logging.WARNING,
            f"{camera_id}: {{count}} damaged packets or pictures in {{seconds}} s",
            count=count,
            camera=camera_id,
        )

    def clock_offset(self, camera_id: str, offset_s: float) -> None:
        """The camera's own clock is this many seconds ahead of ours."""
        self._offset.labels(camera_id).set(offset_s)

    def ended_early(self, camera_id: str, detail: str) -> None:
        """A clip gave less than it promised."""
        self.early_ends[camera_id] = detail
        self._teller.say(logging.WARNING, f"{camera_id}: {detail}", camera=camera_id)

    def lost(self, camera_id: str, failure: SourceFailure, detail: str, retry_in_s: float) -> None:
        """A camera could not be opened or stopped delivering; it is tried again."""
        self._reconnects.labels(camera_id, failure.value).inc()
        self._up.labels(camera_id).set(0)
        with self._lock:
            self._was_lost.add(camera_id)
        is_news = self._set_state(camera_id, CameraState.RETRYING, failure, detail)
        self._teller.say(
            logging.WARNING if is_news else logging.DEBUG,
            f"{camera_id} is lost ({failure.value}): {detail}; next attempt in {retry_in_s:.1f} s",
            camera=camera_id,
            reason=failure.value,
        )

    def ended(self, camera_id: str) -> None:
        """A clip that is played once has come to its end, or the camera was stopped."""
        self._up.labels(camera_id).set(0)
        detail = self.early_ends.get(camera_id, "ended")
        if self._set_state(camera_id, CameraState.ENDED, None, detail):
            self._teller.say(logging.INFO, f"{camera_id} has ended", camera=camera_id)

    def removed(self, camera_id: str) -> None:
        """A camera left while the others go on, for good or to begin anew; it shows nothing of itself meanwhile."""
        with self._lock:
            self._states.pop(camera_id, None)
            self._was_lost.discard(camera_id)
        self.early_ends.pop(camera_id, None)
        self.captured_frames.pop(camera_id, None)
        for gauge in (self._up, self._last_frame, self._offset):
            with contextlib.suppress(KeyError):
                gauge.remove(camera_id)

    def state(self, camera_id: str) -> tuple[CameraState, SourceFailure | None, str] | None:
        """State, reason and detail of a camera; None before it was started."""
        with self._lock:
            return self._states.get(camera_id)

    def _set_state(self, camera_id: str, state: CameraState, reason: SourceFailure | None, detail: str) -> bool:
        """Keep and pass on a state; whether state or reason are news."""
        with self._lock:
            before = self._states.get(camera_id)
            self._states[camera_id] = (state, reason, detail)
        if self._on_state is not None and before != (state, reason, detail):
            self._on_state(camera_id, state, reason, detail)
        return before is None or before[:2] != (state, reason)
