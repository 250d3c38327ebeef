"""Which shape every tensor of a graph has: by ONNX's shape inference, and where that gives up, by running it once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy.typing as npt
import onnx

from devices.engines.model_file import initialiser_names
from devices.engines.onnxruntime_engine import import_runtime, runtime_errors
from devices.errors import InferenceError

Shape = tuple[int, ...]
_AT_ONCE = 64


def inferred_shapes(proto: onnx.ModelProto, inputs: Mapping[str, Shape]) -> dict[str, Shape]:
    """The fixed shapes of the tensors of a graph, with its inputs given these; those that stay open are left out.

    Args:
        proto: the model; stays as it is.
        inputs: shape of every input, by name.
    """
    fixed = _with_inputs(proto, inputs)
    try:
        found = onnx.shape_inference.infer_shapes(fixed, data_prop=True)
    except (onnx.shape_inference.InferenceError, ValueError):
        found = fixed  # beyond its rules, or too large: what the file declares is all there is
    graph = found.graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    shapes |= {tensor.values.name: tuple(tensor.dims) for tensor in graph.sparse_initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        if (shape := _fixed(value)) is not None:
            shapes[value.name] = shape
    return shapes


def run_shapes(
    proto: onnx.ModelProto, names: Collection[str], tensors: Mapping[str, npt.NDArray[Any]]
) -> dict[str, Shape]:
    """The shapes that tensors have when the model is run once.

    Args:
        proto: the model with its weights in it; stays as it is.
        names: of the tensors.
        tensors: what it is run with, by input name.

    Raises:
        EngineUnavailable: ONNX Runtime is not installed.
        InferenceError: it does not run.
    """
    runtime = import_runtime()
    told = onnx.ModelProto()
    told.CopyFrom(proto)
    have = {value.name for value in told.graph.output}
    told.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in have)
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    wanted, found = list(names), dict[str, Shape]()
    try:
        session = runtime.InferenceSession(told.SerializeToString(), options, providers=["CPUExecutionProvider"])
        for start in range(0, len(wanted), _AT_ONCE):  # all at once might not fit into memory
            asked = wanted[start : start + _AT_ONCE]
            answers = session.run(asked, dict(tensors))
            found.update(
                (name, tuple(each.shape)) for name, each in zip(asked, answers, strict=True) if _is_tensor(each)
            )
    except runtime_errors(runtime) as error:
        raise InferenceError(f"onnxruntime: {error}") from error
    return found


def _is_tensor(answer: object) -> bool:
    """Whether it is an array; an operator may give a list of them, or nothing."""
    return hasattr(answer, "shape")


def _with_inputs(proto: onnx.ModelProto, inputs: Mapping[str, Shape]) -> onnx.ModelProto:
    """A copy with these inputs, without what its exporter declared for another size."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(proto)
    weights = initialiser_names(fixed.graph)
    changed = False
    for value in fixed.graph.input:
        axes = value.type.tensor_type.shape.dim
        for axis, size in zip(axes, inputs.get(value.name, ()), strict=False):
            changed = changed or (value.name not in weights and axis.dim_value != size)
            axis.dim_value = size
    if changed:
        del fixed.graph.value_info[:]
    return fixed


def _fixed(value: onnx.ValueInfoProto) -> Shape | None:
    tensor = value.type.tensor_type
    if value.type.WhichOneof("value") != "tensor_type" or not tensor.HasField("shape"):
        return None
    axes = tensor.shape.dim
    # dim_value 0 is what some exporters write for an open axis.
    return tuple(axis.dim_value for axis in axes) if all(axis.dim_value > 0 for axis in axes) else None
