"""ONNX Runtime: on the processor, and through its own providers on NVIDIA and Apple devices."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, TypeAlias

import numpy.typing as npt

from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors, TensorSpec
from devices.engines.image_graph import PICTURES
from devices.engines.image_input import engine_inputs
from devices.engines.model_file import ModelFile, read_model
from devices.engines.onnxruntime_assignment import RECORD, missing_library, require_built_in, require_provider
from devices.engines.onnxruntime_providers import CPU_PROVIDER, ProviderUse, provider_use
from devices.engines.tensor_check import as_float32, check_tensors
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError

OrtObject: TypeAlias = Any
"""The run-time's own object; its type exists only where the run-time is installed."""

NAME = "onnxruntime"
_SILENT = 4  # only fatal messages; every failure reaches us as an exception
_DTYPES = {"float": "float32", "double": "float64", "float16": "float32"}


def load(request: EngineRequest) -> Engine:
    """Make the model ready. All sessions of the engine share its threads: a run uses its caller and `threads - 1` more.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: ONNX Runtime is not installed, or would run elsewhere than asked.
        EngineLoadError: it refuses the model.
    """
    return load_on(NAME, request, provider_use)


def load_on(name: str, request: EngineRequest, use: Callable[[ModelFile, EngineRequest], ProviderUse]) -> Engine:
    """Make the model ready on a provider that ONNX Runtime brings along.

    Args:
        name: of the run-time in the catalogue.
        request: what to make ready.
        use: chooses the provider and its options.

    Raises:
        ModelFileError, EngineUnavailable, EngineLoadError: as `load`.
    """
    model = read_model(request.model)
    inputs = engine_inputs(model, request)
    wanted = use(model, request)
    runtime = import_runtime()
    require_built_in(runtime, wanted.name)
    options = session_options(runtime, request)
    if wanted.name != CPU_PROVIDER:
        _preload(runtime)
        options.add_session_config_entry(*RECORD)
    try:
        ort_session = open_session(runtime, model, wanted.graph, options, providers=_listed(wanted))
    except EngineLoadError as error:
        if not (reason := missing_library(runtime, wanted.name)):
            raise
        raise EngineUnavailable(f"onnxruntime: {wanted.name} cannot be used: {reason}") from error
    notes = require_provider(runtime, ort_session, wanted.name)
    return made_engine(Loading(name, runtime, model, request, inputs), ort_session, wanted.precision, notes)


@dataclass(frozen=True, eq=False)
class Loading:
    """What is known of an engine before its session is open."""

    name: str
    runtime: ModuleType
    model: ModelFile
    request: EngineRequest
    inputs: tuple[TensorSpec, ...]


def made_engine(loading: Loading, ort_session: OrtObject, precision: str, notes: tuple[str, ...]) -> OnnxRuntimeEngine:
    """The engine of an open session."""
    request = loading.request
    spec = EngineSpec(
        runtime=loading.name,
        runtime_version=loading.runtime.__version__,
        accelerator=request.accelerator,
        precision=precision,
        inputs=loading.inputs,
        outputs=tuple(_output(node) for node in ort_session.get_outputs()),
        model_sha256=loading.model.sha256,
        notes=notes,
    )
    names = {request.image.name: PICTURES} if request.image else {}
    return OnnxRuntimeEngine(spec, _Loaded(ort_session, names, runtime_errors(loading.runtime)))


@dataclass(frozen=True, eq=False)
class _Loaded:
    """What an engine and its sessions share: the run-time's session, its names of our inputs, and what it raises."""

    ort_session: OrtObject
    names: Mapping[str, str]
    errors: tuple[type[Exception], ...]


class OnnxRuntimeEngine:
    """One ONNX Runtime session, which any number of threads may run at once."""

    def __init__(self, spec: EngineSpec, loaded: _Loaded) -> None:
        self._spec = spec
        self._loaded: _Loaded | None = loaded

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> OnnxRuntimeSession:
        """A session of its own for one worker.

        Raises:
            EngineUnavailable: the engine is closed.
        """
        if self._loaded is None:
            raise EngineUnavailable("onnxruntime: this engine is closed")
        return OnnxRuntimeSession(self._spec, self._loaded)

    def close(self) -> None:
        """Let go of the model; the last session to close frees it."""
        self._loaded = None


class OnnxRuntimeSession:
    """One worker's way into the shared ONNX Runtime session."""

    def __init__(self, spec: EngineSpec, loaded: _Loaded) -> None:
        self._spec = spec
        self._loaded: _Loaded | None = loaded
        self._outputs = [output.name for output in spec.outputs]

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once.

        Raises:
            InferenceError: the tensors are not what the model takes, or the run-time failed.
        """
        loaded = self._loaded
        if loaded is None:
            raise InferenceError("onnxruntime: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        feeds = {loaded.names.get(name, name): array for name, array in tensors.items()}
        try:
            results = loaded.ort_session.run(self._outputs, feeds)
        except loaded.errors as error:
            raise InferenceError(f"onnxruntime: inference failed: {_sentence(error)}") from error
        return {name: as_float32(array) for name, array in zip(self._outputs, results, strict=True)}

    def close(self) -> None:
        """Let go of the shared session."""
        self._loaded = None


def import_runtime() -> ModuleType:
    """ONNX Runtime itself.

    Raises:
        EngineUnavailable: it is not there, or does not load.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - a run-time is imported in its factory only
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"onnxruntime cannot be imported: {error}") from error
    runtime: ModuleType = onnxruntime
    return runtime


def open_session(runtime: ModuleType, model: ModelFile, graph: bytes, options: OrtObject, **more: object) -> OrtObject:
    """A session of the run-time.

    Raises:
        EngineLoadError: it refuses the model or the provider.
    """
    try:
        # Without its own way of falling back, which prints, and runs on the processor instead.
        return runtime.InferenceSession(graph, options, enable_fallback=0, **more)
    except runtime_errors(runtime) as error:
        raise EngineLoadError(f"onnxruntime refuses {model.path}: {_sentence(error)}") from error


def session_options(runtime: ModuleType, request: EngineRequest) -> OrtObject:
    """Threads as asked, none of them spinning, nothing printed."""
    runtime.set_default_logger_severity(_SILENT)
    options = runtime.SessionOptions()
    options.log_severity_level = _SILENT
    options.intra_op_num_threads = request.threads
    options.inter_op_num_threads = 1
    # Decoding wants the processors that a spinning pool would burn between two inferences.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options


def _listed(wanted: ProviderUse) -> list[tuple[str, dict[str, str]]]:
    return [(name, dict(options)) for name, options in wanted.providers]


def _preload(runtime: ModuleType) -> None:
    """Let CUDA's libraries be found where pip puts them; what is missing, the session tells."""
    if hasattr(runtime, "preload_dlls"):
        with contextlib.redirect_stdout(io.StringIO()):
            runtime.preload_dlls(directory="")


def runtime_errors(runtime: ModuleType) -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: its own types have no common parent, hence the list."""
    state = runtime.capi.onnxruntime_pybind11_state
    own = (each for each in vars(state).values() if isinstance(each, type) and issubclass(each, Exception))
    return (*own, RuntimeError, ValueError, TypeError)


def _sentence(error: Exception) -> str:
    return re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error)).strip()


def _output(node: OrtObject) -> TensorSpec:
    dtype = re.sub(r"^tensor\((.*)\)$", r"\1", node.type)
    shape = tuple(axis if isinstance(axis, int) else None for axis in node.shape or ())
    return replace(TensorSpec(node.name, dtype, shape), dtype=_DTYPES.get(dtype, dtype))
