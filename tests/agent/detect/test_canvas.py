"""Frames are painted into one reused batch of pictures."""

from __future__ import annotations

import numpy as np
import pytest
from models.detecting import make_frame

from agent.detect.canvas import Canvas
from agent.detect.letterbox import Fit
from agent.stream.frame import Frame

GREY = 114


def plain_frame(value: int, size: tuple[int, int] = (64, 32)) -> Frame:
    """A frame of one colour."""
    return make_frame(np.full((size[1], size[0], 3), value, np.uint8))


def test_a_frame_is_laid_on_grey() -> None:
    """The scaled frame lies in the middle, the rest is the pad value."""
    canvas = Canvas(1, (32, 32), Fit.LETTERBOX_CENTRE, GREY)

    canvas.paint([plain_frame(200)])

    rows = canvas.pixels[0, :, :, 0]
    assert (rows[8:24] == 200).all()
    assert (rows[:8] == GREY).all()
    assert (rows[24:] == GREY).all()


def test_another_shape_leaves_nothing_behind() -> None:
    """When frames change their shape the borders are painted anew."""
    canvas = Canvas(1, (32, 32), Fit.LETTERBOX_TOP_LEFT, GREY)
    canvas.paint([plain_frame(200, (64, 32))])

    canvas.paint([plain_frame(50, (32, 64))])

    picture = canvas.pixels[0, :, :, 0]
    assert (picture[:, :16] == 50).all()
    assert (picture[:, 16:] == GREY).all()


def test_each_frame_has_its_row() -> None:
    """Frames of different cameras share the batch, each with its own letterbox."""
    canvas = Canvas(3, (32, 32), Fit.LETTERBOX_TOP_LEFT, GREY)

    letterboxes = canvas.paint([plain_frame(1), plain_frame(2, (32, 32))])

    assert [canvas.pixels[row, 0, 0, 0] for row in range(3)] == [1, 2, GREY]
    assert [letterbox.height_px for letterbox in letterboxes] == [16, 32]


def test_the_buffer_is_reused_and_borders_left_alone() -> None:
    """Of the same geometry only the frame's own region is written."""
    canvas = Canvas(1, (32, 32), Fit.LETTERBOX_TOP_LEFT, GREY)
    canvas.paint([plain_frame(1)])
    pixels = canvas.pixels
    pixels[0, 31, 31] = 7

    canvas.paint([plain_frame(2)])

    assert canvas.pixels is pixels
    assert pixels[0, 31, 31].tolist() == [7, 7, 7]


def test_more_frames_than_rows_are_refused() -> None:
    """A batch never grows."""
    with pytest.raises(IndexError):
        Canvas(1, (32, 32), Fit.STRETCH, GREY).paint([plain_frame(1), plain_frame(2)])
