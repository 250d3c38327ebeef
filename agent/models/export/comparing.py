"""How far a graph's answers are from those of the module it was made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Gap:
    """The greatest difference of one output, over every trial.

    Attributes:
        output: its name.
        absolute: greatest |graph - module|; infinite where one has a number and the other has none, or shapes or types
            differ.
        relative: greatest |graph - module| / max(|module|, m), where m is 1 or, of an output whose values are all
            smaller, the greatest of them; this is held against the tolerance.
        trial: the one of the greatest relative difference.
        fault: why a difference is infinite, in words; else empty.
    """

    output: str
    absolute: float
    relative: float
    trial: str
    fault: str = ""


def gap(output: str, trial: str, module: npt.NDArray[Any], graph: npt.NDArray[Any]) -> Gap:
    """The difference of one output in one trial."""
    one, other = module.astype(np.float64), graph.astype(np.float64)
    is_number = np.isfinite(one)
    fault = _fault(module, graph)
    if not fault and not _ends_alike(one, other, is_number):
        fault = "has a number where PyTorch's has none, or the other way round"
    if fault:
        return Gap(output, math.inf, math.inf, trial, fault)
    sizes = np.abs(one[is_number])
    apart = np.abs(other[is_number] - one[is_number])
    floor = min(1.0, float(sizes.max(initial=0.0))) or 1.0
    relative = apart / np.maximum(sizes, floor)
    return Gap(output, float(apart.max(initial=0.0)), float(relative.max(initial=0.0)), trial)


def greatest(gaps: Sequence[Gap]) -> Gap:
    """The two greatest differences among those of one output."""
    worst = max(gaps, key=lambda each: each.relative)
    return replace(worst, absolute=max(each.absolute for each in gaps))


def _fault(module: npt.NDArray[Any], graph: npt.NDArray[Any]) -> str:
    if module.shape != graph.shape:
        return f"has shape {graph.shape} where PyTorch's has {module.shape}"
    return f"is {graph.dtype} where PyTorch's is {module.dtype}" if module.dtype != graph.dtype else ""


def _ends_alike(one: npt.NDArray[Any], other: npt.NDArray[Any], is_number: npt.NDArray[Any]) -> bool:
    """Whether what is infinite, or no number, is so in both."""
    same = np.array_equal(one[~is_number], other[~is_number], equal_nan=True)
    return same and bool(np.isfinite(other[is_number]).all())
