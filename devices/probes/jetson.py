"""NVIDIA Jetson: which module this is, by its part number and never by the board's name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.finding import Finding
from devices.probes.root import Root


@dataclass(frozen=True)
class JetsonModule:
    """A module by part number.

    Attributes:
        name: as NVIDIA sells it.
        gpu: its integrated GPU.
        dla_cores: deep-learning accelerators on it (NVIDIA's data sheets).
    """

    name: str
    gpu: str
    dla_cores: int


_NANO, _TX2, _XAVIER = "Maxwell", "Pascal", "Volta"
_ORIN, _THOR = "Ampere", "Blackwell"

# Part numbers as recorded in `compatible`, the most exact first.
_MODULES: tuple[tuple[str, JetsonModule], ...] = (
    ("p3448", JetsonModule("Jetson Nano", _NANO, 0)),
    ("p3310", JetsonModule("Jetson TX2", _TX2, 0)),
    ("p3489", JetsonModule("Jetson TX2i", _TX2, 0)),
    ("p3636", JetsonModule("Jetson TX2 NX", _TX2, 0)),
    ("p3668", JetsonModule("Jetson Xavier NX", _XAVIER, 2)),
    ("p2888", JetsonModule("Jetson AGX Xavier", _XAVIER, 2)),
    ("p3767-0000", JetsonModule("Jetson Orin NX 16 GB", _ORIN, 2)),
    ("p3767-0001", JetsonModule("Jetson Orin NX 8 GB", _ORIN, 1)),
    ("p3767-0003", JetsonModule("Jetson Orin Nano 8 GB", _ORIN, 0)),
    ("p3767-0004", JetsonModule("Jetson Orin Nano 4 GB", _ORIN, 0)),
    ("p3767-0005", JetsonModule("Jetson Orin Nano 8 GB developer kit", _ORIN, 0)),
    ("p3701", JetsonModule("Jetson AGX Orin", _ORIN, 2)),
    ("p3834", JetsonModule("Jetson AGX Thor", _THOR, 0)),
)
# JetPack 4 and 5, 6 and later, and the compatibility link beside them.
_DLA_NODES = (
    "/sys/devices/*host1x/*.nvdla[01]",
    "/sys/devices/platform/*host1x/*.nvdla[01]",
    "/sys/devices/platform/bus@0/*host1x/*.nvdla[01]",
)
_FAMILIES = ("Jetson Nano", "Orin Nano", "Orin NX", "AGX Orin", "Xavier NX", "AGX Xavier", "AGX Thor")
_TREES = ("/proc/device-tree", "/sys/firmware/devicetree/base")


def probe_jetson(root: Root) -> Finding:
    """The module's GPU and DLA cores, or why this is no Jetson."""
    compatible = device_tree(root, "compatible").split("\0")
    part = _part_number(compatible)
    module = next((module for number, module in _MODULES if part.startswith(number)), None)
    if module is None:
        return Finding(absent=(Absence(AcceleratorKind.DLA, _absence(compatible)),))
    driver = _l4t(root)
    gpu = Accelerator(AcceleratorKind.NVIDIA_GPU, f"{module.name} ({part}), {module.gpu} GPU", driver=driver)
    nodes = len({path.rsplit("/", 1)[-1] for pattern in _DLA_NODES for path in root.matches(pattern)})
    cores = min(module.dla_cores, nodes)
    dla = tuple(
        Accelerator(AcceleratorKind.DLA, f"{module.name} DLA core {core}", driver=driver) for core in range(cores)
    )
    absent = () if dla else (Absence(AcceleratorKind.DLA, _dla_absence(module)),)
    return Finding((gpu, *dla), absent, _notes(root, module, part))


def module_name(root: Root) -> str | None:
    """The Jetson module's name, or None where this is none."""
    part = _part_number(device_tree(root, "compatible").split("\0"))
    return next((f"{module.name} ({part})" for number, module in _MODULES if part.startswith(number)), None)


def device_tree(root: Root, name: str) -> str:
    """A property of the device tree, "" where the machine has none."""
    told = (root.text(f"{tree}/{name}") for tree in _TREES)
    return next((text for text in told if text), "")


def _part_number(compatible: list[str]) -> str:
    """The module's pNNNN-SSSS: what follows the carrier's and a plus, or stands alone."""
    for entry in sorted(compatible, key=lambda entry: "+" not in entry):
        found = re.search(r"(?:\+|^nvidia,)(p\d{4}-\d{4})", entry)
        if found and any(found[1].startswith(number) for number, _ in _MODULES):
            return found[1]
    return ""


def _absence(compatible: list[str]) -> str:
    if any("tegra" in entry for entry in compatible):
        return f"a Tegra of no module known here: {', '.join(entry for entry in compatible if entry)}"
    return "not a Jetson"


def _dla_absence(module: JetsonModule) -> str:
    if module.dla_cores == 0:
        return f"the {module.name} has none"
    return f"the {module.name} has {module.dla_cores}, but the system shows no nvdla node: this L4T may not drive it"


def _notes(root: Root, module: JetsonModule, part: str) -> tuple[str, ...]:
    board = device_tree(root, "model")
    if any(family in board and family not in module.name for family in _FAMILIES):
        return (f'the board calls itself "{board}", but the module is a {module.name} ({part})',)
    return ()


def _l4t(root: Root) -> str | None:
    """From "# R36 (release), REVISION: 4.3, ...": "L4T 36.4.3"; some images have no such file."""
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", root.text("/etc/nv_tegra_release") or "")
    return f"L4T {found[1]}.{found[2]}" if found else None
