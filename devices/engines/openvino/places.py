"""On which of OpenVINO's devices a request is to run, and on which a compiled model really runs."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

from devices.engines.engine import EngineRequest
from devices.engines.openvino.runtime import NAME, OvObject
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind

KINDS = {"CPU": AcceleratorKind.CPU, "GPU": AcceleratorKind.INTEL_GPU, "NPU": AcceleratorKind.INTEL_NPU}
AUTO, HETERO = "AUTO", "HETERO"

_FAMILIES = {kind: family for family, kind in KINDS.items()}
_ONE = re.compile(r"CPU|GPU(?:\.\d{1,2})?|NPU")
_FORMS = "CPU, GPU, GPU.1, NPU, HETERO:NPU,CPU or AUTO:GPU,CPU"
_REMEDIES = {
    "GPU": "install Intel's compute runtime (intel-opencl-icd) and put this user into the group render",
    "NPU": "install the driver and firmware of Intel's NPU (intel-level-zero-npu, intel-fw-npu, a kernel with "
    "intel_vpu) and put this user into the group render",
    "CPU": "this OpenVINO was built without its CPU plug-in: install openvino anew",
}
_POLL_S = 0.02


@dataclass(frozen=True)
class Place:
    """Where a request is to run.

    Attributes:
        name: as OpenVINO takes it: "CPU", "GPU.1", "HETERO:NPU,CPU".
        devices: single devices it may run on, preferred first.
        mode: AUTO, HETERO, or "" for a single device.
        notes: what a person should know of it.
    """

    name: str
    devices: tuple[str, ...]
    mode: str = ""
    notes: tuple[str, ...] = ()

    @property
    def has_npu(self) -> bool:
        """Whether shapes must be fixed."""
        return any(family(device) == "NPU" for device in self.devices)


def family(device: str) -> str:
    """Of a device without its number: "GPU" of "GPU.1"."""
    return device.partition(".")[0]


def is_same(one: str, other: str) -> bool:
    """Whether two names mean one device: a lone GPU is listed without a number, the first of several is GPU.0."""
    return (family(one), _number(one)) == (family(other), _number(other))


def find_place(request: EngineRequest, listed: Sequence[str]) -> Place:
    """Where the request is to run: the device it names, else that of its accelerator.

    A device that HETERO names must be there; one that AUTO names need not, and its absence is a note.

    Args:
        request: what to make ready.
        listed: devices that OpenVINO found on this machine.

    Raises:
        EngineUnavailable: OpenVINO does not drive the accelerator, or does not find it.
    """
    mode, devices = _asked(request, listed)
    absent = [device for device in devices if not any(is_same(device, each) for each in listed)]
    if absent and (mode != AUTO or len(absent) == len(devices)):
        raise EngineUnavailable(_absence(absent[0], listed))
    there = tuple(device for device in devices if device not in absent)
    name = f"{mode}:{','.join(there)}" if mode else there[0]
    return Place(name, there, mode, tuple(_absence(device, listed) for device in absent))


def running_devices(place: Place, compiled: OvObject, deadline_s: float) -> tuple[str, ...]:
    """The place's devices that a model runs on; AUTO is waited for until no stand-in runs any more.

    Raises:
        EngineUnavailable: it runs elsewhere than asked, or the stand-in still runs after `deadline_s`.
    """
    devices = _settled(place, compiled, time.monotonic() + deadline_s)
    running = tuple(one for one in place.devices if any(is_same(one, other) for other in devices))
    # AUTO may choose among its devices; of all others the first must be there.
    is_as_asked = running if place.mode == AUTO else running[:1] == place.devices[:1]
    if not is_as_asked or len(running) < len(devices):
        raise EngineUnavailable(f"openvino: {place.name} was asked for, {', '.join(devices)} would run")
    return running


def accelerator_of(core: OvObject, device: str, request: EngineRequest) -> Accelerator:
    """The record of a device: the request's own where it is the same, else what OpenVINO says of it."""
    kind, index = KINDS[family(device)], _number(device)
    asked = request.accelerator
    if (asked.kind, asked.index) == (kind, index):
        return asked
    try:
        name = str(core.get_property(device, "FULL_DEVICE_NAME"))
    except RuntimeError:
        name = device
    return Accelerator(kind, name, index=index)


def _settled(place: Place, compiled: OvObject, end_s: float) -> tuple[str, ...]:
    while True:
        devices = tuple(compiled.get_property("EXECUTION_DEVICES"))
        if not any(each.startswith("(") for each in devices):  # how AUTO writes a stand-in
            return devices
        if time.monotonic() >= end_s:
            raise EngineUnavailable(f"openvino: {place.name} still runs on a stand-in, {', '.join(devices)}")
        time.sleep(_POLL_S)


def _asked(request: EngineRequest, listed: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Mode and devices, whether there or not."""
    written = request.device
    if written is None:
        return "", (_device_of(request.accelerator),)
    if written == AUTO:
        return AUTO, _by_preference(listed)
    mode, colon, names = written.rpartition(":")
    devices = tuple(names.split(","))
    is_well_formed = (mode in (AUTO, HETERO)) if colon else len(devices) == 1
    if not is_well_formed or not all(_ONE.fullmatch(each) for each in devices):
        raise EngineUnavailable(f"openvino has no device {written!r}; it is written {_FORMS}")
    return mode, devices


def _by_preference(listed: Sequence[str]) -> tuple[str, ...]:
    """What AUTO without a list means, told: GPUs, then the NPU, then the processor."""
    order = ("GPU", "NPU", "CPU")
    return tuple(sorted((each for each in listed if family(each) in order), key=lambda each: order.index(family(each))))


def _device_of(accelerator: Accelerator) -> str:
    name = _FAMILIES.get(accelerator.kind)
    if name is None:
        raise EngineUnavailable(f"openvino drives the CPU and Intel's GPUs and NPUs only, not {accelerator.name}")
    return f"{name}.{accelerator.index}" if accelerator.index and name == "GPU" else name


def _absence(device: str, listed: Sequence[str]) -> str:
    siblings = [each for each in listed if family(each) == family(device)]
    found = ", ".join(listed) or "no device"
    remedy = f"it numbers them {', '.join(siblings)}" if siblings else _REMEDIES[family(device)]
    return f"{NAME} lists {found}, not {device}: {remedy}"


def _number(device: str) -> int:
    """What stands behind an NPU is its generation, and there is never a second."""
    number = device.partition(".")[2]
    return int(number) if number.isdigit() and family(device) != "NPU" else 0
