"""Where each tensor of an engine lies: its names, types and the most bytes it may take."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from devices.engines.tensorrt.dtypes import numpy_dtype
from devices.engines.tensorrt.logger import TrtObject
from devices.errors import EngineLoadError

Shape = tuple[int, ...]


@dataclass(frozen=True)
class TensorPlace:
    """One input or output of a loaded engine.

    Attributes:
        name: in the engine.
        is_input: whether it is fed.
        dtype: as the engine has it, which may differ from the model's: TensorRT 8 has no int64.
        shape: open axes are -1.
        largest: the shape with every open axis at its largest.
    """

    name: str
    is_input: bool
    dtype: np.dtype[Any]
    shape: Shape
    largest: Shape

    @property
    def size(self) -> int:
        """Bytes at most; at least one, as no memory can be had in none."""
        return max(1, math.prod(self.largest) * self.dtype.itemsize)


def find_places(trt: ModuleType, engine: TrtObject) -> tuple[TensorPlace, ...]:
    """Every tensor of the engine, inputs first; on the CUDA thread.

    Raises:
        EngineLoadError: an output's size depends on the data, or a type cannot be read.
    """
    names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
    fed = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
    context = engine.create_execution_context()
    if context is None:
        raise EngineLoadError("tensorrt: no execution context: too little memory on the device, as a rule")
    largest = {name: _largest_input(engine, name) for name in fed}
    for name, shape in largest.items():
        if not context.set_input_shape(name, shape):
            raise EngineLoadError(f"tensorrt: the engine does not take its own largest shape {shape} of {name}")
    for name in names:
        largest.setdefault(name, tuple(context.get_tensor_shape(name)))
    return tuple(
        TensorPlace(
            name=name,
            is_input=name in fed,
            dtype=numpy_dtype(name, engine.get_tensor_dtype(name)),
            shape=tuple(engine.get_tensor_shape(name)),
            largest=_checked(name, largest[name]),
        )
        for name in sorted(names, key=lambda name: name not in fed)
    )


def _largest_input(engine: TrtObject, name: str) -> Shape:
    shape = tuple(engine.get_tensor_shape(name))
    return tuple(engine.get_tensor_profile_shape(name, 0)[2]) if -1 in shape else shape


def _checked(name: str, shape: Shape) -> Shape:
    if -1 in shape:
        raise EngineLoadError(
            f"tensorrt: how large output {name} is depends on what is in the picture; "
            "export the model without its suppression (NonMaxSuppression, NonZero)"
        )
    return shape
