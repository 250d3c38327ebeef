"""The model as OpenVINO's network: shapes fixed as far as known, pictures prepared inside its graph."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.image_input import ImageTensor, engine_inputs, image_tensor, model_inputs, shape_text
from devices.engines.model_file import ModelFile
from devices.engines.openvino.ir_file import ir_network, is_ir
from devices.engines.openvino.places import Place
from devices.engines.openvino.runtime import NAME, OvObject
from devices.errors import EngineLoadError


def fitted(request: EngineRequest, model: ModelFile, place: Place) -> EngineRequest:
    """The request as the place takes it: an NPU wants every axis fixed, so an open batch becomes the largest asked for.

    Raises:
        EngineLoadError: the NPU is to run a model that leaves another axis open.
    """
    if not place.has_npu:
        return request
    fixed = replace(request, batch=request.batch or request.largest_batch)
    for spec in engine_inputs(model, fixed):
        if None in spec.shape:
            raise EngineLoadError(
                f"{NAME}: an NPU takes fixed shapes only, and input {spec.name} of {model.path} takes "
                f"{shape_text(spec)}: export the model with fixed shapes"
            )
    return fixed


def make_network(runtime: ModuleType, model: ModelFile, request: EngineRequest) -> OvObject:
    """The network to compile.

    Raises:
        EngineLoadError: the model's image input does not take the pictures asked for.
        RuntimeError, and the front end's errors: OpenVINO cannot read the model.
    """
    network = _read(runtime, model)
    tensor = image_tensor(model, request)
    _fix_shapes(runtime, network, model, request, tensor)
    return network if tensor is None else _with_pictures(runtime, network, tensor)


def output_ports(model: ModelFile, compiled: OvObject) -> dict[str, OvObject]:
    """The compiled outputs under the file's names, in the file's order, which OpenVINO keeps.

    Older ones lose the name of an output that is an input unchanged; its place still tells it.

    Raises:
        EngineLoadError: an output was lost.
    """
    if len(compiled.outputs) != len(model.outputs):
        raise EngineLoadError(f"{NAME}: {model.path} lost outputs on the way: {len(compiled.outputs)} are left")
    by_name = {name: port for port in compiled.outputs for name in port.get_names()}
    in_order = zip(model.outputs, compiled.outputs, strict=True)
    return {spec.name: by_name.get(spec.name, port) for spec, port in in_order}


def output_spec(name: str, port: OvObject) -> TensorSpec:
    """An output as a session gives it."""
    shape = port.get_partial_shape()
    axes = () if shape.rank.is_dynamic else tuple(None if axis.is_dynamic else axis.get_length() for axis in shape)
    dtype = port.get_element_type().to_dtype().name
    return TensorSpec(name, "float32" if dtype == "float16" else dtype, axes)


def _read(runtime: ModuleType, model: ModelFile) -> OvObject:
    """Through the front end by name: guessing would let every other front end print its complaints."""
    if is_ir(model.path):
        return ir_network(runtime, model.path)
    frontend = runtime.frontend.FrontEndManager().load_by_framework("onnx")
    return frontend.convert(frontend.load(str(model.path)))


def _fix_shapes(
    runtime: ModuleType,
    network: OvObject,
    model: ModelFile,
    request: EngineRequest,
    tensor: ImageTensor | None,
) -> None:
    shapes = {spec.name: spec.shape for spec in model_inputs(model, request)}
    if tensor is not None:
        shapes[tensor.spec.name] = tensor.spec.shape
    changed = {spec.name for spec in model.inputs if shapes[spec.name] != spec.shape}
    if not changed:
        return
    axes = {name: [-1 if axis is None else axis for axis in shape] for name, shape in shapes.items()}
    network.reshape({name: runtime.PartialShape(axes[name]) for name in changed})


def _with_pictures(runtime: ModuleType, network: OvObject, tensor: ImageTensor) -> OvObject:
    """Measured: laying out as NCHW first, still uint8, costs half a percent; later in the chain four."""
    preprocess = runtime.preprocess
    builder = preprocess.PrePostProcessor(network)
    picture = builder.input(tensor.spec.name)
    picture.tensor().set_element_type(runtime.Type.u8).set_layout(runtime.Layout("NHWC"))
    picture.tensor().set_color_format(preprocess.ColorFormat.BGR)
    picture.model().set_layout(runtime.Layout(tensor.layout))
    steps = picture.preprocess().convert_layout(runtime.Layout(tensor.layout))
    steps.convert_element_type(runtime.Type.f32 if tensor.is_scaled else _type(runtime, tensor.spec.dtype))
    if tensor.image.order == "rgb":
        steps.convert_color(preprocess.ColorFormat.RGB)
    if tensor.has_mean:
        steps.mean(list(tensor.image.mean))
    if tensor.is_scaled:
        steps.scale([1.0 / scale for scale in tensor.image.scale])
        steps.convert_element_type(_type(runtime, tensor.spec.dtype))
    return builder.build()


def _type(runtime: ModuleType, dtype: str) -> OvObject:
    return {"float32": runtime.Type.f32, "float16": runtime.Type.f16, "uint8": runtime.Type.u8}[dtype]
