"""The half of the fake TensorRT that runs plans: run-time, engine, execution context and inspector."""

from __future__ import annotations

import ctypes
import hashlib
import json
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

MAGIC = b"ftrt"
TYPES = {"FLOAT": np.float32, "HALF": np.float16, "INT32": np.int32, "INT64": np.int64, "UINT8": np.uint8}
_NAMES = {np.dtype(kind).name: name for name, kind in TYPES.items()}


def pack(version: str, network: Any, config: Any) -> bytes:
    """A plan: what the engine must know, the model, and a digest over both."""
    profiles = [profile._shapes for profile in config._profiles]
    dla = config.DLA_core if config.default_device_type is not None else None
    settings = {"flags": sorted(config._flags), "network": network._flags, "limits": config._limits}
    head = {"version": version, "profiles": profiles, "dla": dla, "settings": settings}
    body = json.dumps(head).encode() + b"\n" + network._proto.SerializeToString()
    return MAGIC + hashlib.sha256(body).digest() + body


class Threaded:
    """An object of its maker's thread."""

    _trt: Any
    _owner = 0

    def _made(self) -> Any:
        self._owner = threading.get_ident()
        return self

    def _check(self, what: str) -> None:
        if self._owner != threading.get_ident():
            self._trt.violations.append(f"{what} on {threading.current_thread().name}")

    def __del__(self) -> None:
        self._check(f"{type(self).__name__} freed")


class Runtime(Threaded):
    DLA_core = -1

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._made()
        if self._trt.behaviour == "no_runtime":
            raise TypeError("pybind11::init(): factory function returned nullptr")

    @property
    def num_DLA_cores(self) -> int:  # noqa: N802 - the binding's name
        return 0 if self._trt.behaviour == "no_dla" else 2

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> Any:
        self._check("deserialize_cuda_engine")
        content = bytes(serialized_engine)
        digest, body = content[4:36], content[36:]
        if content[:4] != MAGIC or hashlib.sha256(body).digest() != digest:
            self._logger.log(self._trt.Severity.ERROR, "Serialization assertion magicTag failed")
            return None
        head = json.loads(body.split(b"\n", 1)[0])
        if head["version"] != self._trt.__version__:
            why = f"engine plan file is of version {head['version']}"
            self._logger.log(self._trt.Severity.ERROR, why)
            return None
        return self._trt.ICudaEngine._of(head, body.split(b"\n", 1)[1], self)


class ICudaEngine(Threaded):
    num_io_tensors = property(lambda self: len(self._tensors))
    num_optimization_profiles = property(lambda self: max(1, len(self._head["profiles"])))

    @classmethod
    def _of(cls, head: dict[str, Any], model: bytes, runtime: Any) -> Any:
        engine = cls()._made()
        proto = onnx.load_from_string(model)
        engine._head, engine._runtime, engine._proto = head, runtime, proto
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        engine._ort = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        engine._tensors = {each.name: each for each in (*engine._ort.get_outputs(), *engine._ort.get_inputs())}
        engine._inputs = {each.name for each in engine._ort.get_inputs()}
        return engine

    def get_tensor_name(self, index: int) -> str:
        return list(self._tensors)[index]

    def get_tensor_mode(self, name: str) -> Any:
        modes = self._trt.TensorIOMode
        return modes.INPUT if name in self._inputs else modes.OUTPUT

    def get_tensor_dtype(self, name: str) -> Any:
        """int64 and double are int32 and float before TensorRT 10."""
        found = _NAMES[self._numpy(name).name]
        types = self._trt.DataType
        return types[found] if hasattr(types, found) else types.INT32

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        return tuple(axis if isinstance(axis, int) else -1 for axis in self._tensors[name].shape)

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        return [tuple(shape) for shape in self._head["profiles"][profile_index][name]]

    def create_execution_context(self) -> Any:
        self._check("create_execution_context")
        if self._trt.behaviour == "no_context":
            return None
        context = self._trt.IExecutionContext()._made()
        context._engine, context._shapes, context._addresses, context._profile = self, {}, {}, 0
        return context

    def create_engine_inspector(self) -> Any:
        inspector = self._trt.EngineInspector()
        inspector._engine = self
        return inspector

    def _numpy(self, name: str) -> np.dtype[Any]:
        kind = self._tensors[name].type.removeprefix("tensor(").removesuffix(")")
        return np.dtype({"float": "float32", "double": "float64"}.get(kind, kind))


class IExecutionContext(Threaded):
    def set_input_shape(self, name: str, shape: Any) -> bool:
        self._check("set_input_shape")
        profiles = self._engine._head["profiles"]
        if profiles and name in profiles[self._profile]:
            least, _, largest = profiles[self._profile][name]
            if not all(a <= b <= c for a, b, c in zip(least, shape, largest, strict=True)):
                return False
        self._shapes[name] = tuple(shape)
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        """By running: the models of tests are small."""
        fixed = self._engine.get_tensor_shape(name)
        if name in self._engine._inputs:
            return self._shapes.get(name, fixed)
        if -1 not in fixed:
            return fixed
        if self._trt.behaviour == "data_dependent":
            return fixed
        return tuple(self._run(dict.fromkeys(self._engine._inputs))[name].shape)

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self._check("set_tensor_address")
        assert isinstance(memory, int)
        self._addresses[name] = memory
        return self._trt.behaviour != "no_address"

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        del stream_handle
        self._profile = profile_index
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        self._check("execute_async_v3")
        assert isinstance(stream_handle, int)
        if self._trt.behaviour == "execute_false":
            logger = self._engine._runtime._logger
            logger.log(self._trt.Severity.ERROR, "Error Code 1: Cuda Runtime (an illegal memory access)")
            return False
        for name, array in self._run(self._addresses).items():
            target = self._memory(name, array.shape)
            target[...] = array.astype(target.dtype)
        return True

    def _run(self, addresses: dict[str, int | None]) -> dict[str, npt.NDArray[Any]]:
        feeds = {
            name: self._memory(name, self.get_tensor_shape(name), addresses[name]) for name in self._engine._inputs
        }
        feeds = {name: array.astype(self._engine._numpy(name)) for name, array in feeds.items()}
        outputs = [each.name for each in self._engine._ort.get_outputs()]
        return dict(zip(outputs, self._engine._ort.run(outputs, feeds), strict=True))

    def _memory(self, name: str, shape: Any, address: int | None = -1) -> npt.NDArray[Any]:
        dtype = np.dtype(TYPES[self._engine.get_tensor_dtype(name).name])
        if address is None:
            return np.zeros(shape, dtype)
        size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        where = self._addresses[name] if address == -1 else address
        content = (ctypes.c_ubyte * size).from_address(where)
        return np.frombuffer(content, dtype).reshape(shape)


class EngineInspector:
    _trt: Any

    def get_engine_information(self, format: Any) -> str:  # noqa: A002 - the binding's name
        assert format == self._trt.LayerInformationFormat.JSON
        kinds = [node.op_type for node in self._engine._proto.graph.node]
        on_dla = [kind in ("Conv", "Mul", "Add", "Relu") for kind in kinds]
        layers = [{"Name": "{ForeignNode[a...b]}", "LayerType": "DLA"}] if any(on_dla) else []
        layers += [{"Name": kind, "LayerType": kind} for kind, is_dla in zip(kinds, on_dla, strict=True) if not is_dla]
        return json.dumps({"Layers": layers, "Bindings": []})


RUNNING = (Runtime, ICudaEngine, IExecutionContext, EngineInspector)
