"""Answers compared tensor by tensor."""

from __future__ import annotations

import numpy as np
import pytest

from devices.engines.engine import Tensors
from devices.trials.exam import compare_tensors

RIGHT: Tensors = {"y": np.array([0.0, 10.0], np.float32)}


@pytest.mark.parametrize(
    ("off", "precision", "is_within"),
    [(0.0, "fp32", True), (0.005, "fp32", True), (0.05, "fp32", False), (0.05, "fp16", True), (0.5, "int8", True),
     (2.0, "int8", False)],
)  # fmt: skip
def test_the_limit_follows_the_precision(off: float, precision: str, *, is_within: bool) -> None:
    """A difference counts as part of the tensor's own range."""
    given: Tensors = {"y": RIGHT["y"] + np.float32(off)}

    assert compare_tensors((RIGHT,), (given,), precision).is_within is is_within


@pytest.mark.parametrize(
    "given",
    [{}, {"z": RIGHT["y"]}, {"y": np.zeros(3, np.float32)}, {"y": np.full(2, np.nan, np.float32)},
     {"y": np.array([0.0, np.inf], np.float32)}],
)  # fmt: skip
def test_what_is_no_answer_is_not_within(given: Tensors) -> None:
    """Another name, another shape, not a number, infinity: refused."""
    assert not compare_tensors((RIGHT,), (given,), "int8").is_within


def test_the_worst_of_all_questions_counts() -> None:
    """One wrong answer among right ones is enough."""
    wrong: Tensors = {"y": RIGHT["y"] * 2}

    assert not compare_tensors((RIGHT, RIGHT), (RIGHT, wrong), "fp32").is_within
