"""Turns a float32 model into float16, its inputs and outputs kept as they are, by ONNX Runtime's converter."""

from __future__ import annotations

import warnings
from pathlib import Path

import onnx

from devices.errors import EngineUnavailable, ModelFileError
from devices.models.onnx_whole import read_whole


def as_half(path: Path) -> onnx.ModelProto:
    """The model with float16 weights and sums.

    Raises:
        ModelFileError: it is no model, in float16 or quantised already, or cannot be converted.
        EngineUnavailable: the converter is not installed.
    """
    proto = read_whole(path)
    if any(node.op_type in {"QuantizeLinear", "DequantizeLinear"} for node in proto.graph.node):
        raise ModelFileError(f"{path}: quantised already; give the float model it was made of")
    if not any(tensor.data_type == onnx.TensorProto.FLOAT for tensor in proto.graph.initializer):
        raise ModelFileError(f"{path}: has no float32 weights; there is nothing to convert")
    try:
        from onnxruntime.transformers.float16 import (  # noqa: PLC0415 - a run-time is imported where it is used only
            convert_float_to_float16,
        )
    except ImportError as error:
        raise EngineUnavailable(f"onnxruntime's float16 converter cannot be imported: {error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells of every weight that float16 rounds to nought
            converted: onnx.ModelProto = convert_float_to_float16(proto, keep_io_types=True)
    except (ValueError, RuntimeError, KeyError) as error:
        raise ModelFileError(f"{path}: cannot be turned into float16: {error}") from error
    _drop_twins(converted)
    return converted


def _drop_twins(proto: onnx.ModelProto) -> None:
    """The converter casts a tensor anew, under the same name, for every node that stays in float32 and reads it."""
    made: set[str] = set()
    kept = []
    for node in proto.graph.node:
        if not made.issuperset(node.output):
            kept.append(onnx.NodeProto.FromString(node.SerializeToString()))
        made.update(node.output)
    del proto.graph.node[:]
    proto.graph.node.extend(kept)
