"""How far apart answers are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from agent.models.optimize.equality import difference

ONE = np.array([0.0, 10.0], np.float32)
NAN = np.array([0.0, np.nan], np.float32)
INFINITE = np.array([0.0, np.inf], np.float32)

CASES: dict[str, tuple[npt.NDArray[np.generic], npt.NDArray[np.generic], float]] = {
    "the same": (ONE, ONE.copy(), 0.0),
    "a tenth of the range": (ONE, ONE + np.float32([0, 1]), 0.1),
    "another shape": (ONE, ONE[:1], math.inf),
    "another type": (ONE, ONE.astype(np.float64), math.inf),
    "no number in both": (NAN, NAN.copy(), 0.0),
    "no number in one": (ONE, NAN, math.inf),
    "infinite in both": (INFINITE, INFINITE.copy(), 0.0),
    "infinite the other way": (INFINITE, -INFINITE, math.inf),
    "another whole number": (np.array([1, 2]), np.array([1, 3]), math.inf),
    "nothing": (np.zeros((0, 4), np.float32), np.zeros((0, 4), np.float32), 0.0),
}


@pytest.mark.parametrize("case", CASES)
def test_difference(case: str) -> None:
    """As part of the range; infinite where a difference has no size."""
    right, got, off = CASES[case]

    assert difference({"y": right}, {"y": got}) == (pytest.approx(off), "y")


def test_an_answer_that_is_missing() -> None:
    """It differs without measure."""
    assert difference({"y": ONE, "z": ONE}, {"y": ONE}) == (math.inf, "z")
