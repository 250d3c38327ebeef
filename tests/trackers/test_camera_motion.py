"""The record of a camera's motion."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from trackers import CameraMotion

STILL = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_it_is_the_callers_matrix_at_that_moment() -> None:
    """Float64, read-only, and what the caller does to his own afterwards changes nothing."""
    given = np.array(STILL, np.float32)
    motion = CameraMotion(given)
    given[:] = 7

    assert motion.matrix.tolist() == STILL
    assert motion.matrix.dtype == np.float64
    assert not motion.matrix.flags.writeable


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (np.eye(3), "expected \\(2, 3\\)"),
        ([[1, 0, math.nan], [0, 1, 0]], "finite"),
        ([[1, 0, 0], [0, math.inf, 0]], "finite"),
        ([[-1, 0, 0], [0, 1, 0]], "mirrored"),
        ([[1, 2, 0], [2, 4, 0]], "flat"),
        (np.zeros((2, 3)), "flat"),
        ([[11, 0, 0], [0, 11, 0]], "zooms"),
        ([[0.05, 0, 0], [0, 0.05, 0]], "zooms"),
        ([[1, 0, 2e6], [0, 1, 0]], "shift"),
    ],
)
def test_what_no_camera_does_is_refused(matrix: npt.ArrayLike, why: str) -> None:
    """Wherever it comes from: it never reaches a track."""
    with pytest.raises(ValueError, match=why):
        CameraMotion(np.asarray(matrix))


def test_a_camera_may_turn_upside_down() -> None:
    """A turn of half a circle is a motion like any other."""
    assert CameraMotion(np.array([[-1.0, 0.0, 640.0], [0.0, -1.0, 480.0]])).matrix[0, 0] == -1.0
