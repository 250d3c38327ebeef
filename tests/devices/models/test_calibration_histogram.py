"""What values a tensor takes, and the limits the methods choose."""

from __future__ import annotations

import numpy as np
import pytest

from devices.models.calibration_histogram import CalibrationMethod, Histogram

BELL = np.random.default_rng(7).normal(0.0, 1.0, 200_000).astype(np.float32)


def counted(*arrays: np.ndarray) -> Histogram:
    histogram = Histogram()
    for array in arrays:
        histogram.add(array)
    return histogram


def test_the_outermost_values_are_exact() -> None:
    """Minmax keeps everything, to both sides as far as it goes."""
    found = counted(np.array([-0.25, 3.0], np.float32), np.array([[1.5]], np.float32)).range(CalibrationMethod.MINMAX)

    assert (found.low, found.high, found.limit) == (-0.25, 3.0, 3.0)


@pytest.mark.parametrize("percentile", [99.0, 99.9, 99.99])
def test_a_percentile_is_that_of_all_values(percentile: float) -> None:
    """Within a bin of what NumPy finds, whatever came first, and however much the reach had to grow."""
    exact = float(np.percentile(np.abs(BELL), percentile))
    parts = np.array_split(np.sort(np.abs(BELL)), 40)

    for order in (parts, parts[::-1]):
        assert counted(*order).range(CalibrationMethod.PERCENTILE, percentile).high == pytest.approx(exact, abs=0.02)


def test_entropy_cuts_off_a_lone_outlier() -> None:
    """One value far out does not take the levels from all others; a bell without one is kept nearly whole."""
    alone = counted(BELL).range(CalibrationMethod.ENTROPY).limit
    with_outlier = counted(BELL, np.array([40.0], np.float32)).range(CalibrationMethod.ENTROPY).limit

    assert 2.5 < alone <= np.abs(BELL).max()
    assert 2.5 < with_outlier < 10.0


@pytest.mark.parametrize("method", list(CalibrationMethod))
def test_nothing_and_noughts_have_a_range(method: CalibrationMethod) -> None:
    """A tensor that is always 0, or that was never seen, has the range 0 to 0."""
    for histogram in (Histogram(), counted(np.zeros((2, 3), np.float32)), counted(np.zeros((0,), np.float32))):
        assert histogram.range(method).limit == 0.0


@pytest.mark.parametrize("method", list(CalibrationMethod))
def test_an_activation_keeps_its_short_side(method: CalibrationMethod) -> None:
    """What is never below -0.25 is not given room below it."""
    found = counted(BELL[BELL > -0.25], np.array([-0.25], np.float32)).range(method)

    assert found.low == -0.25
    assert found.high > 2.0
