"""Core ML models on Apple's GPU and Neural Engine, through coremltools."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.coreml.compiled_model import load_compiled
from devices.engines.coreml.compute_share import share_notes
from devices.engines.coreml.library import CoreMlObject, import_coremltools
from devices.engines.coreml.package import is_core_ml, read_coreml_model
from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors, TensorSpec
from devices.engines.host_pictures import model_pictures
from devices.engines.image_input import ImageTensor, engine_inputs, image_tensor, shape_text
from devices.engines.model_file import ModelFile
from devices.engines.tensor_check import as_float32, check_outputs, check_tensors
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError
from devices.inventory import AcceleratorKind

NAME = "coreml"
# What to ask for, and what the machine must list for it.
UNITS = {
    AcceleratorKind.APPLE_NEURAL_ENGINE: ("CPU_AND_NE", "MLNeuralEngineComputeDevice"),
    AcceleratorKind.APPLE_GPU: ("CPU_AND_GPU", "MLGPUComputeDevice"),
    AcceleratorKind.CPU: ("CPU_ONLY", "MLCPUComputeDevice"),
}

UNITS_NOTE = "sitewatch_compute_units"
"""What a package's notes may name: the units it was converted for. Others refuse it; ALL lets Core ML use every one."""
_ALL = "ALL"
_NAMES_OF_UNITS = {_ALL, *(name for name, _ in UNITS.values())}


def load(request: EngineRequest) -> Engine:
    """Make the model ready; the first time on a machine may take minutes, within the request's deadline.

    Raises:
        ModelFileError: the file is damaged.
        EngineUnavailable: this is no Mac, it lacks the device, the file is no Core ML model, or it is late.
        EngineLoadError: Core ML refuses the model, or it does not take such pictures.
    """
    if request.accelerator.kind not in UNITS:
        raise EngineUnavailable(f"{NAME} drives Apple's devices only, not {request.accelerator.name}")
    if not is_core_ml(request.model):
        raise EngineUnavailable(
            f"{NAME} runs .mlpackage and .mlmodelc, and {request.model.name} is none; "
            "onnxruntime runs ONNX models on Apple's devices"
        )
    library = import_coremltools()
    model = read_coreml_model(request.model)
    units = _units(library, request, model.metadata.get(UNITS_NOTE))
    inputs = engine_inputs(model, request)
    _require_fixed(model, inputs)
    compiled = load_compiled(library, model, request, units)
    spec = EngineSpec(
        runtime=NAME,
        runtime_version=library.__version__,
        accelerator=request.accelerator,
        precision=model.precision,
        inputs=inputs,
        outputs=tuple(_as_given(spec) for spec in model.outputs),
        model_sha256=model.sha256,
        notes=tuple(filter(None, (compiled.note, *share_notes(library, compiled.folder, units)))),
    )
    return CoreMlEngine(spec, _Loaded(compiled.model, _images(model), image_tensor(model, request)))


@dataclass(eq=False)
class _Loaded:
    """What an engine and its sessions share.

    Attributes:
        model: the library's.
        images: names of the inputs that Core ML takes as pictures.
        tensor: the input that is fed with the agent's pictures, or None.
    """

    model: CoreMlObject
    images: frozenset[str]
    tensor: ImageTensor | None

    def __post_init__(self) -> None:
        self.lock = threading.Lock()

    def feed(self, name: str, array: npt.NDArray[Any]) -> CoreMlObject:
        """An input as Core ML takes it: pictures as PIL's, in RGB; arrays as they are."""
        is_bgr = self.tensor is not None and name == self.tensor.spec.name
        if name in self.images:
            pixels = array[0, ..., ::-1] if is_bgr else array[0]
            return importlib.import_module("PIL.Image").fromarray(np.ascontiguousarray(pixels))
        if is_bgr and self.tensor is not None:
            return model_pictures(self.tensor, array)
        return np.ascontiguousarray(array)


class CoreMlEngine:
    """One loaded model, which sessions use in turn: the device runs one inference at a time."""

    def __init__(self, spec: EngineSpec, loaded: _Loaded) -> None:
        self._spec = spec
        self._loaded: _Loaded | None = loaded

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> CoreMlSession:
        """A session of its own for one worker.

        Raises:
            EngineUnavailable: the engine is closed.
        """
        if self._loaded is None:
            raise EngineUnavailable(f"{NAME}: this engine is closed")
        return CoreMlSession(self._spec, self._loaded)

    def close(self) -> None:
        """Let go of the model; the last session to close frees it."""
        self._loaded = None


class CoreMlSession:
    """One worker's way into the shared model."""

    def __init__(self, spec: EngineSpec, loaded: _Loaded) -> None:
        self._spec = spec
        self._loaded: _Loaded | None = loaded

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once.

        Raises:
            InferenceError: the tensors are not what the model takes, or Core ML failed.
        """
        loaded = self._loaded
        if loaded is None:
            raise InferenceError(f"{NAME}: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        feeds = {name: loaded.feed(name, array) for name, array in tensors.items()}
        try:
            with loaded.lock:
                answer = loaded.model.predict(feeds)
            given = {spec.name: as_float32(np.array(answer[spec.name])) for spec in self._spec.outputs}
        except KeyError as error:
            raise InferenceError(f"{NAME}: the answer lacks the output {error}") from error
        except Exception as error:
            raise InferenceError(f"{NAME}: inference failed: {error}") from error
        check_outputs(self._spec.outputs, given)
        return given

    def close(self) -> None:
        """Let go of the shared model."""
        self._loaded = None


def listed(library: CoreMlObject) -> list[str]:
    """Classes of the devices that Core ML lists, none on another system: what a probe asks for in a child process."""
    try:
        devices = importlib.import_module(f"{library.__name__}.models.compute_device").MLComputeDevice
        return [type(each).__name__ for each in devices.get_all_compute_devices()]
    except AttributeError:  # its part of macOS is not there
        return []


def _units(library: CoreMlObject, request: EngineRequest, noted: str | None) -> CoreMlObject:
    """What to ask for: the accelerator's own, or all where the package says so and the Neural Engine is meant."""
    name, device = UNITS[request.accelerator.kind]
    found = listed(library)
    if not found:
        raise EngineUnavailable(f"{NAME}: Core ML is a part of macOS, and this is another system")
    if device not in found:
        raise EngineUnavailable(f"{NAME}: {device} was asked for, Core ML lists {', '.join(found)}")
    if noted in _NAMES_OF_UNITS - {name, _ALL} and request.accelerator.kind is not AcceleratorKind.CPU:
        raise EngineUnavailable(f"{NAME}: {request.model.name} was converted for {noted}, not for {name}")
    is_for_all = noted == _ALL and request.accelerator.kind is AcceleratorKind.APPLE_NEURAL_ENGINE
    return getattr(library.ComputeUnit, _ALL if is_for_all else name)


def _require_fixed(model: ModelFile, inputs: tuple[TensorSpec, ...]) -> None:
    """Open shapes keep a model off the Neural Engine, in silence."""
    for spec in inputs:
        if None in spec.shape:
            raise EngineLoadError(
                f"{model.path}: input {spec.name} is {shape_text(spec)}; export the model with fixed shapes"
            )


def _images(model: ModelFile) -> frozenset[str]:
    """Core ML has no uint8 tensors as inputs: what is told as uint8 is a picture."""
    return frozenset(spec.name for spec in model.inputs if spec.dtype == "uint8")


def _as_given(spec: TensorSpec) -> TensorSpec:
    return TensorSpec(spec.name, "float32", spec.shape) if spec.dtype == "float16" else spec
