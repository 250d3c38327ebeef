"""The closed-form filter against the textbook's matrices."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from trackers.bytetrack.arrays.kalman import Motion
from trackers.bytetrack.arrays.table import LOST, POSITION, ROWS, STAGE, TRACKED, VELOCITY
from trackers.bytetrack.noise import NoiseWeights
from trackers.bytetrack.settings import DEFAULT_NOISE, PUBLISHED_NOISE

Matrix = npt.NDArray[np.float64]
FIRST = np.array([100.0, 50.0, 0.5, 80.0])


class TextbookFilter:
    """Eight states, full matrices."""

    def __init__(self, weights: NoiseWeights, measured: Matrix) -> None:
        self.weights = weights
        self.mean = np.concatenate((measured, np.zeros(4)))
        deviations = self.deviations(weights.first_position), self.deviations(weights.first_velocity)
        self.covariance = np.diag(np.concatenate(deviations) ** 2)

    def deviations(self, pair: tuple[float, float]) -> Matrix:
        height = self.mean[3]
        aspect = self.mean[2] if self.weights.aspect_is_relative else 1.0
        return np.array([height, height, aspect, height]) * np.array([pair[0], pair[0], pair[1], pair[0]])

    def predict(self, elapsed: float) -> None:
        noise = np.concatenate((self.deviations(self.weights.position), self.deviations(self.weights.velocity))) ** 2
        move = np.eye(8) + np.eye(8, k=4) * elapsed
        self.mean = move @ self.mean
        self.covariance = move @ self.covariance @ move.T + np.diag(noise)

    def correct(self, measured: Matrix) -> None:
        observe = np.eye(4, 8)
        total = observe @ self.covariance @ observe.T + np.diag(self.deviations(self.weights.measurement) ** 2)
        gain = self.covariance @ observe.T @ np.linalg.inv(total)
        self.mean = self.mean + gain @ (measured - self.mean[:4])
        self.covariance = self.covariance - gain @ total @ gain.T


def one_track(motion: Motion, measured: Matrix) -> Matrix:
    table = np.zeros((ROWS, 1))
    motion.start(table, measured[:, None])
    table[STAGE] = TRACKED
    return table


@pytest.mark.parametrize("weights", [DEFAULT_NOISE, PUBLISHED_NOISE])
def test_two_triples_do_what_eight_by_eight_matrices_do(weights: NoiseWeights) -> None:
    """Over predictions of uneven length and corrections, some of them missing."""
    random = np.random.default_rng(0)
    motion, textbook = Motion(weights), TextbookFilter(weights, FIRST)
    table = one_track(motion, FIRST)
    for step in range(60):
        elapsed = float(random.uniform(0.0, 0.3))
        motion.predict(table, elapsed)
        textbook.predict(elapsed)
        if step % 7:
            measured = FIRST * random.normal(1.0, 0.03, 4) + np.array([2.0 * step, step, 0.0, 0.0])
            motion.correct(table, measured[:, None])
            textbook.correct(measured)
        np.testing.assert_allclose(table[POSITION, 0], textbook.mean[:4], rtol=1e-9)
        np.testing.assert_allclose(table[VELOCITY, 0], textbook.mean[4:], rtol=1e-7, atol=1e-9)


def test_a_lost_track_moves_on_but_keeps_its_height() -> None:
    """What nobody sees does not grow or shrink."""
    motion = Motion(DEFAULT_NOISE)
    table = one_track(motion, FIRST)
    table[VELOCITY, 0] = [30.0, 0.0, 0.0, 20.0]
    table[STAGE] = LOST

    motion.predict(table, 0.5)

    np.testing.assert_allclose(table[POSITION, 0], FIRST + np.array([15.0, 0.0, 0.0, 0.0]))


def test_a_shrinking_box_never_turns_inside_out() -> None:
    """A long step leaves at least half of height and aspect."""
    motion = Motion(DEFAULT_NOISE)
    table = one_track(motion, FIRST)
    table[VELOCITY, 0] = [0.0, 0.0, -10.0, -1000.0]

    motion.predict(table, 0.5)

    np.testing.assert_allclose(table[POSITION, 0], [100.0, 50.0, 0.25, 40.0])
