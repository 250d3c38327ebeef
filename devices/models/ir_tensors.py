"""What an OpenVINO model says of its inputs and outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from devices.engines.engine import TensorSpec
from devices.errors import EngineUnavailable, ModelFileError

OvObject: TypeAlias = Any
Tensors: TypeAlias = tuple[TensorSpec, ...]


def read_ir_tensors(path: Path) -> tuple[Tensors, Tensors]:
    """Inputs and outputs of an `.xml` whose weights lie beside it, the whole of it read by OpenVINO.

    Raises:
        EngineUnavailable: OpenVINO is not installed.
        ModelFileError: it is no such model, or its weights are missing or cut short.
    """
    try:
        import openvino  # noqa: PLC0415 - an optional run-time
    except ImportError as error:
        raise EngineUnavailable(f"{path}: needs OpenVINO to read it: pip install 'sitewatch[intel]'") from error
    weights = path.with_suffix(".bin")
    if not weights.is_file():
        raise ModelFileError(f"{path}: its weights belong into {weights.name} beside it, which is not there")
    try:
        network = openvino.Core().read_model(path, weights)
        return tuple(map(_spec, network.inputs)), tuple(map(_spec, network.outputs))
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1]
        raise ModelFileError(f"{path}: no OpenVINO model, or damaged: {last}") from error


def _spec(port: OvObject) -> TensorSpec:
    axes = tuple(axis.get_length() if axis.is_static else None for axis in port.get_partial_shape())
    return TensorSpec(port.get_any_name(), np.dtype(port.get_element_type().to_dtype()).name, axes)
