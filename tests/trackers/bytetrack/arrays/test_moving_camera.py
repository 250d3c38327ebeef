"""Tracks carried along by the camera's motion, held against the whole 8 x 8 filter."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trackers.boxes import Float64Array, to_centred, to_corners
from trackers.bytetrack.arrays.kalman import GROUP, Motion
from trackers.bytetrack.arrays.moving_camera import carry_along
from trackers.bytetrack.arrays.table import (
    COVARIANCE,
    HEIGHT,
    LOST,
    POSITION,
    POSITION_VARIANCE,
    ROWS,
    SCORE,
    STAGE,
    TENTATIVE,
    VELOCITY,
    VELOCITY_VARIANCE,
)
from trackers.bytetrack.noise import NoiseWeights
from trackers.bytetrack.settings import DEFAULT_NOISE, PUBLISHED_NOISE
from trackers.camera_motion import CameraMotion


def similarity(zoom: float, degrees: float, shift: tuple[float, float]) -> CameraMotion:
    """Zoom and turn about the corner of the picture, then shift."""
    cosine, sine = (zoom * each(math.radians(degrees)) for each in (math.cos, math.sin))
    return CameraMotion(np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]]))


MOTIONS = {
    "shift": similarity(1.0, 0.0, (12.0, -7.0)),
    "turn": similarity(1.0, 3.0, (0.0, 0.0)),
    "zoom": similarity(1.2, 0.0, (-60.0, -40.0)),
    "all": similarity(0.9, -5.0, (31.0, 18.0)),
}


@pytest.fixture
def table() -> Float64Array:
    """Three tracks that have lived a little, one of each stage."""
    random = np.random.default_rng(5)
    table = np.zeros((ROWS, 3))
    motion = Motion(DEFAULT_NOISE)
    boxes = np.array([[100.0, 50.0, 140.0, 150.0], [400.0, 200.0, 430.0, 280.0], [600.0, 10.0, 700.0, 60.0]]).T
    motion.start(table, to_centred(boxes))
    for _ in range(4):
        motion.predict(table, 0.1)
        motion.correct(table, to_centred(boxes + random.normal(0.0, 3.0, boxes.shape)))
    table[STAGE] = [1.0, LOST, TENTATIVE]
    return table


def covariance(table: Float64Array, track: int) -> Float64Array:
    """(8, 8) of one track."""
    blocks = [table[rows][GROUP, track] for rows in (POSITION_VARIANCE, COVARIANCE, VELOCITY_VARIANCE)]
    variance, shared, change = (np.diag(block) for block in blocks)
    return np.block([[variance, shared], [shared, change]])


def jacobian(motion: CameraMotion) -> Float64Array:
    """(8, 8) of centre x, centre y, aspect, height and their velocities under a similarity."""
    quarter = np.eye(4)
    quarter[:2, :2] = motion.matrix[:, :2]
    quarter[3, 3] = math.sqrt(np.linalg.det(motion.matrix[:, :2]))
    return np.kron(np.eye(2), quarter)


@pytest.mark.parametrize("motion", MOTIONS.values(), ids=MOTIONS.keys())
def test_state_and_covariance_are_those_of_the_whole_filter(table: Float64Array, motion: CameraMotion) -> None:
    """J x + shift and J P J^T: for shift, turn and zoom nothing is lost by the closed form."""
    before, whole = table.copy(), jacobian(motion)
    carry_along(table, motion)

    for track in range(3):
        expected = whole @ before[POSITION.start : VELOCITY.stop, track]
        expected[:2] += motion.matrix[:, 2]
        np.testing.assert_allclose(table[POSITION.start : VELOCITY.stop, track], expected, rtol=1e-12)
        spread = whole @ covariance(before, track) @ whole.T
        np.testing.assert_allclose(covariance(table, track), spread, rtol=1e-12, atol=1e-12 * spread.max())


@pytest.mark.parametrize("motion", MOTIONS.values(), ids=MOTIONS.keys())
@pytest.mark.parametrize("noise", [DEFAULT_NOISE, PUBLISHED_NOISE], ids=["default", "published"])
def test_before_or_after_the_prediction_is_the_same(
    table: Float64Array, motion: CameraMotion, noise: NoiseWeights
) -> None:
    """Carrying along and predicting change places."""
    filters, other = Motion(noise), table.copy()
    carry_along(table, motion)
    filters.predict(table, 0.1)
    filters.predict(other, 0.1)
    carry_along(other, motion)

    np.testing.assert_allclose(table, other, rtol=1e-12, atol=1e-12)


def test_the_way_back_leads_back(table: Float64Array) -> None:
    """A camera that shakes for ever does not make anything grow."""
    before = table.copy()
    for _ in range(200):
        carry_along(table, MOTIONS["all"])
        linear = np.linalg.inv(MOTIONS["all"].matrix[:, :2])
        carry_along(table, CameraMotion(np.column_stack((linear, -linear @ MOTIONS["all"].matrix[:, 2]))))

    np.testing.assert_allclose(table, before, rtol=1e-9)


def test_what_is_no_place_stays(table: Float64Array) -> None:
    """Numbers, classes, scores, stages and times have nothing to do with it."""
    before = table.copy()
    carry_along(table, MOTIONS["all"])

    assert (table[VELOCITY_VARIANCE.stop :] == before[VELOCITY_VARIANCE.stop :]).all()
    assert table[SCORE].tolist() == before[SCORE].tolist()


def test_pixels_that_are_not_square_stretch_boxes(table: Float64Array) -> None:
    """Boxes follow a stretch along x and along y, each by itself."""
    corners = to_corners(table[POSITION])
    carry_along(table, CameraMotion(np.array([[1.5, 0.0, 3.0], [0.0, 0.8, -2.0]])))

    expected = corners * np.array([1.5, 0.8, 1.5, 0.8])[:, None] + np.array([3.0, -2.0, 3.0, -2.0])[:, None]
    np.testing.assert_allclose(to_corners(table[POSITION]), expected, rtol=1e-12)
    assert (table[HEIGHT] > 0.0).all()
