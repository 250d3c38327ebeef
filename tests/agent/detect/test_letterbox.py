"""Frames are fitted into the model's picture, and boxes come back from there."""

from __future__ import annotations

import numpy as np
import pytest

from agent.detect.letterbox import Fit, fit_frame


@pytest.mark.parametrize(
    ("fit", "frame_px", "size", "pad"),
    [
        (Fit.LETTERBOX_TOP_LEFT, (640, 360), (416, 234), (0, 0)),
        (Fit.LETTERBOX_CENTRE, (640, 360), (416, 234), (0, 91)),
        (Fit.LETTERBOX_CENTRE, (360, 640), (234, 416), (91, 0)),
        (Fit.LETTERBOX_CENTRE, (416, 416), (416, 416), (0, 0)),
        (Fit.LETTERBOX_TOP_LEFT, (100, 50), (416, 208), (0, 0)),
        (Fit.STRETCH, (640, 360), (416, 416), (0, 0)),
        (Fit.LETTERBOX_CENTRE, (8000, 3), (416, 1), (0, 207)),
    ],
)
def test_frames_are_fitted(fit: Fit, frame_px: tuple[int, int], size: tuple[int, int], pad: tuple[int, int]) -> None:
    """The scaled frame fills the picture in one direction at least, and lies where the fit says."""
    letterbox = fit_frame(frame_px, (416, 416), fit)

    assert (letterbox.width_px, letterbox.height_px) == size
    assert (letterbox.pad_x_px, letterbox.pad_y_px) == pad


@pytest.mark.parametrize("fit", Fit)
@pytest.mark.parametrize("frame_px", [(1920, 1080), (333, 777), (5, 4000)])
def test_the_scaled_frame_comes_back_as_the_frame(fit: Fit, frame_px: tuple[int, int]) -> None:
    """The box around the scaled frame in the model's picture is the whole frame, whatever was rounded."""
    letterbox = fit_frame(frame_px, (416, 320), fit)
    left, top = letterbox.pad_x_px, letterbox.pad_y_px
    whole = np.array([[left, top, left + letterbox.width_px, top + letterbox.height_px]])

    boxes = letterbox.to_frame(whole)

    assert boxes.dtype == np.float32
    np.testing.assert_allclose(boxes, [[0, 0, *frame_px]], atol=1e-3)


def test_boxes_are_not_clipped() -> None:
    """What lies in the border comes back as lying outside the frame."""
    letterbox = fit_frame((640, 320), (320, 320), Fit.LETTERBOX_CENTRE)

    [box] = letterbox.to_frame(np.array([[-10.0, 0.0, 330.0, 320.0]]))

    assert box.tolist() == [-20, -160, 660, 480]


def test_no_boxes_stay_no_boxes() -> None:
    """An empty array keeps its shape."""
    assert fit_frame((64, 64), (32, 32), Fit.STRETCH).to_frame(np.zeros((0, 4))).shape == (0, 4)
