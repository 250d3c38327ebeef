"""How a frame was laid into the model's picture, and the only way back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
import numpy.typing as npt

Float32Array = npt.NDArray[np.float32]


class Fit(str, Enum):
    """How a frame of any shape becomes a picture of the model's shape."""

    LETTERBOX_TOP_LEFT = "letterbox_top_left"
    LETTERBOX_CENTRE = "letterbox_centre"
    STRETCH = "stretch"


@dataclass(frozen=True)
class Letterbox:
    """Scale and padding from frame to model input: model px = frame px * scale + pad.

    Attributes:
        scale_x, scale_y: model pixels per frame pixel. Of a letterbox they differ by rounding to whole pixels only.
        pad_x_px, pad_y_px: where the scaled frame's top left corner lies in the model's picture.
        width_px, height_px: size of the scaled frame.
    """

    scale_x: float
    scale_y: float
    pad_x_px: int
    pad_y_px: int
    width_px: int
    height_px: int

    def to_frame(self, boxes: npt.NDArray[np.floating[Any]]) -> Float32Array:
        """Boxes (N, 4) x1 y1 x2 y2 in model pixels, as float32 (N, 4) in frame pixels; not clipped."""
        pad = np.array([self.pad_x_px, self.pad_y_px] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        return (np.asarray(boxes, np.float32) - pad) / scale


def fit_frame(frame_px: tuple[int, int], model_px: tuple[int, int], fit: Fit) -> Letterbox:
    """Where a frame goes in the model's picture.

    Args:
        frame_px: width and height of the frame, each at least 1.
        model_px: width and height of the model's picture, each at least 1.
        fit: keep the aspect and pad, or stretch.
    """
    if fit is Fit.STRETCH:
        width, height = model_px
    else:
        scale = min(model_px[0] / frame_px[0], model_px[1] / frame_px[1])
        width = min(model_px[0], max(1, round(frame_px[0] * scale)))
        height = min(model_px[1], max(1, round(frame_px[1] * scale)))
    is_centred = fit is Fit.LETTERBOX_CENTRE
    return Letterbox(
        scale_x=width / frame_px[0],
        scale_y=height / frame_px[1],
        pad_x_px=(model_px[0] - width) // 2 if is_centred else 0,
        pad_y_px=(model_px[1] - height) // 2 if is_centred else 0,
        width_px=width,
        height_px=height,
    )
