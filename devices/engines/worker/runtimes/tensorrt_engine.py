"""TensorRT of the worker's Python, by its named tensors (8.5 and later) and pycuda: for JetPack 5, whose Python is 3.8.

All of CUDA belongs to the thread that loads, which is the one that serves the only lane. Shapes are fixed; copies
and computing follow each other.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any, Callable, Optional  # noqa: UP035 - Python 3.8 evaluates the alias below

Tell = Callable[[str, Optional[float]], None]  # noqa: UP045 - as above
_ELEMENTS = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "BOOL": "bool",
    "UINT8": "uint8",
    "INT64": "int64",
}
_SHARE_OF_MEMORY = 4


class TensorRtEngine:
    """One execution context, one stream, pinned and device memory for each tensor."""

    lanes = 1
    kept_alive: tuple[Any, ...] = ()

    def __init__(self, trt: Any, cuda: Any, engine: Any, shapes: dict[str, list[int]], note: str) -> None:  # noqa: ANN401
        self._cuda = cuda
        self._engine = engine
        self._context = engine.create_execution_context()
        self._stream = cuda.Stream()
        names = [engine.get_tensor_name(place) for place in range(engine.num_io_tensors)]
        is_input = {name: engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT for name in names}
        self._inputs = [name for name in names if is_input[name]]
        self._outputs = [name for name in names if not is_input[name]]
        for name in self._inputs:
            _must(self._context.set_input_shape(name, tuple(shapes[name])), "refuses the shape of " + name)
        elements = {getattr(trt.DataType, key): dtype for key, dtype in _ELEMENTS.items() if hasattr(trt.DataType, key)}
        self._pinned, self._device = {}, {}
        for name in names:
            shape = tuple(self._context.get_tensor_shape(name))
            _must(-1 not in shape, "leaves the shape of " + name + " to the data")
            self._pinned[name] = cuda.pagelocked_empty(shape, elements[engine.get_tensor_dtype(name)])
            self._device[name] = cuda.mem_alloc(max(1, self._pinned[name].nbytes))
            _must(self._context.set_tensor_address(name, int(self._device[name])), "refuses the memory of " + name)
        outputs = [
            {"name": name, "dtype": self._pinned[name].dtype.name, "shape": list(self._pinned[name].shape)}
            for name in self._outputs
        ]
        self.spec = {
            "runtime": "tensorrt",
            "runtime_version": trt.__version__,
            "outputs": outputs,
            "notes": [note],
        }

    def session(self) -> Callable[[Any], Any]:
        """What answers the lane."""
        return self._infer

    def close(self) -> None:
        """Let go in the order CUDA wants, on the thread that loaded."""
        self._stream.synchronize()
        self._context = None
        self._engine = None
        self._pinned, self._device = {}, {}
        self._stream = None
        self._cuda.Context.pop()

    def _infer(self, tensors: dict[str, Any]) -> dict[str, Any]:
        for name in self._inputs:
            self._pinned[name][...] = tensors[name]
            self._cuda.memcpy_htod_async(self._device[name], self._pinned[name], self._stream)
        _must(self._context.execute_async_v3(self._stream.handle), "could not run")
        for name in self._outputs:
            self._cuda.memcpy_dtoh_async(self._pinned[name], self._device[name], self._stream)
        self._stream.synchronize()
        return {name: self._pinned[name] for name in self._outputs}


def load(model: bytes, options: dict[str, Any], tell: Tell) -> TensorRtEngine:
    """Build an ONNX file, or take the plan kept; options: device, dla_core, precision, shapes, cache_dir."""
    import pycuda.driver as cuda  # noqa: PLC0415 - a run-time is imported in its factory only
    import tensorrt as trt  # noqa: PLC0415 - as above

    cuda.init()
    device = cuda.Device(options["device"])
    device.retain_primary_context().push()
    logger = _logger(trt)
    key = [trt.__version__, device.name(), list(device.compute_capability()), {**options, "cache_dir": None}]
    place = _place(options["cache_dir"], model, key)
    runtime = trt.Runtime(logger)
    if options["dla_core"] is not None:
        runtime.DLA_core = options["dla_core"]
    kept = _kept(place)
    engine = runtime.deserialize_cuda_engine(kept) if kept else None
    note = "taken from the engine cache"
    if engine is None:
        tell("TensorRT builds the engine; this takes minutes", None)
        plan = _built(trt, logger, model, options)
        note = _keep(place, plan)
        engine = runtime.deserialize_cuda_engine(plan)
    _must(engine is not None, "cannot load its own plan: " + logger.told())
    served = TensorRtEngine(trt, cuda, engine, options["shapes"], note)
    served.kept_alive = (runtime, logger)  # the engine uses both and owns neither
    return served


def _logger(trt: Any) -> Any:  # noqa: ANN401 - the run-time's own
    class Lines(trt.ILogger):  # type: ignore[misc]  # its type exists in the worker only
        """Keeps what went wrong, for the sentence of the error."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.lines: list[str] = []

        def log(self, severity: Any, message: str) -> None:  # noqa: ANN401 - the run-time's own
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                self.lines.append(message)

        def told(self) -> str:
            return "; ".join(self.lines[-3:]) or "it says nothing more"

    return Lines()


def _built(trt: Any, logger: Any, model: bytes, options: dict[str, Any]) -> bytes:  # noqa: ANN401 - the run-time's own
    builder = trt.Builder(logger)
    explicit = getattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
    network = builder.create_network(0 if explicit is None else 1 << int(explicit))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(model):
        raise RuntimeError("; ".join(str(parser.get_error(place)) for place in range(parser.num_errors)))
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, _available_bytes() // _SHARE_OF_MEMORY)
    _choose_precision(trt, config, options["precision"])
    if options["dla_core"] is not None:
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = options["dla_core"]
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    profile = builder.create_optimization_profile()
    for place in range(network.num_inputs):
        shape = tuple(options["shapes"][network.get_input(place).name])
        profile.set_shape(network.get_input(place).name, shape, shape, shape)
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    _must(plan is not None, "cannot build: " + logger.told())
    return bytes(plan)


def _choose_precision(trt: Any, config: Any, precision: str) -> None:  # noqa: ANN401 - the run-time's own
    _must(precision in ("fp32", "fp16"), "in the engine worker computes fp32 or fp16, not " + precision)
    if precision == "fp16":
        _must(hasattr(trt.BuilderFlag, "FP16"), "11 and later take fp16 from the ONNX file alone")
        config.set_flag(trt.BuilderFlag.FP16)


def _available_bytes() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 1 << 30


def _place(folder: str | None, model: bytes, key: list[Any]) -> Path | None:
    digest = hashlib.sha256(model + json.dumps(key, sort_keys=True).encode()).hexdigest()
    return Path(folder) / (digest + ".plan") if folder else None


def _kept(place: Path | None) -> bytes | None:
    """The plan, where it is whole: a digest stands before it."""
    try:
        content = place.read_bytes() if place else b""
    except OSError:
        return None
    return content[32:] if content[:32] == hashlib.sha256(content[32:]).digest() else None


def _keep(place: Path | None, plan: bytes) -> str:
    if place is None:
        return "built, not kept"
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=str(place.parent))
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(hashlib.sha256(plan).digest() + plan)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(place)
    except OSError as error:
        return "built; not kept in the engine cache: " + str(error.strerror)
    return "built and kept in the engine cache"


def _must(is_so: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not is_so:
        raise RuntimeError("TensorRT " + otherwise)
