"""A picture that was brought to the model's size before its turn, so that a session does not wait for it."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from agent.detect.detection_plan import DetectionPlan
from agent.detect.letterbox import fit_frame
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import BgrArray, ClockSource, Frame, FrameInfo, GreyArray

# In metrics that know cameras.
CAMERA_ID = "http"


class FittedPicture:
    """Holds only what the model is shown; small, however large the picture was."""

    def __init__(self, pixels: BgrArray) -> None:
        self._pixels = pixels

    def scaled(self, width_px: int, height_px: int) -> BgrArray:
        """See `Picture`."""
        return ArrayPicture(self._pixels).scaled(width_px, height_px)

    def full(self) -> BgrArray:
        """See `Picture`; the whole picture as the model is shown it."""
        return self._pixels.copy()

    def grey(self, width_px: int, height_px: int) -> GreyArray:
        """See `Picture`."""
        return ArrayPicture(self._pixels).grey(width_px, height_px)


def fitted_frame(pixels: BgrArray, plan: DetectionPlan, number: int, now: datetime, now_s: float) -> Frame:
    """A frame that is ready for the model of `plan`; takes as long as the resizing. Any thread.

    Args:
        pixels: uint8 (height, width, 3) BGR.
        plan: tells the model's size, and how frames are laid into it.
        number: of the request.
        now: wall time.
        now_s: monotonic seconds.
    """
    height_px, width_px = pixels.shape[:2]
    model_px = (plan.image.width_px, plan.image.height_px)
    box = fit_frame((width_px, height_px), model_px, plan.preprocessing.fit)
    fitted = ArrayPicture(pixels).scaled(box.width_px, box.height_px)
    info = FrameInfo(CAMERA_ID, number, now, ClockSource.HOST, now_s, width_px, height_px)
    return Frame(info, FittedPicture(np.ascontiguousarray(fitted)))
