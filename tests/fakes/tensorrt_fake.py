"""TensorRT as its Python binding has it, version by version, computing with ONNX Runtime on the processor.

What a version lacks is not there: the adapter that names it fails. Calls that answer False or None in the real one do
so here on demand (`behaviour`), and objects remember when another thread than their maker's uses or frees them.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from enum import IntEnum
from types import ModuleType
from typing import Any

import onnx
from fakes.tensorrt_names import ENUMERATIONS, is_absent
from fakes.tensorrt_run import RUNNING, pack
from fakes.tensorrt_settings import SETTINGS, Fake


class ILogger:
    def __init__(self) -> None:
        self._is_made = True

    def log(self, severity: Any, msg: str) -> None:
        raise NotImplementedError


class Logger(ILogger):
    """The binding's own, which prints."""

    def log(self, severity: Any, msg: str) -> None:
        """Print nothing."""


class IProgressMonitor:
    def __init__(self) -> None:
        self._is_made = True


class IInt8EntropyCalibrator2:
    def __init__(self) -> None:
        self._is_made = True


class Builder(Fake):
    def __init__(self, logger: Any) -> None:
        self._logger = logger
        assert logger._is_made
        if self._trt.behaviour == "no_start":
            self._say("ERROR", "CUDA initialization failure with error: 35")
            raise TypeError("pybind11::init(): factory function returned nullptr")

    def create_network(self, flags: int = 0) -> Any:
        network = self._trt.INetworkDefinition()
        network._flags = flags
        return network

    def create_builder_config(self) -> Any:
        return self._trt.IBuilderConfig()

    def create_optimization_profile(self) -> Any:
        return self._trt.IOptimizationProfile()

    def build_serialized_network(self, network: Any, config: Any) -> Any:
        if behave := DURING_BUILD.get(self._trt.behaviour):
            behave()
        self._say("WARNING", "a weight was rounded")
        if (why := _refused(self._trt, network, config)) is not None:
            self._say("ERROR", why)
            return None
        _follow_progress(config)
        _calibrate(config)
        return self._trt.IHostMemory._of(pack(self._trt.__version__, network, config))

    def _say(self, severity: str, text: str) -> None:
        self._logger.log(self._trt.Severity[severity], text)


class INetworkDefinition(Fake):
    _flags = 0
    _proto: Any = None

    @property
    def num_layers(self) -> int:
        return len(self._proto.graph.node)

    def get_layer(self, index: int) -> Any:
        return self._proto.graph.node[index]

    def get_input(self, index: int) -> Any:
        value = self._proto.graph.input[index]
        tensor = self._trt.ITensor()
        tensor._name, tensor._shape = value.name, _shape(value)
        return tensor


class OnnxParser(Fake):
    num_errors = property(lambda self: len(self._errors))

    def __init__(self, network: Any, logger: Any) -> None:
        self._network, self._logger = network, logger
        self._errors: list[Any] = []

    def parse(self, model: bytes, path: str | None = None) -> bool:
        del path
        proto = onnx.load_from_string(bytes(model))
        self._errors = [self._error(name, why) for name, why in _unparsable(self._trt, proto)]
        self._network._proto = proto
        return not self._errors

    def get_error(self, index: int) -> Any:
        return self._errors[index]

    def set_flag(self, flag: Any) -> None:
        self.__dict__.setdefault("_flags", set()).add(flag.name)

    def set_builder_config(self, builder_config: Any) -> bool:
        self._network._adjusted = builder_config
        return True

    def _error(self, node: str, why: str) -> Any:
        error = self._trt.ParserError()
        error._said = (node, why)
        return error


class ParserError(Fake):
    def node(self) -> Any:
        return self._said[0]

    def desc(self) -> str:
        return str(self._said[1])


def _crash() -> None:
    os.kill(os.getpid(), 11)


DURING_BUILD: dict[str, Callable[[], object]] = {"crash": _crash, "hang": lambda: time.sleep(600)}


def _refused(trt: Any, network: Any, config: Any) -> str | None:
    """Why the builder answers None."""
    strong = hasattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED") and not hasattr(trt.BuilderFlag, "FP16")
    strong = strong or bool(network._flags >> 1 & 1 if hasattr(trt.BuilderFlag, "FP16") else 0)
    nodes = network._proto.graph.node
    has_half = any(attribute.i == onnx.TensorProto.FLOAT16 for node in nodes for attribute in node.attribute)
    if trt.behaviour == "build_none":
        return "Error Code 10: could not find any implementation for node y"
    if strong and config._flags & {"FP16", "INT8"}:
        return "precision flags are not allowed in strongly typed networks"
    if config.default_device_type == trt.DeviceType.DLA and not (config._flags & {"FP16", "INT8"} or has_half):
        return "DLA needs FP16 or INT8"
    return None


def _unparsable(trt: Any, proto: onnx.ModelProto) -> list[tuple[str, str]]:
    """NVIDIA/TensorRT issue 3985: what reads a uint8 input must be a Cast."""
    if trt.behaviour == "parse":
        return [("Frobnicate_0", "no importer registered for op: Frobnicate")]
    pictures = {value.name for value in proto.graph.input if value.type.tensor_type.elem_type == onnx.TensorProto.UINT8}
    readers = [node for node in proto.graph.node if pictures & set(node.input)]
    return [(node.name, "UINT8 input must be cast") for node in readers if node.op_type != "Cast"]


def _follow_progress(config: Any) -> None:
    monitor = getattr(config, "progress_monitor", None)
    if monitor is None:
        return
    monitor.phase_start("Building Engine", None, 4)
    monitor.phase_start("Tactics", "Building Engine", 1000)
    for step in range(4):
        assert monitor.step_complete("Building Engine", step)
    monitor.phase_finish("Building Engine")


def _calibrate(config: Any) -> None:
    calibrator = getattr(config, "int8_calibrator", None)
    if calibrator is None or calibrator.read_calibration_cache():
        return
    assert calibrator.get_batch_size() >= 1
    batches = 0
    while calibrator.get_batch(["images"]) is not None:
        batches += 1
    calibrator.write_calibration_cache(f"ranges of {batches} batches".encode())


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(axis.dim_value or -1 for axis in value.type.tensor_type.shape.dim)


OWN = (ILogger, Logger, IProgressMonitor, IInt8EntropyCalibrator2, Builder, INetworkDefinition, OnnxParser, ParserError)
CLASSES = (*OWN, *SETTINGS, *RUNNING)


def make_tensorrt(version: str, behaviour: str = "") -> ModuleType:
    """The module `tensorrt` of a version; `behaviour` names a failure and may be changed."""
    module = ModuleType("tensorrt")
    module.__dict__.update(__version__=version, behaviour=behaviour, violations=[])
    for name, members in ENUMERATIONS.items():
        present = [member for member, versions in members.items() if version in versions]
        module.__dict__[name] = IntEnum(name, {member: index for index, member in enumerate(present)})
    for cls in CLASSES:
        if is_absent(version, cls.__name__, None):
            continue
        names = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__")}
        kept = {name: value for name, value in names.items() if not is_absent(version, cls.__name__, name)}
        module.__dict__[cls.__name__] = type(cls.__name__, cls.__bases__, {**kept, "_trt": module})
    return module
