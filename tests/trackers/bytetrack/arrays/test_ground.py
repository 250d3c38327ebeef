"""The filter on the ground, against the textbook's matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scenes.on_ground import FRAME_PX, Camera

from trackers.boxes import Overlaps, overlaps, to_centred, to_corners
from trackers.bytetrack.arrays.door import Observed, admit
from trackers.bytetrack.arrays.ground import (
    COVARIANCE,
    IS_PLACED,
    MEASUREMENT,
    PLACE,
    SPEED,
    SPEED_VARIANCE,
    UNREST,
    VARIANCE,
    Ground,
)
from trackers.bytetrack.arrays.table import POSITION, ROWS
from trackers.bytetrack.settings import ByteTrackSettings
from trackers.detections import Detections

Array = npt.NDArray[np.float64]
CAMERA = Camera(down_deg=15.0, right_deg=25.0)
GROUND = Ground(CAMERA.plane(), None)
NO_PAIRS = Overlaps(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0))


def boxes_at(*places: tuple[float, float]) -> Array:
    """(4, N) centred boxes of people who stand there, straight ahead of the camera and to the right."""
    turn = np.deg2rad(-CAMERA.right_deg)
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ np.array(places).T
    return to_centred(np.array([CAMERA.person(x, y) for x, y in turned.T.tolist()]).T)


def begun(centred: Array) -> Array:
    """Tracks whose boxes were just seen there."""
    table = np.zeros((ROWS, centred.shape[1]))
    table[POSITION] = centred
    return GROUND.joined(table)


def observed(centred: Array) -> Observed:
    count = centred.shape[1]
    seen = Detections(to_corners(centred).T, np.full(count, 0.9), np.zeros(count, np.int32))
    return admit(seen, ByteTrackSettings())


def matrices(table: Array, column: int) -> tuple[Array, Array]:
    """The state x, y, vx, vy of one track and its 4 x 4 covariance."""
    state = np.concatenate((table[PLACE, column], table[SPEED, column]))
    variance, cross, change = (table[rows, column].reshape(2, 2) for rows in (VARIANCE, COVARIANCE, SPEED_VARIANCE))
    return state, np.block([[variance, cross], [cross.T, change]])


def test_it_is_the_kalman_filter_of_constant_velocity() -> None:
    """Six steps of irregular length give the state and covariance that 4 x 4 matrices give."""
    table = begun(boxes_at((0.0, 10.0), (2.0, 25.0)))
    expected = [matrices(table, column) for column in (0, 1)]
    for number, elapsed in enumerate((0.1, 0.5, 0.0, 0.033, 1.0, 0.2), 1):
        measured = boxes_at((0.1 * number, 10.0 - 0.05 * number), (2.0, 25.0 + 0.2 * number))
        heights = _heights_m(table)
        GROUND.predict(table, elapsed)
        GROUND.correct(table, np.array([0, 1]), measured)
        expected = [
            _textbook(*before, elapsed, height, measured[:, [column]])
            for column, (before, height) in enumerate(zip(expected, heights, strict=True))
        ]
        for column, (state, covariance) in enumerate(expected):
            found_state, found_covariance = matrices(table, column)
            np.testing.assert_allclose(found_state, state, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(found_covariance, covariance, rtol=1e-8, atol=1e-12)


def _heights_m(table: Array) -> list[float]:
    placed = CAMERA.plane().place(np.stack((table[0], table[1] + 0.5 * table[3])))
    across = [np.linalg.svd(placed.jacobian[:, :, column])[1][1] for column in range(table.shape[1])]
    return [float(height) for height in across * table[3]]


def _textbook(state: Array, covariance: Array, elapsed: float, height_m: float, box: Array) -> tuple[Array, Array]:
    placed = CAMERA.plane().place(np.stack((box[0], box[1] + 0.5 * box[3])))
    jacobian = placed.jacobian[:, :, 0]
    noise = jacobian @ jacobian.T * (MEASUREMENT * box[3, 0]) ** 2
    step, look = np.eye(4) + elapsed * np.eye(4, k=2), np.eye(2, 4)
    thirds = np.array([[elapsed**3 / 3.0, elapsed**2 / 2.0], [elapsed**2 / 2.0, elapsed]])
    state = step @ state
    covariance = step @ covariance @ step.T + (UNREST * height_m) ** 2 * np.kron(thirds, np.eye(2))
    gain = covariance @ look.T @ np.linalg.inv(look @ covariance @ look.T + noise)
    state = state + gain @ (placed.ground[:, 0] - look @ state)
    return state, covariance - gain @ look @ covariance


def test_a_person_is_as_tall_as_the_unit_says() -> None:
    """Near and far, an upright person's height on the ground is about their own; the camera looks down a little."""
    np.testing.assert_allclose(_heights_m(begun(boxes_at((0.0, 10.0), (0.0, 40.0)))), 1.7, rtol=0.15)


def test_pairs_without_overlap_may_be_near_on_the_ground() -> None:
    """A new track may have walked a metre, and is no less like itself for that than by half of what IoU says."""
    table = begun(boxes_at((0.0, 12.0)))
    GROUND.predict(table, 0.5)
    pairs = GROUND.compared(table, observed(boxes_at((1.0, 12.0), (9.0, 30.0))), NO_PAIRS)

    assert (pairs.rows.tolist(), pairs.columns.tolist()) == ([0], [0])
    assert 0.2 < pairs.iou[0] < 0.5


def test_pairs_that_overlap_but_are_far_apart_count_half() -> None:
    """Who stands behind another is in the same place of the picture only."""
    table = begun(boxes_at((0.0, 12.0)))
    behind = observed(boxes_at((0.0, 15.0)))
    in_picture = overlaps(to_corners(table[POSITION]), behind.corners)
    pairs = GROUND.compared(table, behind, in_picture)

    np.testing.assert_allclose(pairs.iou, 0.5 * in_picture.iou, rtol=1e-9)


def hidden() -> Array:
    """A box that the picture's bottom border cuts."""
    return to_centred(np.array([[600.0], [400.0], [700.0], [FRAME_PX[1] - 1.0]]))


def in_the_sky() -> Array:
    """A box whose lower edge is beyond the horizon."""
    return to_centred(np.array([[600.0], [20.0], [640.0], [60.0]]))


def at_the_horizon() -> Array:
    """A large box whose feet are nearer to the horizon than they are known."""
    horizon = FRAME_PX[1] / 2 - CAMERA.focal_px * np.tan(np.deg2rad(CAMERA.down_deg))
    return to_centred(np.array([[600.0], [horizon - 280.0], [700.0], [horizon + 20.0]]))


@pytest.mark.parametrize("box", [hidden(), in_the_sky(), at_the_horizon()], ids=["hidden", "sky", "horizon"])
def test_feet_that_cannot_be_placed_leave_it_to_iou(box: Array) -> None:
    """Of the track or of the detection: either way the similarity is IoU, and no pair comes in beside."""
    standing = boxes_at((0.0, 12.0))
    for table, seen in ((begun(box), standing), (begun(standing), box), (begun(box), box)):
        in_picture = Overlaps(np.array([0]), np.array([0]), np.array([0.7]))
        assert GROUND.compared(table, observed(seen), in_picture).iou.tolist() == [0.7]
        assert not len(GROUND.compared(table, observed(seen), NO_PAIRS).iou)


def test_a_track_is_placed_when_its_feet_come_into_view() -> None:
    """And then compared on the ground; what was hidden at first is no loss."""
    table = begun(hidden())
    GROUND.correct(table, np.array([0]), boxes_at((0.0, 12.0)))

    assert table[IS_PLACED, 0] == 1.0
    np.testing.assert_array_equal(table[PLACE, 0], begun(boxes_at((0.0, 12.0)))[PLACE, 0])


def test_a_track_that_drifts_beyond_the_horizon_is_no_longer_placed() -> None:
    """Its box's prediction says so; IoU alone counts from then on."""
    table = begun(boxes_at((0.0, 12.0)))
    table[POSITION] = in_the_sky()
    GROUND.predict(table, 0.1)

    assert table[IS_PLACED, 0] == 0.0
