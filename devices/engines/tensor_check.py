"""Checks tensors against what an engine takes: cheap enough for every inference, the same words for every run-time.

OpenVINO, for one, casts a wrong dtype in silence; a picture fed as float would give nonsense, not an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.engine import TensorSpec
from devices.engines.image_input import shape_text
from devices.errors import InferenceError


def check_tensors(inputs: Sequence[TensorSpec], tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Accept exactly the inputs declared, each of its dtype and shape.

    Raises:
        InferenceError: one is missing, unknown, or of another dtype or shape.
    """
    for spec in inputs:
        array = tensors.get(spec.name)
        if array is None:
            raise InferenceError(f"input {spec.name} is missing; it takes {shape_text(spec)}")
        if not _fits(spec, array):
            raise InferenceError(f"input {spec.name} takes {shape_text(spec)}, got {_found(array)}")
    if len(tensors) > len(inputs):
        unknown = ", ".join(sorted(set(tensors) - {spec.name for spec in inputs}))
        known = ", ".join(spec.name for spec in inputs)
        raise InferenceError(f"unknown input {unknown}; the model takes {known}")


def check_outputs(outputs: Sequence[TensorSpec], tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Refuse results of another shape than the engine's own spec: half an answer would read as nothing seen.

    Raises:
        InferenceError: an axis that is fixed came out otherwise.
    """
    for spec in outputs:
        shape = tensors[spec.name].shape
        if spec.shape and not _fits_axes(spec, shape):
            raise InferenceError(f"output {spec.name} should be {shape_text(spec)}, it came as {shape}")


def as_float32(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """float16 as float32, anything else as it is."""
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _fits(spec: TensorSpec, array: object) -> bool:
    if not isinstance(array, np.ndarray) or array.dtype.name != spec.dtype:
        return False
    return _fits_axes(spec, array.shape)


def _fits_axes(spec: TensorSpec, shape: tuple[int, ...]) -> bool:
    if len(shape) != len(spec.shape):
        return False
    return all(axis is None or axis == size for axis, size in zip(spec.shape, shape, strict=True))


def _found(array: object) -> str:
    if isinstance(array, np.ndarray):
        return f"{array.dtype.name} {array.shape}"
    return f"a {type(array).__name__}"
