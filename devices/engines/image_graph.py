"""Puts the way from uint8 pictures to the model's image tensor into the ONNX graph itself.

Measured on ONNX Runtime's CPU kernels: transposing and swapping channels while still uint8, then casting, then
mean and scale costs 0 to 1.5 % of a small detector's time; a 1x1 convolution costs 4 to 7 %, Split and Concat 2 to 3 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.image_input import ImageTensor, image_tensor, model_inputs
from devices.engines.model_file import ModelFile, initialiser_names, parse, serialised
from devices.engines.sniff import read_model_bytes

PICTURES = "sitewatch.pictures"
_FIRST_IR_WITH_CONSTANT_INITIALISERS = 4


def prepared_graph(model: ModelFile, request: EngineRequest, *, cast_first: bool = False) -> bytes:
    """The model as ONNX that takes pictures under the name `PICTURES` in its image input's place.

    The model's own nodes stay as they are: the last node added writes the tensor they read. Shapes that the request
    fixes are fixed in the graph; weights are no longer inputs, so that the run-time may fold them, and those kept
    beside the file are put into it (older ONNX Runtimes do not find them for a model given as bytes).
    `cast_first` makes floats of the pictures before anything else touches them, as TensorRT wants it.

    Raises:
        ModelFileError: the file has changed since it was read.
        EngineLoadError: the model's image input does not take such pictures, or the model is larger than 2 GB.
    """
    proto = parse(model.path, read_model_bytes(model.path))
    onnx.load_external_data_for_model(proto, str(model.path.parent))
    tensor = image_tensor(model, request)
    specs = {spec.name: spec for spec in model_inputs(model, request)}
    _keep_true_inputs(proto)
    for value in proto.graph.input:
        if tensor is not None and value.name == tensor.spec.name:
            value.CopyFrom(_picture_input(tensor, _batch_name(value)))
        else:
            _fix_shape(value, specs[value.name])
    if tensor is not None:
        _put_in_front(proto.graph, tensor, cast_first=cast_first)
    return serialised(model.path, proto)


def _keep_true_inputs(proto: onnx.ModelProto) -> None:
    """Old exporters list weights among the inputs, which forbids constant folding."""
    initialisers = initialiser_names(proto.graph)
    kept = [value for value in proto.graph.input if value.name not in initialisers]
    del proto.graph.input[:]
    proto.graph.input.extend(kept)
    proto.ir_version = max(proto.ir_version, _FIRST_IR_WITH_CONSTANT_INITIALISERS)


def _fix_shape(value: onnx.ValueInfoProto, spec: TensorSpec) -> None:
    for axis, size in zip(value.type.tensor_type.shape.dim, spec.shape, strict=True):
        if size is not None:
            axis.dim_value = size


def _batch_name(value: onnx.ValueInfoProto) -> str:
    return value.type.tensor_type.shape.dim[0].dim_param or "sitewatch.batch"


def _picture_input(tensor: ImageTensor, batch_name: str) -> onnx.ValueInfoProto:
    batch, *rest = tensor.pictures.shape
    shape = [batch_name if batch is None else batch, *rest]
    return onnx.helper.make_tensor_value_info(PICTURES, onnx.TensorProto.UINT8, shape)


def _put_in_front(graph: onnx.GraphProto, tensor: ImageTensor, *, cast_first: bool) -> None:
    chain = _Chain()
    if cast_first:
        chain.add("Cast", to=onnx.TensorProto.FLOAT)
    if tensor.layout == "NCHW":
        chain.add("Transpose", perm=[0, 3, 1, 2])
    if tensor.image.order == "rgb":
        channel_axis = 1 if tensor.layout == "NCHW" else 3
        chain.add("Gather", np.array([2, 1, 0], np.int64), axis=channel_axis)
    if tensor.is_scaled:
        if not cast_first:
            chain.add("Cast", to=onnx.TensorProto.FLOAT)
        if tensor.has_mean:
            chain.add("Sub", _per_channel(tensor, tensor.image.mean))
        chain.add("Mul", _per_channel(tensor, tensor.image.scale))
    if tensor.spec.dtype != "float32" or not (tensor.is_scaled or cast_first):
        chain.add("Cast", to=onnx.helper.np_dtype_to_tensor_dtype(np.dtype(tensor.spec.dtype)))
    chain.nodes[-1].output[0] = tensor.spec.name
    nodes = [*chain.nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    graph.initializer.extend(chain.constants)


def _per_channel(tensor: ImageTensor, values: Sequence[float]) -> npt.NDArray[np.float32]:
    array = np.array(values, np.float32)
    return array.reshape(1, 3, 1, 1) if tensor.layout == "NCHW" else array


class _Chain:
    """Nodes one after the other, the first reading `PICTURES`."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, op_type: str, constant: npt.NDArray[Any] | None = None, **attributes: int | list[int]) -> None:
        """Append a node; `constant` is its second input."""
        inputs = [self.nodes[-1].output[0] if self.nodes else PICTURES]
        if constant is not None:
            name = f"sitewatch.constant{len(self.nodes)}"
            self.constants.append(onnx.numpy_helper.from_array(constant, name))
            inputs.append(name)
        output = f"sitewatch.step{len(self.nodes)}"
        node = onnx.helper.make_node(op_type, inputs, [output], name=output)
        node.attribute.extend(onnx.helper.make_attribute(name, value) for name, value in attributes.items())
        self.nodes.append(node)
