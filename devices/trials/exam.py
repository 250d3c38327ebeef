"""What every candidate is asked, and how its answers are judged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.dry_run import blank_tensor
from devices.engines.engine import EngineSpec, Tensors

LIMITS = {"fp32": 1e-3, "fp16": 2e-2, "int8": 1e-1}
"""Greatest difference of a tensor's element, as part of the tensor's own range, by precision."""


@dataclass(frozen=True)
class Difference:
    """How far an engine's answers are from the reference's.

    Attributes:
        text: for a person, with numbers.
        is_within: small enough to be trusted.
    """

    text: str
    is_within: bool


Judge = Callable[[tuple[Tensors, ...], tuple[Tensors, ...], str], Difference]
"""Compares expected answers with given ones, one a question, for an engine of this precision."""


@dataclass(frozen=True, eq=False)
class Exam:
    """What every candidate is asked.

    Attributes:
        questions: tensors by name, one mapping an inference; empty: one of blank tensors that fit the engine.
        judge: how answers are compared with those of the reference.
        inferences: how many are timed, after one that warms up.
    """

    questions: tuple[Tensors, ...]
    judge: Judge
    inferences: int = 7

    def questions_for(self, spec: EngineSpec) -> tuple[Tensors, ...]:
        """The questions, or a blank one."""
        return self.questions or ({each.name: blank_tensor(each) for each in spec.inputs},)


def blank_exam() -> Exam:
    """A question without meaning: times an engine, and compares its tensors element by element."""
    return Exam((), compare_tensors)


def compare_tensors(expected: tuple[Tensors, ...], given: tuple[Tensors, ...], precision: str) -> Difference:
    """The greatest difference of an element, as part of the range of the reference's tensor."""
    pairs = [
        (name, right, answer.get(name))
        for reference, answer in zip(expected, given, strict=True)
        for name, right in reference.items()
        if right.size
    ]
    for name, right, got in pairs:
        if got is None or got.shape != right.shape:
            return Difference(f"output {name} has another shape or is not there", is_within=False)
    off = {name: 0.0 for name, _, _ in pairs}
    for name, right, got in pairs:
        off[name] = max(off[name], _part_of_range(right, got))
    worst = max(off, key=lambda name: off[name], default="")
    most = off.get(worst, 0.0)
    text = f"differs by {most:.1e} of the range of {worst}" if worst else "nothing to compare"
    return Difference(text, is_within=most <= LIMITS.get(precision, LIMITS["fp32"]))


def _part_of_range(right: npt.NDArray[Any], got: npt.NDArray[Any] | None) -> float:
    """The greatest difference of an element, as part of the right tensor's range; infinite where there is no number."""
    spread = max(float(np.ptp(right)), 1e-6)
    off = float(np.max(np.abs(np.asarray(got, np.float64) - right))) / spread
    return off if math.isfinite(off) else math.inf
