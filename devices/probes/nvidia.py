"""Discrete NVIDIA GPUs, as their kernel driver shows them; Jetson's own GPU is `jetson`'s."""

from __future__ import annotations

import re

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.finding import Finding
from devices.probes.root import Root

_NVIDIA = "0x10de"


def probe_nvidia(root: Root) -> Finding:
    """Every GPU the driver lists, or why there is none."""
    driver = _driver(root)
    cards = root.matches("/proc/driver/nvidia/gpus/*/information")
    if driver is None or not cards:
        return Finding(absent=(Absence(AcceleratorKind.NVIDIA_GPU, _absence(root, driver)),))
    names = (re.search(r"^Model:\s*(.+)$", root.text(card) or "", re.MULTILINE) for card in cards)
    found = tuple(
        Accelerator(AcceleratorKind.NVIDIA_GPU, name[1].strip() if name else "NVIDIA GPU", driver=driver)
        for name in names
    )
    hidden = root.environment.get("CUDA_VISIBLE_DEVICES")
    notes = ("CUDA_VISIBLE_DEVICES hides the NVIDIA GPUs from this process",) if hidden in ("", "-1") else ()
    return Finding(found, notes=notes)


def _driver(root: Root) -> str | None:
    """From "NVRM version: NVIDIA UNIX ... Kernel Module  550.54.14  ..." of the open or closed driver."""
    found = re.search(r"NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s", root.text("/proc/driver/nvidia/version") or "")
    return f"nvidia {found[1]}" if found else None


def _absence(root: Root, driver: str | None) -> str:
    if driver is not None:
        return f"the driver ({driver}) is loaded and lists no GPU"
    if any(root.text(vendor) == _NVIDIA for vendor in root.matches("/sys/bus/pci/devices/*/vendor")):
        return (
            "an NVIDIA device is on the PCI bus, but its driver is not loaded: install it, or load it (modprobe nvidia)"
        )
    return "no NVIDIA device on the PCI bus"
