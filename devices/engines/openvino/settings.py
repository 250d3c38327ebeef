"""The settings a model is compiled with, by device; and what a compiled model says it computes with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.engines.engine import EngineRequest, Precision
from devices.engines.openvino.places import AUTO, Place, family, is_same
from devices.engines.openvino.runtime import OvObject

_HINTS = {Precision.FP32: "f32", Precision.FP16: "f16"}
_PRECISIONS = {"f32": "fp32", "f16": "fp16", "bf16": "fp16"}


def precision_hint(device: str, precision: Precision) -> str:
    """What floats are computed with: float32 on the processor and float16 elsewhere, unless the request says.

    Without it, a processor that has bfloat16 would compute with that, and answer otherwise than its neighbour. An
    int8 model is int8 by its own nodes; the hint is for the rest of it.
    """
    return _HINTS.get(precision, "f32" if family(device) == "CPU" else "f16")


def compile_settings(core: OvObject, place: Place, request: EngineRequest) -> dict[str, Any]:
    """What `compile_model` and `import_model` take for the place, as far as its devices know the settings."""
    each = {device: _supported(core, device, request) for device in place.devices}
    if not place.mode:
        return each[place.devices[0]]
    settings: dict[str, Any] = {"DEVICE_PROPERTIES": each}
    if place.mode == AUTO:
        # A device that fails later is an error, and not silently another device's work.
        settings |= {"PERFORMANCE_HINT": _performance(request), "ENABLE_RUNTIME_FALLBACK": False}
    return settings


def computed_with(compiled: OvObject, place: Place, devices: tuple[str, ...]) -> dict[str, str]:
    """OpenVINO's name of the float type by device, for those that tell."""
    found: dict[str, str] = {}
    for device in devices:
        hint = _told(compiled, place, device)
        if hint is not None:
            found[device] = hint.get_type_name()
    return found


def precision_of(weights: str, computed: Mapping[str, str], devices: tuple[str, ...]) -> str:
    """fp32, fp16 or int8: the least exact of the model's weights and the devices' floats.

    Args:
        weights: the model's own.
        computed: by device, where it told; an NPU that does not tell computes with float16.
        devices: all that run.
    """
    if weights == "int8":
        return weights
    floats = {_PRECISIONS.get(computed.get(each, precision_hint(each, Precision.AUTO)), "fp16") for each in devices}
    return "fp16" if "fp16" in {weights, *floats} else "fp32"


def precision_notes(request: EngineRequest, weights: str, computed: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each device that computes otherwise than the request asks."""
    if request.precision is Precision.INT8 and weights != "int8":
        return (f"int8 was asked for, but the model is {weights}: quantise it first",)
    asked = _HINTS.get(request.precision)
    return tuple(
        f"{device} computes with {floats}, {asked} was asked for"
        for device, floats in computed.items()
        if asked not in (None, floats)
    )


def _told(compiled: OvObject, place: Place, device: str) -> OvObject | None:
    try:
        if not place.mode:
            return compiled.get_property("INFERENCE_PRECISION_HINT")
        properties = compiled.get_property("DEVICE_PROPERTIES")
    except RuntimeError:
        return None  # an NPU's driver need not tell
    own = [each for name, each in properties.items() if is_same(name, device)]
    return own[0].get("INFERENCE_PRECISION_HINT") if own else None


def _supported(core: OvObject, device: str, request: EngineRequest) -> dict[str, Any]:
    """The device's settings that this release of its plug-in can be given: an unknown one would be refused."""
    known = core.get_property(device, "SUPPORTED_PROPERTIES")
    return {name: value for name, value in _settings(device, request).items() if known.get(name) in ("RW", "WO")}


def _settings(device: str, request: EngineRequest) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "PERFORMANCE_HINT": _performance(request),
        "INFERENCE_PRECISION_HINT": precision_hint(device, request.precision),
    }
    if family(device) == "CPU":
        settings["INFERENCE_NUM_THREADS"] = request.threads * request.sessions
        settings["ENABLE_CPU_PINNING"] = False  # two agents, or the decoder, would meet on the same processor
    if family(device) == "NPU":
        settings["PERFORMANCE_HINT_NUM_REQUESTS"] = request.sessions  # it has one stream, that takes requests in turn
    else:
        settings["NUM_STREAMS"] = request.sessions
    return settings


def _performance(request: EngineRequest) -> str:
    return "LATENCY" if request.sessions == 1 else "THROUGHPUT"
