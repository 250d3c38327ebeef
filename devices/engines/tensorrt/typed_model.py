"""Writes a precision into the model itself, for a TensorRT that takes its types from there.

fp16 by ONNX Runtime's converter, inputs and outputs kept as they are. int8 by ONNX Runtime's quantiser with the options
that leave only what TensorRT accepts: symmetric int8, float weights behind Q/DQ, no quantised bias (onnxruntime issue
14229); Q/DQ only in front of the layers that gain, so that decoded boxes and scores never share one scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import onnx.version_converter

from devices.errors import EngineLoadError

OrtObject: TypeAlias = Any
"""ONNX Runtime's own object."""

OURS = "sitewatch."
"""What our own nodes in front of the model are called by; they stay float32."""

_FIRST_WITH_AXES = 13
_LEFT_IN_FLOAT = 3
_SMALL = 10
_QUANTISED = ["Conv", "ConvTranspose", "Gemm", "MatMul"]


def as_fp16(content: bytes) -> bytes:
    """The model with float16 weights and sums, its inputs and outputs of their own types.

    Raises:
        EngineLoadError: the converter is not installed, or cannot.
    """
    try:
        from onnxruntime.transformers.float16 import (  # noqa: PLC0415 - a run-time is imported where it is used only
            convert_float_to_float16,
        )
    except ImportError as error:
        raise EngineLoadError(f"tensorrt: fp16 needs onnxruntime's converter: {error}") from error
    proto = onnx.load_from_string(content)
    ours = [node.name for node in proto.graph.node if node.name.startswith(OURS)]
    try:
        converted = convert_float_to_float16(proto, keep_io_types=True, node_block_list=ours)
    except (ValueError, RuntimeError, KeyError) as error:
        raise EngineLoadError(f"tensorrt: the model cannot be turned into fp16: {error}") from error
    return bytes(converted.SerializeToString())


def as_int8(content: bytes, input_name: str, pictures: Iterator[npt.NDArray[Any]], folder: Path) -> bytes:
    """The model with symmetric Q/DQ nodes, their ranges from `pictures`; `folder` takes files on the way.

    Raises:
        EngineLoadError: the quantiser is not installed, or cannot.
    """
    try:
        from onnxruntime import quantization  # noqa: PLC0415 - a run-time is imported where it is used only
    except ImportError as error:
        raise EngineLoadError(f"tensorrt: int8 needs onnxruntime's quantiser: {error}") from error
    reader = _reader(quantization, input_name, pictures)
    plain, folded, quantised = (folder / f"{step}.onnx" for step in ("plain", "folded", "int8"))
    try:
        plain.write_bytes(_with_axes(content))
        quantization.quant_pre_process(plain, folded, skip_symbolic_shape=True)
        quantization.quantize_static(
            folded,
            quantised,
            reader,
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=_QUANTISED,
            nodes_to_exclude=_first_convolutions(folded),
            per_channel=True,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            extra_options=_options(),
        )
    except (ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise EngineLoadError(f"tensorrt: the model cannot be quantised: {error}") from error
    return quantised.read_bytes()


def _first_convolutions(path: Path) -> list[str]:
    """Those that see raw pixels: too wide a range for eight bits in small models, and too little work to matter.

    Measured by the agent's exam on ONNX Runtime: all in int8, YOLOX nano loses every box and NanoDet has scores off by
    0.33; with three left in float their scores are within 0.06 and 0.09.
    """
    names = [node.name for node in onnx.load(path).graph.node if node.op_type == "Conv"]
    return names[:_LEFT_IN_FLOAT] if len(names) > _SMALL else []


def _with_axes(content: bytes) -> bytes:
    """At least of operator set 13, the first whose QuantizeLinear has a scale for every channel."""
    proto = onnx.load_from_string(content)
    version = next(each.version for each in proto.opset_import if not each.domain)
    if version >= _FIRST_WITH_AXES:
        return content
    return bytes(onnx.version_converter.convert_version(proto, _FIRST_WITH_AXES).SerializeToString())


def _options() -> dict[str, Any]:
    return {
        "ActivationSymmetric": True,
        "WeightSymmetric": True,
        "AddQDQPairToWeight": True,
        "DedicatedQDQPair": True,
        "QuantizeBias": False,
        "OpTypesToExcludeOutputQuantization": _QUANTISED,
    }


def _reader(quantization: ModuleType, input_name: str, pictures: Iterator[npt.NDArray[Any]]) -> OrtObject:
    class Reader(quantization.CalibrationDataReader):  # type: ignore[misc,name-defined]  # its parent is known at run time only
        def get_next(self) -> dict[str, npt.NDArray[Any]] | None:
            found = next(pictures, None)
            return None if found is None else {input_name: np.ascontiguousarray(found)}

    return Reader()
