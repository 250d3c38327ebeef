"""Pictures of no camera and no time, as frames."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import BgrArray, ClockSource, Frame, FrameInfo


def stills(pictures: Sequence[BgrArray]) -> tuple[Frame, ...]:
    """Each picture, uint8 (height, width, 3) BGR, as a frame."""
    began = datetime.fromtimestamp(0, timezone.utc)
    return tuple(
        Frame(
            FrameInfo("exam", 1, began, ClockSource.HOST, 0.0, picture.shape[1], picture.shape[0]),
            ArrayPicture(picture),
        )
        for picture in pictures
    )
