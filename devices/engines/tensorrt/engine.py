"""TensorRT as an engine: the factory, and the engine it gives."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from devices.engines.engine import Engine, EngineRequest, EngineSpec, TensorSpec
from devices.engines.image_input import engine_inputs
from devices.engines.model_file import read_model
from devices.engines.tensorrt.build import Built, build
from devices.engines.tensorrt.cuda_driver import CudaDriver, CudaError
from devices.engines.tensorrt.cuda_thread import CudaThread
from devices.engines.tensorrt.dla import why_not_driven
from devices.engines.tensorrt.gate import check_driver
from devices.engines.tensorrt.loaded import LoadedEngine
from devices.engines.tensorrt.logger import LogLines
from devices.engines.tensorrt.planning import NAME, EnginePlan
from devices.engines.tensorrt.plans import load_plan
from devices.engines.tensorrt.pycuda_driver import PycudaDriver
from devices.engines.tensorrt.session import TensorRtSession, Ways
from devices.errors import EngineLoadError, EngineUnavailable
from devices.inventory import AcceleratorKind

DRIVES = frozenset({AcceleratorKind.NVIDIA_GPU, AcceleratorKind.DLA})


def _import_tensorrt() -> ModuleType:
    try:
        import tensorrt  # noqa: PLC0415 - a run-time is imported in its factory only
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"tensorrt cannot be imported: {error}") from error
    runtime: ModuleType = tensorrt
    return runtime


@dataclass(frozen=True)
class Vendor:
    """NVIDIA's software, as this module reaches it, in the order it is asked.

    Attributes:
        gate: raises `EngineUnavailable` where the driver does not work.
        tensorrt: imports the run-time.
        cuda: the driver of a device by its number.
        build: builds in a child process.
    """

    gate: Callable[[], object] = check_driver
    tensorrt: Callable[[], ModuleType] = _import_tensorrt
    cuda: Callable[[int], CudaDriver] = PycudaDriver
    build: Callable[..., Built] = build


NVIDIA = Vendor()


def load(request: EngineRequest, vendor: Vendor = NVIDIA) -> Engine:
    """Make the model ready: from the engine cache, or built for minutes in a child process.

    Args:
        request: what to make ready; on a DLA, `accelerator.index` is the core, and the GPU beside it is CUDA's first.
        vendor: NVIDIA's software.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: driver, TensorRT or pycuda are not there, or do not drive this accelerator.
        EngineLoadError: TensorRT refuses the model, or it was not ready by the deadline; with TensorRT's last errors.
    """
    accelerator = request.accelerator
    if accelerator.kind not in DRIVES:
        raise EngineUnavailable(f"tensorrt drives NVIDIA GPUs and DLAs only, not {accelerator.name}")
    model = read_model(request.model)
    inputs = engine_inputs(model, request)
    vendor.gate()
    trt = vendor.tensorrt()
    is_dla = accelerator.kind is AcceleratorKind.DLA
    thread = CudaThread(vendor.cuda(0 if is_dla else accelerator.index), f"tensorrt-{accelerator.kind.value}")
    try:
        facts = thread.start()
    except CudaError as error:
        raise EngineUnavailable(f"tensorrt: CUDA does not start on {accelerator.name}: {error}") from error
    loaded = LoadedEngine(trt, thread, facts, LogLines())
    try:
        plan = EnginePlan.of(trt, model, request, facts, request.calibration)
        _start(loaded, trt, request)
        notes = load_plan(loaded, plan.shelf(trt, inputs), lambda *caches: plan.build(vendor.build, *caches))
        spec = _spec(trt, loaded, plan, inputs, (*plan.precision.notes, *notes))
    except BaseException:
        loaded.release(None)
        raise
    return TensorRtEngine(spec, loaded, plan.ways())


class TensorRtEngine:
    """An engine; dropped without `close`, it is closed all the same, even at the interpreter's end."""

    def __init__(self, spec: EngineSpec, loaded: LoadedEngine, ways: Ways) -> None:
        self._spec = spec
        self._loaded: LoadedEngine | None = loaded
        self._ways = ways
        self._release = weakref.finalize(self, loaded.release, None)

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> TensorRtSession:
        """A session with buffers of its own.

        Raises:
            EngineUnavailable: the engine is closed, or there is too little memory for one more.
        """
        loaded = self._loaded
        if loaded is None:
            raise EngineUnavailable("tensorrt: this engine is closed")
        try:
            return TensorRtSession(self._spec, loaded, loaded.buffers(), self._ways)
        except CudaError as error:
            raise EngineUnavailable(f"tensorrt: no session: {error}") from error

    def close(self) -> None:
        """Let go of the model; the last session to close frees it. May be called twice."""
        self._loaded = None
        self._release()


def _start(loaded: LoadedEngine, trt: ModuleType, request: EngineRequest) -> None:
    accelerator = request.accelerator
    core = accelerator.index if accelerator.kind is AcceleratorKind.DLA else None
    try:
        cores = loaded.start(core)
    except CudaError as error:
        raise EngineUnavailable(f"tensorrt: {error}") from error
    if core is not None and core >= cores:
        raise EngineUnavailable(f"tensorrt: {why_not_driven(accelerator, cores, trt.__version__)}")


def _spec(
    trt: ModuleType, loaded: LoadedEngine, plan: EnginePlan, inputs: tuple[TensorSpec, ...], notes: tuple[str, ...]
) -> EngineSpec:
    places = {place.name: place for place in loaded.places}
    if lost := [spec.name for spec in plan.model.outputs if spec.name not in places]:
        raise EngineLoadError(f"tensorrt: {plan.model.path} lost outputs on the way: {', '.join(lost)}")
    return EngineSpec(
        runtime=NAME,
        runtime_version=trt.__version__,
        accelerator=plan.request.accelerator,
        precision=plan.precision.precision.value,
        inputs=inputs,
        outputs=tuple(_output(spec, places[spec.name].shape) for spec in plan.model.outputs),
        model_sha256=plan.model.sha256,
        notes=notes,
    )


def _output(spec: TensorSpec, shape: tuple[int, ...]) -> TensorSpec:
    dtype = "float32" if spec.dtype == "float16" else spec.dtype
    return TensorSpec(spec.name, dtype, tuple(None if axis < 0 else axis for axis in shape))
