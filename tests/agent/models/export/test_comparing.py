"""How far two answers are apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from agent.models.export.comparing import gap, greatest


def between(module: object, graph: object, dtype: str = "float32") -> tuple[float, float]:
    """Absolute and relative."""
    found = gap("output", "noise 1", np.array(module, dtype), np.array(graph, dtype))
    return found.absolute, found.relative


@pytest.mark.parametrize(
    ("module", "graph", "absolute", "relative"),
    [
        ([1.0, 400.0], [1.0, 400.4], 0.4, 0.001),  # above 1: of the value itself
        ([0.0, 1.0], [0.001, 1.0], 0.001, 0.001),  # below: of 1, or nothing near 0 would ever be alike
        ([0.0, 0.01], [0.001, 0.01], 0.001, 0.1),  # but where all are small, of the greatest
        ([0.0, 0.0], [0.0, 0.0], 0.0, 0.0),
        ([0.0, 0.0], [0.5, 0.0], 0.5, 0.5),
        ([math.nan, math.inf, 2.0], [math.nan, math.inf, 2.0], 0.0, 0.0),
    ],
)
def test_differences(module: list[float], graph: list[float], absolute: float, relative: float) -> None:
    """Absolute as it is, relative to what the numbers are like."""
    assert between(module, graph) == pytest.approx((absolute, relative), rel=1e-3)


@pytest.mark.parametrize(
    ("module", "graph"),
    [([1.0, math.nan], [1.0, 2.0]), ([1.0], [math.inf]), ([math.inf], [-math.inf]), ([1.0], [1.0, 1.0])],
)
def test_what_no_tolerance_allows(module: list[float], graph: list[float]) -> None:
    """Numbers on one side only, and another shape, are infinitely far apart."""
    assert between(module, graph) == (math.inf, math.inf)


def test_types_and_whole_numbers() -> None:
    """Another type is told; whole numbers beyond what floats tell apart are not alike."""
    found = gap("output", "plain", np.zeros(2, np.float32), np.zeros(2, np.int64))

    assert found.fault == "is int64 where PyTorch's is float32"
    assert between([3, 4], [3, 5], "int64") == (1.0, 0.25)


def test_the_greatest_of_several() -> None:
    """Absolute and relative may come from different trials; the trial told is that of the relative."""
    one = gap("output", "noise 1", np.array([1000.0]), np.array([1001.0]))
    other = gap("output", "noise 2", np.array([1.0]), np.array([1.5]))

    found = greatest([one, other])

    assert (found.absolute, found.relative, found.trial) == (1.0, 0.5, "noise 2")
