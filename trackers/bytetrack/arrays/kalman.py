"""The filter of a box: constant velocity in centre, aspect and height, in closed form.

State, noise and observation of ByteTrack's filter (Wojke, Bewley and Paulus, "Simple Online and Realtime Tracking with
a Deep Association Metric", 2017) leave the 8 x 8 covariance block-diagonal: each coordinate has a variance, a
covariance with its own velocity and a velocity variance, and centre x, centre y and height share theirs. So
the filter is two such triples a track, and no matrix is ever built or inverted.
"""

from __future__ import annotations

import numpy as np

from trackers.boxes import Float64Array
from trackers.bytetrack.arrays.table import (
    COVARIANCE,
    HEIGHT,
    HEIGHT_VELOCITY,
    LOST,
    POSITION,
    POSITION_VARIANCE,
    STAGE,
    VELOCITY,
    VELOCITY_VARIANCE,
)
from trackers.bytetrack.noise import NoiseWeights

ASPECT = 2
GROUP = np.array([0, 0, 1, 0])  # which triple each of centre x, centre y, aspect, height uses


class Motion:
    """Starts, predicts and corrects the filters of many tracks at once, in place."""

    def __init__(self, weights: NoiseWeights) -> None:
        self._weights = weights
        self._position = _column(weights.position)
        self._velocity = _column(weights.velocity)
        self._measurement = _column(weights.measurement)
        self._first_position = _column(weights.first_position)
        self._first_velocity = _column(weights.first_velocity)

    def start(self, table: Float64Array, measured: Float64Array) -> None:
        """Set the filters of new tracks from their first detection: (4, M) centre x, centre y, aspect, height."""
        scale = self._scale(measured)
        table[POSITION] = measured
        table[VELOCITY] = 0.0
        table[POSITION_VARIANCE] = np.square(scale * self._first_position)
        table[COVARIANCE] = 0.0
        table[VELOCITY_VARIANCE] = np.square(scale * self._first_velocity)

    def predict(self, table: Float64Array, elapsed: float) -> None:
        """Move every track on by `elapsed` units of time. A lost track keeps its height."""
        table[HEIGHT_VELOCITY, table[STAGE] == LOST] = 0.0
        position, velocity = table[POSITION], table[VELOCITY]
        variance, covariance, change = table[POSITION_VARIANCE], table[COVARIANCE], table[VELOCITY_VARIANCE]
        scale = self._scale(position)
        floor = position[ASPECT:] * self._weights.shrink_limit
        position += velocity * elapsed
        if self._weights.shrink_limit:
            np.maximum(position[ASPECT:], floor, out=position[ASPECT:])
        drift = change * elapsed
        variance += (covariance + covariance + drift) * elapsed
        variance += np.square(scale * self._position)
        covariance += drift
        change += np.square(scale * self._velocity)

    def correct(self, table: Float64Array, measured: Float64Array) -> None:
        """Draw each track towards its detection: (4, M) centre x, centre y, aspect, height."""
        variance, covariance, change = table[POSITION_VARIANCE], table[COVARIANCE], table[VELOCITY_VARIANCE]
        total = np.square(self._scale(table[POSITION]) * self._measurement)
        total += variance
        gain, velocity_gain = variance / total, covariance / total
        surprise = measured - table[POSITION]
        table[POSITION] += gain[GROUP] * surprise
        table[VELOCITY] += velocity_gain[GROUP] * surprise
        change -= velocity_gain * covariance
        remains = 1.0 - gain
        variance *= remains
        covariance *= remains

    def _scale(self, position: Float64Array) -> Float64Array:
        """(2, M): what the two weights are multiplied with."""
        scale = position[HEIGHT:1:-1].copy()  # height, aspect
        if not self._weights.aspect_is_relative:
            scale[1] = 1.0
        return scale


def _column(pair: tuple[float, float]) -> Float64Array:
    return np.array(pair)[:, None]
