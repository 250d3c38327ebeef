"""Tracks on the ground: where their feet are and go, and how well a detection's feet agree with that.

The idea is that of Yi et al., "UCMCTrack: Multi-Object Tracking with Uniform Camera Motion Compensation", AAAI 2024:
associate on the ground plane, by a Mahalanobis distance, with the noise of the picture mapped to the ground. Here it
is half of the similarity and IoU the other half, and lengths go by the object's own height on the ground (its
box's height times the ground units of a pixel across the view), so the unit of the ground does not matter.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from trackers.boxes import Float64Array, IndexArray, Overlaps, overlaps
from trackers.bytetrack.arrays.door import BoolArray, Observed
from trackers.bytetrack.arrays.table import POSITION, ROWS, VELOCITY
from trackers.ground_plane import GroundPlane, Placed

# Below the rows of `table`: (2, M) place and velocity, then their (2, 2, M) covariances row by row.
PLACE: Final = slice(ROWS, ROWS + 2)
SPEED: Final = slice(ROWS + 2, ROWS + 4)
VARIANCE: Final = slice(ROWS + 4, ROWS + 8)
COVARIANCE: Final = slice(ROWS + 8, ROWS + 12)
SPEED_VARIANCE: Final = slice(ROWS + 12, ROWS + 16)
IS_PLACED: Final = ROWS + 16  # 1: the feet could be placed, and have not gone beyond the horizon since
GROUND_ROWS: Final = 17

MEASUREMENT: Final = 0.05  # standard deviation of detected feet, in box heights (as in the paper)
FIRST_SPEED: Final = 1.0  # standard deviation of a new track's velocity, in object heights a second
UNREST: Final = 0.08  # of the velocity after one second, in object heights a second
FARTHEST: Final = 4.0  # standard deviations; beyond, feet do not agree at all
FADING: Final = 8.0  # agreement is exp(-distance**2 / FADING)
WEIGHT: Final = 0.5  # of agreement against IoU
HORIZON_MARGIN: Final = 2.0  # standard deviations of feet from the horizon
ROUNDING: Final = 1e-9
HIDDEN: Final = 1 / 200  # feet that near to the picture's bottom, in picture heights, may be beyond it


class Ground:
    """The second filter of each track: constant velocity on the ground, beside the one of its box.

    Where feet are hidden by the picture's bottom border or beyond the horizon, nothing is measured on the ground, and
    IoU alone counts.
    """

    def __init__(self, plane: GroundPlane, frame_rate: float | None) -> None:
        """For tracks in the pixels of the plane's frames; `frame_rate` where time is counted in frames."""
        self._plane = plane
        self._units_per_s = 1.0 if frame_rate is None else frame_rate
        self._lowest_px = plane.frame_px[1] * (1.0 - HIDDEN)

    def joined(self, table: Float64Array) -> Float64Array:
        """(ROWS + GROUND_ROWS, M): the tracks, with their ground filters begun where their boxes are."""
        wider = np.concatenate((table, np.zeros((GROUND_ROWS, table.shape[1]))))
        self._begin(wider, table[POSITION], table[VELOCITY])
        return wider

    def predict(self, table: Float64Array, elapsed: float) -> None:
        """Move every track on by `elapsed` units of time, in place, tentative ones too; before their boxes."""
        elapsed_s = elapsed / self._units_per_s
        covariance, change = _matrices(table, COVARIANCE), _matrices(table, SPEED_VARIANCE)
        placed = self._placed(table[POSITION])
        unrest = np.square(UNREST * _ground_height(placed, table[POSITION])) * np.eye(2)[:, :, None] * elapsed_s
        drift = change * elapsed_s
        spread = (covariance + covariance.swapaxes(0, 1) + drift) * elapsed_s + unrest * (elapsed_s**2 / 3.0)
        table[PLACE] += table[SPEED] * elapsed_s
        table[VARIANCE] += _rows(spread)
        table[COVARIANCE] += _rows(drift + unrest * (0.5 * elapsed_s))
        table[SPEED_VARIANCE] += _rows(unrest)
        table[IS_PLACED, ~(placed.is_seen & _is_definite(table))] = 0.0

    def compared(self, table: Float64Array, observed: Observed, pairs: Overlaps) -> Overlaps:
        """The pairs that overlap or are near each other on the ground, with their similarity in the place of IoU.

        Half of it is IoU, half is how well the feet agree; IoU alone where the feet of either cannot be placed.
        """
        placed = self._placed(observed.centred)
        is_placed, noise = self._can_place(placed, observed.centred), _noise(placed, observed.centred)
        tracks, detections = (table[IS_PLACED] > 0.0).nonzero()[0], is_placed.nonzero()[0]
        near = overlaps(
            _reach(table[PLACE, tracks], _matrices(table, VARIANCE)[:, :, tracks]),
            _reach(placed.ground[:, detections], noise[:, :, detections]),
        )
        rows, columns, iou = _union(pairs, tracks[near.rows], detections[near.columns], len(is_placed))
        both = (is_placed[columns] & (table[IS_PLACED, rows] > 0.0)).nonzero()[0]
        surprise = placed.ground[:, columns[both]] - table[PLACE, rows[both]]
        total = _matrices(table, VARIANCE)[:, :, rows[both]] + noise[:, :, columns[both]]
        similarity = iou.copy()
        similarity[both] += WEIGHT * (_agreement(surprise, total) - iou[both])
        return Overlaps(rows, columns, similarity)

    def correct(self, table: Float64Array, tracks: IndexArray, centred: Float64Array) -> None:
        """Draw these tracks, in place, to the feet of their detections: (4, K) centre x, centre y, aspect, height.

        Whose feet can be placed for the first time begins there; whose feet are hidden goes on as predicted, which
        serves better than to forget it.
        """
        placed = self._placed(centred)
        can_place, was_placed = self._can_place(placed, centred), table[IS_PLACED, tracks] > 0.0
        known, fresh = can_place & was_placed, can_place & ~was_placed
        if fresh.any():
            begun = table[:, tracks[fresh]]
            self._begin(begun, centred[:, fresh], np.zeros((4, begun.shape[1])))
            table[:, tracks[fresh]] = begun
        hit = table[:, tracks[known]]
        _correct(hit, placed.ground[:, known], _noise(placed, centred)[:, :, known])
        table[:, tracks[known]] = hit

    def _begin(self, table: Float64Array, centred: Float64Array, velocity: Float64Array) -> None:
        """Start ground filters, in place, from boxes and their velocities per unit of time."""
        placed = self._placed(centred)
        table[PLACE] = placed.ground
        feet_speed = _feet(velocity) * self._units_per_s
        table[SPEED] = (placed.jacobian * feet_speed).sum(axis=1)
        table[VARIANCE] = _rows(_noise(placed, centred))
        table[COVARIANCE] = 0.0
        first = np.square(FIRST_SPEED * _ground_height(placed, centred))
        table[SPEED_VARIANCE] = _rows(first * np.eye(2)[:, :, None])
        table[IS_PLACED] = self._can_place(placed, centred)

    def _placed(self, centred: Float64Array) -> Placed:
        return self._plane.place(_feet(centred))

    def _can_place(self, placed: Placed, centred: Float64Array) -> BoolArray:
        """(N,) bool; the feet are in the picture, and safely on the ground's side of the horizon."""
        can_place: BoolArray = placed.to_horizon_px > HORIZON_MARGIN * MEASUREMENT * centred[3]
        can_place &= _feet(centred)[1] < self._lowest_px
        return can_place


def _feet(centred: Float64Array) -> Float64Array:
    """(2, N) middle of the lower edge."""
    return np.stack((centred[0], centred[1] + 0.5 * centred[3]))


def _ground_height(placed: Placed, centred: Float64Array) -> Float64Array:
    """(N,) the objects' heights in ground units: across the view a pixel is as long as upwards."""
    a, b, c, d = placed.jacobian.reshape(4, -1)
    squares = a * a + b * b + c * c + d * d
    determinant = np.abs(a * d - b * c)
    longest = np.sqrt(0.5 * (squares + np.sqrt(np.maximum(squares * squares - 4.0 * determinant * determinant, 0.0))))
    height: Float64Array = determinant / longest * centred[3]
    return height


def _noise(placed: Placed, centred: Float64Array) -> Float64Array:
    """(2, 2, N) covariance of detected feet on the ground."""
    noise = _product(placed.jacobian, placed.jacobian.swapaxes(0, 1))
    noise *= np.square(MEASUREMENT * centred[3])
    return noise


def _reach(place: Float64Array, variance: Float64Array) -> Float64Array:
    """(4, N) upright rectangles on the ground; where those of two do not meet, they are farther than FARTHEST."""
    half = FARTHEST * np.sqrt(np.stack((variance[0, 0], variance[1, 1])))
    return np.concatenate((place - half, place + half))


def _agreement(surprise: Float64Array, total: Float64Array) -> Float64Array:
    """(K,) 1 where feet are as expected, less with their Mahalanobis distance, 0 from FARTHEST on."""
    weighted = (_inverse(total) * surprise).sum(axis=1)
    squared = (weighted * surprise).sum(axis=0)
    return np.where(squared < FARTHEST**2, np.exp(-np.minimum(squared, FARTHEST**2) / FADING), 0.0)


def _is_definite(table: Float64Array) -> BoolArray:
    """(M,) bool; false where rounding has eaten a filter, as boxes far below a pixel at the horizon can."""
    (a, b), (c, d) = _matrices(table, VARIANCE)
    is_definite: BoolArray = (a > 0.0) & (d > 0.0) & (a * d - b * c > ROUNDING * a * d)
    return is_definite


def _correct(table: Float64Array, measured: Float64Array, noise: Float64Array) -> None:
    variance, covariance = _matrices(table, VARIANCE), _matrices(table, COVARIANCE)
    inverse = _inverse(variance + noise)
    gain, speed_gain = _product(variance, inverse), _product(covariance.swapaxes(0, 1), inverse)
    surprise = measured - table[PLACE]
    table[PLACE] += (gain * surprise).sum(axis=1)
    table[SPEED] += (speed_gain * surprise).sum(axis=1)
    table[SPEED_VARIANCE] -= _rows(_product(speed_gain, covariance))
    table[COVARIANCE] -= _rows(_product(gain, covariance))
    table[VARIANCE] -= _rows(_product(gain, variance))


def _union(
    pairs: Overlaps, rows: IndexArray, columns: IndexArray, count: int
) -> tuple[IndexArray, IndexArray, Float64Array]:
    """Both sets of pairs, each pair once, with the IoU of those that have one; `count` detections."""
    keys = np.concatenate((pairs.rows * count + pairs.columns, rows * count + columns))
    unique, inverse = np.unique(keys, return_inverse=True)
    iou = np.zeros(len(unique))
    iou[inverse[: len(pairs.rows)]] = pairs.iou
    return unique // max(count, 1), unique % max(count, 1), iou


def _matrices(table: Float64Array, rows: slice) -> Float64Array:
    """(2, 2, M); a copy, so that nothing hangs on the table's layout in memory."""
    return table[rows].copy().reshape(2, 2, -1)


def _rows(matrices: Float64Array) -> Float64Array:
    """(4, M) of (2, 2, M)."""
    return matrices.reshape(4, -1)


def _product(first: Float64Array, second: Float64Array) -> Float64Array:
    """(2, 2, N) of (2, 2, N) with (2, 2, N)."""
    product: Float64Array = first[:, 0, None] * second[0] + first[:, 1, None] * second[1]
    return product


def _inverse(matrices: Float64Array) -> Float64Array:
    (a, b), (c, d) = matrices
    inverse = np.array(((d, -b), (-c, a)))
    inverse /= a * d - b * c
    return inverse
