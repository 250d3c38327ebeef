"""Movidius devices on USB: by id, a MYRIAD X stick and an OAK camera look alike, so none is claimed by its id."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.finding import Finding
from devices.probes.root import Root

_MOVIDIUS = "03e7"
_WAITING = "2485"
_BOOTED = "f63b"
_FIRST_STICK = "2150"
_CAMERA_WORDS = ("luxonis", "oak", "depthai")


def probe_myriad(root: Root) -> Finding:
    """What is plugged in, told and not claimed: only a run-time that lists it proves a stick (see `agreement`)."""
    return Finding(absent=(Absence(AcceleratorKind.MYRIAD, _plugged(root)),))


def claimed_by_camera(root: Root) -> bool:
    """Whether what is plugged in runs DepthAI's firmware: such a camera is never touched."""
    return any(word in name for name in _names(root) for word in _CAMERA_WORDS)


def stick(listed_as: str) -> Accelerator:
    """The stick, once a run-time has listed it: "MYRIAD" or "MYRIAD.1.2-ma2480"."""
    return Accelerator(AcceleratorKind.MYRIAD, f"Intel Movidius MYRIAD X ({listed_as})")


def _plugged(root: Root) -> str:
    products = {root.text(f"{device}/idProduct") for device in _devices(root)}
    if claimed_by_camera(root):
        return "the Movidius device on USB is a Luxonis OAK camera, which DepthAI drives: it is left alone"
    if products & {_WAITING, _BOOTED}:
        state = "waits to be booted" if _WAITING in products else "is booted, so a program uses it already"
        return (
            f"a MYRIAD X on USB {state}; a Neural Compute Stick 2 and an OAK camera have the same id. A stick needs "
            "OpenVINO 2022.3 LTS in an engine worker of its own (Python 3.8 to 3.10); no later OpenVINO drives it"
        )
    if _FIRST_STICK in products:
        return "a first-generation Movidius stick is on USB: no OpenVINO since 2020.3 drives it"
    return "no Movidius device on USB"


def _devices(root: Root) -> tuple[str, ...]:
    vendors = root.matches("/sys/bus/usb/devices/*/idVendor")
    return tuple(vendor.rsplit("/", 1)[0] for vendor in vendors if root.text(vendor) == _MOVIDIUS)


def _names(root: Root) -> list[str]:
    told = (root.text(f"{device}/{field}") for device in _devices(root) for field in ("product", "manufacturer"))
    return [text.lower() for text in told if text]
