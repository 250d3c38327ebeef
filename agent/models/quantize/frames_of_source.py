"""Some frames of a clip or a camera, through the sources that the agent itself opens."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from agent.clock import SystemClock
from agent.errors import ToolInputError
from agent.settings.models import CameraSettings, Pace, Playback
from agent.settings.types import SourceAddress
from agent.settings.types.refused import RefusedError
from agent.stream.frame import BgrArray, Frame
from agent.stream.open_source import open_source
from agent.stream.source import FrameNumbers, FrameSource, OpenedStream

CAMERA_ID = "calibration"

Paint = Callable[[Frame], BgrArray]
Progress = Callable[[int, int], None]


def parse_source(written: str) -> SourceAddress:
    """What an operator wrote, as an address.

    Raises:
        ToolInputError: nothing that can be opened.
    """
    try:
        return SourceAddress.parse(written, Path.cwd())
    except RefusedError as error:
        raise ToolInputError(
            f"--pictures: a folder of pictures, a .npy set, or what a camera may be: {error}"
        ) from error


def frames_of_clip(address: SourceAddress, count: int, paint: Paint, progress: Progress) -> list[BgrArray]:
    """Up to `count` pictures, spread evenly over the whole clip, whose length need not be known.

    Every frame is kept at first; whenever there are twice as many as wanted, every other one goes.

    Raises:
        SourceError: it cannot be read.
    """
    kept: list[BgrArray] = []
    step = 1
    with closing(_opened(address)) as source:
        for number, frame in enumerate(source.frames()):
            if number % step:
                continue
            kept.append(paint(frame))
            if len(kept) == 2 * count:
                kept, step = kept[::2], step * 2
            progress(min(len(kept), count), count)
    places = [round(place * (len(kept) - 1) / max(count - 1, 1)) for place in range(min(count, len(kept)))]
    return [kept[place] for place in places] if len(kept) > count else kept


def frames_of_live(
    address: SourceAddress, count: int, interval_s: float, paint: Paint, progress: Progress
) -> list[BgrArray]:
    """`count` pictures, one every so many seconds; fewer where the stream ends before.

    Raises:
        SourceError: it cannot be opened, or stalls.
    """
    kept: list[BgrArray] = []
    due_s = float("-inf")
    with closing(_opened(address)) as source:
        for frame in source.frames():
            if frame.info.captured_monotonic_s < due_s:
                continue
            due_s = frame.info.captured_monotonic_s + interval_s
            kept.append(paint(frame))
            progress(len(kept), count)
            if len(kept) == count:
                break
    return kept


def _opened(address: SourceAddress) -> FrameSource:
    settings = CameraSettings(source=address, pace=Pace.FAST, playback=Playback.ONCE)
    return open_source(CAMERA_ID, settings, clock=SystemClock(), numbers=FrameNumbers(), listener=_Nobody())


class _Nobody:
    """A listener that needs to know nothing."""

    def opened(self, camera_id: str, stream: OpenedStream) -> None:
        """See `SourceListener`."""

    def decoded(self, camera_id: str, seconds: float) -> None:
        """See `SourceListener`."""

    def corrupt(self, camera_id: str, count: int) -> None:
        """See `SourceListener`."""

    def ended_early(self, camera_id: str, detail: str) -> None:
        """See `SourceListener`."""

    def clock_offset(self, camera_id: str, offset_s: float) -> None:
        """See `SourceListener`."""
