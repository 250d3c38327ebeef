"""ONNX Runtime with providers that come as packages of their own (`onnxruntime-ep-...`), chosen by device."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from types import ModuleType
from typing import Any, TypeAlias

from devices.engines.engine import Engine, EngineRequest
from devices.engines.image_graph import prepared_graph
from devices.engines.image_input import engine_inputs
from devices.engines.model_file import read_model
from devices.engines.onnxruntime_assignment import RECORD, require_provider
from devices.engines.onnxruntime_engine import (
    Loading,
    import_runtime,
    made_engine,
    open_session,
    runtime_errors,
    session_options,
)
from devices.engines.onnxruntime_providers import CPU_PROVIDER
from devices.errors import EngineUnavailable
from devices.inventory import AcceleratorKind

OrtObject: TypeAlias = Any
NAME = "onnxruntime_plugin"
_PACKAGES = "onnxruntime-ep-"
_INTEL, _NVIDIA, _APPLE = 0x8086, 0x10DE, 0x106B
KINDS = {
    ("GPU", _INTEL): AcceleratorKind.INTEL_GPU,
    ("NPU", _INTEL): AcceleratorKind.INTEL_NPU,
    ("GPU", _NVIDIA): AcceleratorKind.NVIDIA_GPU,
    ("GPU", _APPLE): AcceleratorKind.APPLE_GPU,
    ("NPU", _APPLE): AcceleratorKind.APPLE_NEURAL_ENGINE,
}


@dataclass(frozen=True)
class PluginDevice:
    """A device that a plug-in offers.

    Attributes:
        provider: the plug-in's name of itself.
        kind: family of the device, or None for one we do not know.
        ort_device: as ONNX Runtime knows it.
    """

    provider: str
    kind: AcceleratorKind | None
    ort_device: OrtObject


def load(request: EngineRequest) -> Engine:
    """Make the model ready on the first plug-in that offers the accelerator.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: ONNX Runtime or plug-ins are not installed, none offers the accelerator, or it takes nothing.
        EngineLoadError: it refuses the model.
    """
    model = read_model(request.model)
    inputs = engine_inputs(model, request)
    runtime = import_runtime()
    options = session_options(runtime, request)
    chosen = _chosen(plugin_devices(runtime), request)
    options.add_session_config_entry(*RECORD)
    options.add_provider_for_devices([chosen.ort_device], {})
    ort_session = open_session(runtime, model, prepared_graph(model, request), options)
    notes = require_provider(runtime, ort_session, chosen.provider)
    loading = Loading(NAME, runtime, model, request, inputs)
    return made_engine(loading, ort_session, model.precision, (f"by the plug-in {chosen.provider}", *notes))


def plugin_devices(runtime: ModuleType) -> tuple[PluginDevice, ...]:
    """What the plug-ins installed here offer, each registered with the run-time.

    Raises:
        EngineUnavailable: this ONNX Runtime takes no plug-ins, or one does not load.
    """
    if not hasattr(runtime, "register_execution_provider_library"):
        raise EngineUnavailable(f"onnxruntime {runtime.__version__} takes no plug-ins; 1.23 or newer does")
    for name, library in _libraries():
        _register(runtime, name, library)
    return tuple(
        PluginDevice(each.ep_name, _kind(each.device), each)
        for each in runtime.get_ep_devices()
        if each.ep_name != CPU_PROVIDER and "." not in each.ep_name  # those with a dot choose a device by themselves
    )


def listed(runtime: ModuleType) -> list[str]:
    """The families of device that plug-ins offer, by name: what a probe asks for in a child process."""
    return sorted({each.kind.value for each in plugin_devices(runtime) if each.kind is not None})


def _libraries() -> list[tuple[str, str]]:
    """Name and library of each plug-in's package; all packages of this kind have these two functions."""
    names = {str(each.metadata["Name"]).lower() for each in metadata.distributions()}
    return [_library(name) for name in sorted(names) if name.startswith(_PACKAGES)]


def _library(name: str) -> tuple[str, str]:
    try:
        package = importlib.import_module(name.replace("-", "_"))
        return package.get_ep_name(), package.get_library_path()
    except (ImportError, AttributeError, OSError) as error:
        raise EngineUnavailable(f"{NAME}: the package {name} cannot be used: {error}") from error


def _register(runtime: ModuleType, name: str, library: str) -> None:
    """ONNX Runtime keeps it for the life of the process and refuses a second time."""
    try:
        runtime.register_execution_provider_library(name, library)
    except runtime_errors(runtime) as error:
        if "already" not in str(error):
            raise EngineUnavailable(f"{NAME}: {name} does not load: {error}") from error


def _kind(device: OrtObject) -> AcceleratorKind | None:
    family = device.type.name
    return AcceleratorKind.CPU if family == "CPU" else KINDS.get((family, device.vendor_id))


def _chosen(devices: Iterable[PluginDevice], request: EngineRequest) -> PluginDevice:
    """The device of the request's kind and number, of the first plug-in that has one."""
    wanted, offered = request.accelerator, tuple(devices)
    ours = [each for each in offered if each.kind is wanted.kind]
    first = [each for each in ours if each.provider == ours[0].provider]
    if wanted.index < len(first):
        return first[wanted.index]
    there = ", ".join(
        f"{each.provider} on {each.kind.value if each.kind else 'a device unknown to us'}" for each in offered
    )
    raise EngineUnavailable(f"{NAME}: no plug-in offers {wanted.name}; there is {there or 'none that offers anything'}")
