"""The ONNX that TensorRT parses, and where pictures become the model's tensor.

On the GPU in the graph: TensorRT takes uint8 as network input (where `DataType.UINT8` exists) if nothing but a Cast
reads it, not even a Transpose (NVIDIA/TensorRT issue 3985), so the Cast comes first. On the processor in three cases:
for a DLA, which has no uint8 and would send the first layers to the GPU; where TensorRT calibrates, as nothing says
that its calibrators take uint8; and for models that take uint8 themselves, whose first layer is then their own.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import onnx

from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.image_input import ImageTensor, image_tensor, model_inputs
from devices.engines.model_file import ModelFile, parse, serialised
from devices.inventory import AcceleratorKind


def pictures_in_graph(trt: ModuleType, model: ModelFile, request: EngineRequest, *, calibrate: bool) -> bool:
    """Whether the engine itself takes uint8 pictures."""
    tensor = image_tensor(model, request)
    if tensor is None or calibrate or request.accelerator.kind is AcceleratorKind.DLA:
        return False
    return hasattr(trt.DataType, "UINT8") and tensor.spec.dtype != "uint8"


def network_inputs(model: ModelFile, request: EngineRequest, *, in_graph: bool) -> tuple[TensorSpec, ...]:
    """The network's inputs under its own names, sizes fixed as far as the request fixes them."""
    tensor = image_tensor(model, request)
    return tuple(
        _fed(tensor, in_graph=in_graph) if tensor is not None and spec.name == tensor.spec.name else spec
        for spec in model_inputs(model, request)
    )


def network_graph(model: ModelFile, request: EngineRequest, *, in_graph: bool) -> bytes:
    """The model as ONNX, weights inside, with these inputs.

    Raises:
        ModelFileError: the file has changed since it was read.
        EngineLoadError: it is larger than 2 GB.
    """
    if in_graph:
        return prepared_graph(model, request, cast_first=True)
    proto = parse(model.path, prepared_graph(model, replace(request, image=None)))
    sizes = {spec.name: spec.shape for spec in network_inputs(model, request, in_graph=False)}
    for value in proto.graph.input:
        for axis, size in zip(value.type.tensor_type.shape.dim, sizes[value.name], strict=True):
            _fix(axis, size)
    return serialised(model.path, proto)


def _fed(tensor: ImageTensor, *, in_graph: bool) -> TensorSpec:
    return replace(tensor.pictures, name=PICTURES) if in_graph else tensor.spec


def _fix(axis: onnx.TensorShapeProto.Dimension, size: int | None) -> None:
    if size is not None:
        axis.dim_value = size
