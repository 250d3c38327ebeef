"""A clip drawn on the spot, for a machine that has none and no network: shapes that cross a plain one by one."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

NAME = "drawn.mp4"
WIDTH_PX, HEIGHT_PX, FPS, SECONDS = 640, 360, 10, 24
SIDE_PX = 56
# Of each shape: colour (BGR), top edge, speed in pixels a second (negative from the right), first second.
SHAPES = (
    ((60, 60, 200), 60, 100, 1),
    ((190, 90, 40), 160, -80, 4),
    ((70, 160, 60), 260, 130, 12),
)


def draw_clip(folder: Path) -> Path:
    """Write the clip into a folder that is there, and give its path.

    Raises:
        OSError: the folder cannot be written.
    """
    path = folder / NAME
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = WIDTH_PX, HEIGHT_PX, "yuv420p", 2_000_000
        for number in range(FPS * SECONDS):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_picture(number / FPS), format="bgr24")))
        container.mux(stream.encode(None))
    return path


def _picture(at_s: float) -> npt.NDArray[np.uint8]:
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), 150, np.uint8)
    for color, top, speed, first_s in SHAPES:
        travelled = int((at_s - first_s) * speed)
        left = travelled - SIDE_PX if speed > 0 else WIDTH_PX + travelled
        if at_s >= first_s:
            picture[top : top + SIDE_PX, max(left, 0) : max(left + SIDE_PX, 0)] = color
    return picture
