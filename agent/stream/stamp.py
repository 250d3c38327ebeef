"""The times of one frame, and how they go into its `FrameInfo`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from agent.stream.frame import ClockSource, FrameInfo
from agent.stream.source import FrameNumbers


@dataclass(frozen=True)
class Stamp:
    """When a frame was captured, as well as it can be known.

    Attributes:
        captured_at: UTC wall time.
        captured_monotonic_s: the same moment on our monotonic clock.
        clock_source: what `captured_at` rests on.
        clock_offset_s: the camera's clock minus ours at that moment; None where its clock is not known.
    """

    captured_at: datetime
    captured_monotonic_s: float
    clock_source: ClockSource
    clock_offset_s: float | None = None


def frame_info(camera_id: str, numbers: FrameNumbers, stamp: Stamp, size_px: tuple[int, int]) -> FrameInfo:
    """Number a frame and write down its times; `size_px` is (width, height)."""
    sequence, monotonic_s = numbers.stamp(stamp.captured_monotonic_s)
    width_px, height_px = size_px
    return FrameInfo(
        camera_id=camera_id,
        sequence=sequence,
        captured_at=stamp.captured_at,
        clock_source=stamp.clock_source,
        captured_monotonic_s=monotonic_s,
        width_px=width_px,
        height_px=height_px,
    )
