"""Run-times under a Python of their own: OpenVINO 2022.3 LTS for a MYRIAD stick, TensorRT of an old JetPack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from devices.engines.engine import Engine, EngineRequest, EngineSpec, Precision
from devices.engines.host_pictures import picture_feed
from devices.engines.image_graph import PICTURES, prepared_graph
from devices.engines.image_input import ImageTensor, engine_inputs, image_tensor, model_inputs, shape_text
from devices.engines.model_file import ModelFile, read_model
from devices.engines.worker.engine_worker import Message
from devices.engines.worker.isolated_engine import Feed, IsolatedEngine
from devices.engines.worker.loading import open_engine, tensor_spec
from devices.engines.worker.worker_order import HERE, LIMITS, WorkerLimits, WorkerOrder
from devices.errors import EngineLoadError, EngineUnavailable, ModelFileError
from devices.inventory import AcceleratorKind

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Foreign:
    """A run-time in another Python.

    Attributes:
        name: for people, and as the spec has it.
        file: under `runtimes`.
        drives: families of accelerator.
        options: what its `load` takes beside threads, sessions, shapes and outputs.
        takes_pictures: whether uint8 pictures go into its graph; else the agent turns them into the model's tensor.
        is_static: whether every axis must be fixed; an open batch is then fixed at what was asked for, else at 1.
        batch: the only batch it takes, or None.
        precision: of the computation, or None for the model's own.
        lanes: requests at once, or None for as many as there are sessions.
    """

    name: str
    file: str
    drives: frozenset[AcceleratorKind]
    options: Callable[[EngineRequest], Options]
    takes_pictures: bool = False
    is_static: bool = True
    batch: int | None = None
    precision: str | None = None
    lanes: int | None = None


def _on_cpu(request: EngineRequest) -> Options:
    """As the agent's own OpenVINO engine has them."""
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": str(request.sessions),
        "INFERENCE_NUM_THREADS": str(request.threads * request.sessions),
        "INFERENCE_PRECISION_HINT": "f32",
    }
    return {"device": "CPU", "settings": settings}


def _on_tensorrt(request: EngineRequest) -> Options:
    device = request.accelerator
    return {
        "device": 0 if device.kind is AcceleratorKind.DLA else device.index,
        "dla_core": device.index if device.kind is AcceleratorKind.DLA else None,
        "precision": Precision.FP16.value if request.precision is Precision.AUTO else request.precision.value,
        "cache_dir": str(request.cache_dir / "tensorrt_worker") if request.cache_dir else None,
    }


_CPU = frozenset({AcceleratorKind.CPU})
ONNXRUNTIME = Foreign("onnxruntime", "onnxruntime_engine.py", _CPU, lambda _: {}, takes_pictures=True, is_static=False)
OPENVINO = Foreign("openvino", "openvino_engine.py", _CPU, _on_cpu, takes_pictures=True, is_static=False)
MYRIAD = Foreign(
    "myriad",
    "openvino_engine.py",
    frozenset({AcceleratorKind.MYRIAD}),
    lambda _: {"device": "MYRIAD", "settings": {}},
    batch=1,
    precision="fp16",
    lanes=1,
)
TENSORRT = Foreign(
    "tensorrt",
    "tensorrt_engine.py",
    frozenset({AcceleratorKind.NVIDIA_GPU, AcceleratorKind.DLA}),
    _on_tensorrt,
    lanes=1,  # every CUDA object belongs to one thread
)


def load_myriad(request: EngineRequest) -> Engine:
    """Make the model ready on a MYRIAD stick: float16, all shapes fixed, one picture at a time.

    Raises:
        ModelFileError, EngineUnavailable, EngineLoadError: as `load_foreign`.
    """
    return load_foreign(MYRIAD, request)


def load_tensorrt(request: EngineRequest) -> Engine:
    """Make the model ready on TensorRT 8.5 to 10 of another Python, all shapes fixed.

    Raises:
        ModelFileError, EngineUnavailable, EngineLoadError: as `load_foreign`.
    """
    return load_foreign(TENSORRT, request)


def load_foreign(foreign: Foreign, request: EngineRequest, limits: WorkerLimits = LIMITS) -> IsolatedEngine:
    """Make the model ready under the Python that the request names.

    Args:
        foreign: the run-time.
        request: with `worker.interpreter`.
        limits: how long and how often.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: no interpreter is named, or it or the run-time cannot be used.
        EngineLoadError: it refused the model, crashed over it, or took too long; or it does not take such a batch.
    """
    if request.accelerator.kind not in foreign.drives:
        kinds = ", ".join(sorted(kind.value for kind in foreign.drives))
        raise EngineUnavailable(f"{foreign.name} drives {kinds} only, not {request.accelerator.name}")
    if request.worker.interpreter is None:
        raise EngineUnavailable(f"{foreign.name} needs a Python of its own, and none is named")
    model = read_model(request.model)
    fitted = _fitted(foreign, model, request)
    tensor = image_tensor(model, fitted)
    order = WorkerOrder(
        name=foreign.name,
        interpreter=request.worker.interpreter,
        runtime=HERE / "runtimes" / foreign.file,
        model=lambda: _content(foreign, model, fitted),
        options=_options(foreign, model, fitted, tensor),
        lanes=foreign.lanes or fitted.sessions,
        build=fitted.build,
    )
    return open_engine(
        order,
        limits,
        spec=lambda loaded: _spec(foreign, model, fitted, loaded),
        feed=_feed(foreign, tensor),
    )


def _fitted(foreign: Foreign, model: ModelFile, request: EngineRequest) -> EngineRequest:
    """The request with the batch the run-time takes.

    The model's own fixed batch is among what is checked here.
    """
    fitted = replace(request, batch=request.batch or 1) if foreign.is_static else request
    for spec in engine_inputs(model, fitted):
        if foreign.is_static and None in spec.shape:
            raise EngineLoadError(
                f"{model.path}: input {spec.name} is {shape_text(spec)}; {foreign.name} needs it fixed"
            )
        if foreign.batch and spec.shape and spec.shape[0] != foreign.batch:
            raise EngineLoadError(
                f"{model.path}: input {spec.name} takes a batch of {spec.shape[0]}, {foreign.name} only {foreign.batch}"
            )
    return fitted


def _content(foreign: Foreign, model: ModelFile, request: EngineRequest) -> bytes:
    if read_model(model.path).sha256 != model.sha256:
        raise ModelFileError(f"{model.path}: the file has changed since it was loaded; start sitewatch anew")
    return prepared_graph(model, request if foreign.takes_pictures else replace(request, image=None))


def _options(foreign: Foreign, model: ModelFile, request: EngineRequest, tensor: ImageTensor | None) -> dict[str, Any]:
    shapes = {spec.name: list(spec.shape) for spec in model_inputs(model, request)}
    if tensor is not None:
        shapes[tensor.spec.name] = list(tensor.spec.shape)
    return {
        "threads": request.threads,
        "sessions": request.sessions,
        "shapes": shapes if foreign.is_static else {},
        "outputs": [spec.name for spec in model.outputs],
        **foreign.options(request),
    }


def _feed(foreign: Foreign, tensor: ImageTensor | None) -> Feed:
    if tensor is None:
        return dict
    if not foreign.takes_pictures:
        return picture_feed(tensor)
    name = tensor.spec.name
    return lambda tensors: {PICTURES if each == name else each: array for each, array in tensors.items()}


def _spec(foreign: Foreign, model: ModelFile, request: EngineRequest, loaded: Message) -> EngineSpec:
    outputs = tuple(tensor_spec(row) for row in loaded["outputs"])
    return EngineSpec(
        runtime=foreign.name,
        runtime_version=str(loaded["runtime_version"]),
        accelerator=request.accelerator,
        precision=foreign.precision or model.precision,
        inputs=engine_inputs(model, request),
        outputs=tuple(replace(each, dtype="float32") if each.dtype == "float16" else each for each in outputs),
        model_sha256=model.sha256,
        notes=(*loaded.get("notes", ()), f"in a worker under {request.worker.interpreter}"),
    )
