"""One ONNX node on its way to Core ML's intermediate language (MIL), and what its operator's rule may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from devices.errors import EngineLoadError

MilObject: TypeAlias = Any
"""A variable or a builder of coremltools; its type exists only where the library is installed."""

Value: TypeAlias = Any
"""What a node reads: a `MilObject` that is computed when the model runs, or a NumPy array that is known now."""

Rule = Callable[["Node"], Any]
"""Makes MIL operations of a node; gives its one output, or a tuple of them."""


@dataclass(frozen=True, eq=False)
class Node:
    """An ONNX node whose inputs are already in MIL.

    Attributes:
        mil: coremltools' builder of operations.
        operator: its ONNX name.
        name: of its first output, for people.
        inputs: None where an optional one is left out.
        attributes: as Python values.
        opset: of the model.
        output_count: how many are used.
        since_ios17: whether the program is for iOS 17 or later, where some operations were changed.
    """

    mil: MilObject
    operator: str
    name: str
    inputs: tuple[Value | None, ...]
    attributes: Mapping[str, Any]
    opset: int
    output_count: int = 1
    since_ios17: bool = False

    @property
    def x(self) -> Value:
        """The first input."""
        return self.inputs[0]

    def input(self, index: int) -> Value | None:
        """An input, or None where it is left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    def needed(self, index: int) -> Value:
        """An input that ONNX demands."""
        return self.inputs[index]

    def attribute(self, name: str, usual: Any = None) -> Any:  # noqa: ANN401 - an attribute is whatever ONNX has there
        """An attribute, or what ONNX takes where it is left out."""
        return self.attributes.get(name, usual)

    def constant(self, index: int, what: str) -> npt.NDArray[Any]:
        """An input that must be known now.

        Raises:
            EngineLoadError: it is computed only when the model runs.
        """
        value = self.input(index)
        if not isinstance(value, np.ndarray):
            raise self.refusal(f"its {what} is computed while the model runs")
        return value

    def numbers(self, name: str, index: int) -> list[int] | None:
        """Whole numbers that older ONNX has as an attribute and newer as an input; None where left out."""
        if name in self.attributes:
            return [int(each) for each in np.atleast_1d(self.attributes[name])]
        if self.input(index) is None:
            return None
        return [int(each) for each in np.atleast_1d(self.constant(index, name))]

    def refusal(self, reason: str) -> EngineLoadError:
        """Why this node cannot be had."""
        return EngineLoadError(f"coreml: {self.operator} ({self.name}) cannot be converted: {reason}")


def shape_of(value: Value) -> tuple[int | None, ...]:
    """Axes; None where the length depends on the data."""
    return tuple(int(axis) if isinstance(axis, (int, np.integer)) else None for axis in value.shape)


def fixed_shape(node: Node, value: Value) -> tuple[int, ...]:
    """Axes, all known.

    Raises:
        EngineLoadError: one depends on the data.
    """
    shape = shape_of(value)
    if None in shape:
        raise node.refusal("the size of its input depends on what is in the picture")
    return tuple(axis for axis in shape if axis is not None)


def is_float(value: Value) -> bool:
    """Whether a value is of floats."""
    if isinstance(value, np.ndarray):
        return bool(value.dtype.kind == "f")
    return "fp" in str(value.dtype.__name__)


def is_flag(value: Value) -> bool:
    """Whether a value is of true and false."""
    return bool(value.dtype.kind == "b") if isinstance(value, np.ndarray) else str(value.dtype.__name__) == "bool"


def pairs(before_and_after: Sequence[int]) -> list[int]:
    """ONNX's padding (all befores, then all afters) as MIL's: before and after of each axis in turn."""
    half = len(before_and_after) // 2
    return [number for axis in range(half) for number in (before_and_after[axis], before_and_after[half + axis])]
