"""OpenVINO with an Intel GPU or two and an NPU, which are this machine's processor behind their names.

Properties are those that the real plug-ins list, also where they find no device; what they refuse, this refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from devices.engines.openvino.runtime import import_runtime

openvino = import_runtime()  # as the engine does it: without its telemetry
REAL_CORE = openvino.Core
GPU_ABILITIES = ["FP32", "BIN", "FP16", "INT8", "EXPORT_IMPORT"]
TYPES = {"f32": openvino.Type.f32, "f16": openvino.Type.f16}


@dataclass
class Machine:
    """What the machine has, and what was compiled on it.

    Attributes:
        devices: as OpenVINO lists them.
        stand_ins: how often AUTO answers that the CPU stands in.
        runs_on: by name of the place, where something else than its first device runs.
        cannot_export: devices that keep compiled models to themselves.
        compiled: (device, settings) in turn.
    """

    devices: tuple[str, ...]
    stand_ins: int = 0
    runs_on: dict[str, tuple[str, ...]] = field(default_factory=dict)
    cannot_export: tuple[str, ...] = ()
    compiled: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def core(self) -> CoreOfMore:
        """In place of `openvino.Core`."""
        return CoreOfMore(self)


class CoreOfMore:
    """As `openvino.Core`, as far as the engine uses it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._core = REAL_CORE()

    @property
    def available_devices(self) -> list[str]:
        """Those of the machine."""
        return list(self._machine.devices)

    def get_versions(self, device_name: str) -> dict[str, Any]:
        """Of the plug-in, which is loaded."""
        return dict(self._core.get_versions(device_name))

    def get_property(self, device_name: str, name: str) -> Any:
        """What the real plug-in tells without a device; the rest as Intel documents it."""
        family = device_name.partition(".")[0]
        if name == "OPTIMIZATION_CAPABILITIES":
            known = GPU_ABILITIES if family == "GPU" else list(self._core.get_property(family, name))
            return [each for each in known if each != "EXPORT_IMPORT" or family not in self._machine.cannot_export]
        if name == "FULL_DEVICE_NAME" and family in ("GPU", "NPU"):
            return {"GPU": "Intel(R) Arc(TM) A380", "NPU": "Intel(R) AI Boost"}[family]
        return self._core.get_property(device_name, name)

    def compile_model(self, model: Any, device_name: str, config: dict[str, Any]) -> CompiledElsewhere:
        """On the processor, after what the device would refuse was refused."""
        self._refuse(device_name, config)
        if "NPU" in device_name and model.is_dynamic():
            raise RuntimeError("Exception from src/plugins/intel_npu\nto_shape was called on a dynamic shape.")
        self._machine.compiled.append((device_name, config))
        real = self._core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        return CompiledElsewhere(real, self._machine, device_name, config)

    def import_model(self, model_stream: Any, device_name: str, config: dict[str, Any]) -> CompiledElsewhere:
        """As `compile_model`."""
        self._refuse(device_name, config)
        return CompiledElsewhere(self._core.import_model(model_stream, "CPU"), self._machine, device_name, config)

    def _refuse(self, place: str, config: dict[str, Any]) -> None:
        mode = place.partition(":")[0] if ":" in place else ""
        parts = {mode: {k: v for k, v in config.items() if k != "DEVICE_PROPERTIES"}} if mode else {place: config}
        parts |= config.get("DEVICE_PROPERTIES", {})
        for device, settings in parts.items():
            known = self._core.get_property(device.partition(".")[0], "SUPPORTED_PROPERTIES")
            if unknown := [name for name in settings if known.get(name) not in ("RW", "WO")]:
                raise RuntimeError(f"NotFound: Unsupported property {unknown[0]} by {device} plugin")
            if device == "NPU" and settings.get("NUM_STREAMS", 1) != 1:
                raise RuntimeError("NUM_STREAMS can not be set")


class CompiledElsewhere:
    """A model compiled on the processor that says it is elsewhere."""

    def __init__(self, real: Any, machine: Machine, place: str, config: dict[str, Any]) -> None:
        self._real = real
        self._config = config
        devices = place.rpartition(":")[2].split(",")
        running = machine.runs_on.get(place, (devices[0],) if place.startswith("AUTO") else tuple(devices))
        self._running = self._in_turn(machine.stand_ins, [_numbered(each) for each in running])

    @property
    def outputs(self) -> Any:
        """Of the real one."""
        return self._real.outputs

    def create_infer_request(self) -> Any:
        """Of the real one."""
        return self._real.create_infer_request()

    def export_model(self) -> Any:
        """Of the real one."""
        return self._real.export_model()

    def get_property(self, name: str) -> Any:
        """Where it runs, and with which floats; an NPU does not tell the latter."""
        if name == "EXECUTION_DEVICES":
            return next(self._running)
        if name == "DEVICE_PROPERTIES":
            return {device: _told(each) for device, each in self._config[name].items()}
        told = _told(self._config)
        if name not in told:
            raise RuntimeError(f"Unsupported configuration key: {name}")
        return told[name]

    @staticmethod
    def _in_turn(stand_ins: int, devices: list[str]) -> Iterator[list[str]]:
        for _ in range(stand_ins):
            yield ["(CPU)"]
        while True:
            yield devices


def _told(config: dict[str, Any]) -> dict[str, Any]:
    return {name: TYPES[value] for name, value in config.items() if name == "INFERENCE_PRECISION_HINT"}


def _numbered(device: str) -> str:
    """A GPU is told with its number, also where it is listed without."""
    return "GPU.0" if device == "GPU" else device
