"""The seam behind which every kind of camera and clip delivers frames, and what a source tells while it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.clock import Clock
from agent.stream.frame import Frame


class FrameSource(Protocol):
    """One connection to one camera, or one playing of one clip; made once, used once.

    `frames()` is called once and consumed by one thread. It opens the source, yields frames whose sequence and
    monotonic time only rise, and raises `SourceError` with a typed reason when the source fails. It returns
    normally in two cases: a clip that is played once has ended, or `close()` was called.

    `close()` may be called by any thread, before, during and after `frames()`, and as often as one likes. A
    `frames()` that waits for the network, a device or the next moment of a clip returns within a second.
    """

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the source fails, ends or is closed."""

    def close(self) -> None:
        """End `frames()` soon and let go of the connection."""


@dataclass(frozen=True)
class OpenedStream:
    """What a source turned out to deliver, known with its first frame or when its size changes.

    Attributes:
        width_px, height_px: size of the picture.
        fps: what the stream says of itself; None where it says nothing.
        codec: FFmpeg's name of the codec, or the kind of device.
    """

    width_px: int
    height_px: int
    fps: float | None
    codec: str


class SourceListener(Protocol):
    """What a source tells while it runs; called by the thread that consumes `frames()`."""

    def opened(self, camera_id: str, stream: OpenedStream) -> None:
        """The first frame is here, or the picture has a new size."""

    def decoded(self, camera_id: str, seconds: float) -> None:
        """A frame was decoded within so many seconds; not told by devices that decode by themselves."""

    def corrupt(self, camera_id: str, count: int) -> None:
        """So many packets or pictures were damaged; the stream goes on."""

    def ended_early(self, camera_id: str, detail: str) -> None:
        """A clip gave less than it promised; what was there has been delivered."""

    def clock_offset(self, camera_id: str, offset_s: float) -> None:
        """The camera's own clock is this many seconds ahead of ours (behind when negative)."""


class FrameNumbers:
    """What one camera's successive sources have in common: a sequence that rises and a time that never falls.

    Given to each new source of the camera in turn; used by one thread at a time.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self._latest_s = float("-inf")

    def stamp(self, captured_monotonic_s: float) -> tuple[int, float]:
        """The next frame's sequence, from 1, and its time, held back from falling behind the last one's."""
        self._sequence += 1
        self._latest_s = max(self._latest_s, captured_monotonic_s)
        return self._sequence, self._latest_s


def _no_beat() -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class CameraContext:
    """What every source of one camera is given.

    Attributes:
        camera_id: whose frames these are.
        clock: for times of arrival and time-outs.
        numbers: one for the life of the camera, so that sequence and time rise over its reconnects.
        listener: is told what happens.
        beat: called at least every second while frames are waited for.
    """

    camera_id: str
    clock: Clock
    numbers: FrameNumbers
    listener: SourceListener
    beat: Callable[[], None] = _no_beat
