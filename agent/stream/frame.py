"""One decoded picture with its times: what a source makes and every later step carries along."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

BgrArray = npt.NDArray[np.uint8]
GreyArray = npt.NDArray[np.uint8]


class ClockSource(str, Enum):
    """Where a frame's wall time comes from, best first."""

    RTCP = "rtcp"
    PTS = "pts"
    HOST = "host"


@dataclass(frozen=True)
class FrameInfo:
    """Identity and times of one frame.

    Attributes:
        camera_id: the camera's name in the site file.
        sequence: +1 per decoded frame of this camera, rising across reconnects; gaps downstream are drops.
        captured_at: UTC wall time of capture.
        clock_source: what `captured_at` rests on: the camera's clock, stream time anchored to ours, or ours.
        captured_monotonic_s: the same moment on our monotonic clock, seconds; for latency and the tracker. Of a
            file played as fast as it goes it is the anchor plus media time.
        width_px, height_px: size of the stream's picture.
    """

    camera_id: str
    sequence: int
    captured_at: datetime
    clock_source: ClockSource
    captured_monotonic_s: float
    width_px: int
    height_px: int


class Picture(Protocol):
    """Pixels that are converted only when asked for. Any thread may ask; results are the caller's own."""

    def scaled(self, width_px: int, height_px: int) -> BgrArray:
        """The whole picture at another size: uint8 (height, width, 3) BGR, straight from the decoder's format."""

    def full(self) -> BgrArray:
        """The whole picture: uint8 (height, width, 3) BGR."""

    def grey(self, width_px: int, height_px: int) -> GreyArray:
        """The whole picture's brightness at another size: uint8 (height, width), 0 black to 255 white."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One decoded picture with its times."""

    info: FrameInfo
    picture: Picture
