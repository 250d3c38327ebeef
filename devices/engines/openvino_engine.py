"""OpenVINO on the CPU, pictures prepared inside its graph."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, TypeAlias

import numpy.typing as npt

from devices.engines.cache import EngineCache, EngineKey
from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors, TensorSpec
from devices.engines.image_input import ImageTensor, engine_inputs, image_tensor, model_inputs
from devices.engines.model_file import ModelFile, read_model
from devices.engines.tensor_check import as_float32, check_outputs, check_tensors
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError
from devices.inventory import AcceleratorKind

OvObject: TypeAlias = Any
"""The run-time's own object; its type exists only where the run-time is installed."""

NAME = "openvino"
_DEVICE = "CPU"


def load(request: EngineRequest) -> Engine:
    """Make the model ready with a stream of `threads` threads for each of `sessions` sessions.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: OpenVINO is not installed, or would run elsewhere than asked.
        EngineLoadError: it refuses the model.
    """
    if request.accelerator.kind is not AcceleratorKind.CPU:
        raise EngineUnavailable(f"openvino drives the CPU only, not {request.accelerator.name}")
    model = read_model(request.model)
    inputs = engine_inputs(model, request)
    runtime = _import_runtime()
    try:
        compiled, notes = _compile(runtime, model, request)
    except _load_errors(runtime) as error:
        raise EngineLoadError(f"openvino refuses {model.path}: {_sentence(error)}") from error
    if (devices := compiled.get_property("EXECUTION_DEVICES")) != [_DEVICE]:
        raise EngineUnavailable(f"openvino: {_DEVICE} was asked for, {', '.join(devices)} would run")
    ports = _output_ports(model, compiled)
    spec = EngineSpec(
        runtime=NAME,
        runtime_version=runtime.__version__.split("-")[0],
        accelerator=request.accelerator,
        precision=model.precision,
        inputs=inputs,
        outputs=tuple(_output(name, port) for name, port in ports.items()),
        model_sha256=model.sha256,
        notes=notes,
    )
    return OpenVinoEngine(spec, compiled, ports)


class OpenVinoEngine:
    """One compiled model, from which any thread may ask for requests."""

    def __init__(self, spec: EngineSpec, compiled: OvObject, ports: Mapping[str, OvObject]) -> None:
        self._spec = spec
        self._compiled = compiled
        self._ports = ports

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> OpenVinoSession:
        """A session of its own for one worker.

        Raises:
            EngineUnavailable: the engine is closed.
        """
        if self._compiled is None:
            raise EngineUnavailable("openvino: this engine is closed")
        return OpenVinoSession(self._spec, self._compiled.create_infer_request(), self._ports)

    def close(self) -> None:
        """Let go of the model; the last session to close frees it."""
        self._compiled = None
        self._ports = {}


class OpenVinoSession:
    """One inference request, which only one thread may use at a time."""

    def __init__(self, spec: EngineSpec, request: OvObject, ports: Mapping[str, OvObject]) -> None:
        self._spec = spec
        self._request = request
        self._ports = ports

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once: the tensors are read in place, the results are copies, so the next run does not touch them.

        Raises:
            InferenceError: the tensors are not what the model takes, or the run-time failed.
        """
        if self._request is None:
            raise InferenceError("openvino: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        try:
            results = self._request.infer(dict(tensors), share_inputs=True, share_outputs=False)
        except RuntimeError as error:
            raise InferenceError(f"openvino: inference failed: {_sentence(error)}") from error
        answer = {name: as_float32(results[port]) for name, port in self._ports.items()}
        check_outputs(self._spec.outputs, answer)  # open shapes that clash make no error here, but other shapes
        return answer

    def close(self) -> None:
        """Let go of the request and its buffers."""
        self._request = None
        self._ports = {}


def _import_runtime() -> ModuleType:
    # Importing OpenVINO reports to Intel over the network where this package is; without it there is a stub.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: not importable
    try:
        import openvino  # noqa: PLC0415 - a run-time is imported in its factory only
        import openvino.frontend  # noqa: PLC0415 - as above
        import openvino.preprocess  # noqa: PLC0415 - as above
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"openvino cannot be imported: {error}") from error
    runtime: ModuleType = openvino
    return runtime


def _compile(runtime: ModuleType, model: ModelFile, request: EngineRequest) -> tuple[OvObject, tuple[str, ...]]:
    """Compiled, from the cache where it is there, and what to tell about it."""
    core = runtime.Core()
    if request.cache_dir is None:
        return core.compile_model(_network(runtime, model, request), _DEVICE, _settings(request)), ()
    cache = EngineCache(request.cache_dir / NAME)
    key = _key(runtime, model, request)
    if (kept := _imported(core, cache.find(key), request)) is not None:
        return kept, ("taken from the engine cache",)
    compiled = core.compile_model(_network(runtime, model, request), _DEVICE, _settings(request))
    try:
        cache.keep(key, _exported(compiled))
    except OSError as error:
        return compiled, (f"not kept in the engine cache {request.cache_dir}: {error.strerror}",)
    return compiled, ("kept in the engine cache",)


def _exported(compiled: OvObject) -> bytes:
    """A stream since 2025, bytes before."""
    exported = compiled.export_model()
    return exported if isinstance(exported, bytes) else bytes(exported.getvalue())


def _imported(core: OvObject, content: bytes | None, request: EngineRequest) -> OvObject | None:
    if content is None:
        return None
    try:
        return core.import_model(io.BytesIO(content), _DEVICE, _settings(request))
    except RuntimeError:
        return None  # whole, but not for this OpenVINO after all: compile again


def _key(runtime: ModuleType, model: ModelFile, request: EngineRequest) -> EngineKey:
    device = request.accelerator
    return EngineKey(
        model_sha256=model.sha256,
        runtime=NAME,
        runtime_version=runtime.__version__,
        accelerator=" ".join((device.kind.value, device.name, *device.capability)),
        driver=device.driver,
        precision="fp32",
        inputs=repr(engine_inputs(model, request)),
        options=repr((request.image, sorted(_settings(request).items()))),
    )


def _network(runtime: ModuleType, model: ModelFile, request: EngineRequest) -> OvObject:
    network = _read(runtime, model)
    tensor = image_tensor(model, request)
    _fix_shapes(runtime, network, model, request, tensor)
    return network if tensor is None else _with_pictures(runtime, network, tensor)


def _read(runtime: ModuleType, model: ModelFile) -> OvObject:
    """Through the ONNX front end by name: guessing would let every other front end print its complaints."""
    frontend = runtime.frontend.FrontEndManager().load_by_framework("onnx")
    return frontend.convert(frontend.load(str(model.path)))


def _settings(request: EngineRequest) -> dict[str, str | int | bool]:
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": request.sessions,
        "INFERENCE_NUM_THREADS": request.threads * request.sessions,
        "INFERENCE_PRECISION_HINT": "f32",  # processors with bfloat16 would compute something else
        "ENABLE_CPU_PINNING": False,  # two agents, or the decoder, would meet on the same processor
    }


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


def _output_ports(model: ModelFile, compiled: OvObject) -> dict[str, OvObject]:
    """The compiled outputs under the file's names, in the file's order, which OpenVINO keeps.

    Older ones lose the name of an output that is an input unchanged; its place still tells it.
    """
    if len(compiled.outputs) != len(model.outputs):
        raise EngineLoadError(f"openvino: {model.path} lost outputs on the way: {len(compiled.outputs)} are left")
    by_name = {name: port for port in compiled.outputs for name in port.get_names()}
    in_order = zip(model.outputs, compiled.outputs, strict=True)
    return {spec.name: by_name.get(spec.name, port) for spec, port in in_order}


def _output(name: str, port: OvObject) -> TensorSpec:
    shape = port.get_partial_shape()
    axes = () if shape.rank.is_dynamic else tuple(None if axis.is_dynamic else axis.get_length() for axis in shape)
    dtype = port.get_element_type().to_dtype().name
    return TensorSpec(name, "float32" if dtype == "float16" else dtype, axes)


def _load_errors(runtime: ModuleType) -> tuple[type[Exception], ...]:
    """RuntimeError, and the front end's own, which have no common parent."""
    found = vars(runtime.frontend).values()
    own = (each for each in found if isinstance(each, type) and issubclass(each, Exception))
    return (RuntimeError, *own)


def _sentence(error: Exception) -> str:
    """OpenVINO's messages begin with the lines of its own sources that threw; the rest is the message."""
    lines = [line.strip() for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Exception from", "Check '"))]
    return " ".join(told or lines)
