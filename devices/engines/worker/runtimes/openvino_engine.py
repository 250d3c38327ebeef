"""OpenVINO of the worker's Python, 2022.1 and later: on the CPU, or on a MYRIAD stick, which 2022.3 LTS drove last."""

from __future__ import annotations

import importlib
import sys
from typing import Any, Callable  # noqa: UP035 - as Python 3.8 has it


class EngineUnavailable(Exception):  # noqa: N818 - the agent knows it by this name
    """The device cannot be used."""


class OpenVinoEngine:
    """One compiled model, an infer request for each lane."""

    def __init__(self, version: str, compiled: Any, options: dict[str, Any]) -> None:  # noqa: ANN401 - worker's only
        self._compiled = compiled
        self._names = options["outputs"]
        self.lanes = options["sessions"]
        outputs = [_output(name, compiled.outputs[place]) for place, name in enumerate(self._names)]
        self.spec = {"runtime": "openvino", "runtime_version": version, "outputs": outputs}

    def session(self) -> Callable[[Any], Any]:
        """What answers one lane."""
        request = self._compiled.create_infer_request()

        def infer(tensors: dict[str, Any]) -> dict[str, Any]:
            request.start_async(tensors)  # `infer` would copy every output once more
            request.wait()
            return {name: request.get_output_tensor(place).data for place, name in enumerate(self._names)}

        return infer

    def close(self) -> None:
        """Let go of the device, so that a stick is found again."""
        self._compiled = None


def load(model: bytes, options: dict[str, Any], _tell: object) -> OpenVinoEngine:
    """Compile an ONNX file; options: device, settings, sessions, shapes by input, names of outputs in order."""
    runtime = _import_runtime()
    core = runtime.Core()
    if options["device"] not in core.available_devices:
        listed = ", ".join(core.available_devices) or "no device"
        raise EngineUnavailable(f"OpenVINO does not list {options['device']} but {listed}")
    network = core.read_model(model=model, weights=b"")
    if options["shapes"]:
        network.reshape({name: runtime.PartialShape(axes) for name, axes in options["shapes"].items()})
    settings = options["settings"]
    if settings:  # the stick's plug-in is not asked what it knows
        supported = [str(each) for each in core.get_property(options["device"], "SUPPORTED_PROPERTIES")]
        settings = {name: value for name, value in settings.items() if name in supported}
    compiled = core.compile_model(network, options["device"], settings)
    return OpenVinoEngine(runtime.get_version().split("-")[0], compiled, options)


def _import_runtime() -> Any:  # noqa: ANN401 - a module that exists in the worker only
    """Its names are at the top since 2023.1, and only there since 2026."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: not importable; it reports home
    import openvino  # noqa: PLC0415 - a run-time is imported in its factory only

    return openvino if hasattr(openvino, "Core") else importlib.import_module("openvino.runtime")


def _output(name: str, port: Any) -> dict[str, Any]:  # noqa: ANN401 - the run-time's own
    shape = port.get_partial_shape()
    axes = [] if shape.rank.is_dynamic else [None if axis.is_dynamic else axis.get_length() for axis in shape]
    return {"name": name, "dtype": port.get_element_type().to_dtype().name, "shape": axes}
