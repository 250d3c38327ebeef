"""Pictures into a video file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from av.video.stream import VideoStream

from agent.errors import OutputError
from agent.stream.frame import BgrArray

MILLISECONDS = Fraction(1, 1000)
NOMINAL_RATE = 1000


class VideoWriter:
    """Writes H.264, or MPEG-4 where the installed FFmpeg has no H.264 encoder; opens the file at once.

    Pictures of another size than the first are scaled to it.

    Raises:
        OutputError: when made or by any method: the file cannot be written.
    """

    def __init__(self, path: Path, name: Path, width_px: int, height_px: int, started_s: float) -> None:
        """Open the file.

        Args:
            path: where to write.
            name: what errors call it.
            width_px: of the video; odd sizes are made even, as the encoders want it.
            height_px: as the width.
            started_s: the time of the first picture.
        """
        codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
        with _told(name):
            self._container = av.open(str(path), "w")
            stream = self._container.add_stream(codec, rate=NOMINAL_RATE)
        if not isinstance(stream, VideoStream):
            raise TypeError(f"{codec} is no video encoder")
        stream.width, stream.height = max(width_px - width_px % 2, 2), max(height_px - height_px % 2, 2)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = MILLISECONDS
        self._name = name
        self._stream = stream
        self._started_s = started_s
        self._last_pts = -1

    def write(self, picture: BgrArray, at_s: float) -> None:
        """Append one uint8 (height, width, 3) BGR picture, shown at its own time."""
        size = (self._stream.width, self._stream.height)
        if picture.shape[1::-1] != size:
            picture = cv2.resize(picture, size).astype(np.uint8, copy=False)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="bgr24")
        frame.time_base = MILLISECONDS
        frame.pts = self._last_pts = max(round((at_s - self._started_s) / MILLISECONDS), self._last_pts + 1)
        with _told(self._name):
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Flush and finish the file."""
        with _told(self._name):
            try:
                self._container.mux(self._stream.encode(None))
            finally:
                self._container.close()


@contextmanager
def _told(name: Path) -> Iterator[None]:
    """FFmpeg's errors as ours."""
    try:
        yield
    except (OSError, ValueError, FFmpegError) as error:  # ValueError: an ending that no container format has
        raise OutputError(f"{name}: the video cannot be written: {error}") from error
