"""The Jetson modules, and which of them this is: by part number, never by the board's name.

The name in `model` is the carrier's and often wrong; the part number in `compatible` is the module's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devices.probes.memory import memory_total_bytes
from devices.probes.root import Root

_TREES = ("/proc/device-tree", "/sys/firmware/devicetree/base")
_GIB = 1 << 30


@dataclass(frozen=True)
class Chip:
    """A Tegra by its name in the device tree.

    Attributes:
        soc: "tegra234".
        gpu: generation of its GPU.
        compute: the GPU's instruction set, as NVIDIA's compilers name it.
    """

    soc: str
    gpu: str
    compute: str


@dataclass(frozen=True)
class JetsonModule:
    """A module.

    Attributes:
        name: as NVIDIA sells it.
        chip: what is on it.
        dla_cores: deep-learning accelerators on it (NVIDIA's data sheets).
    """

    name: str
    chip: Chip
    dla_cores: int


@dataclass(frozen=True)
class Identity:
    """A module and its part number, "" where the machine tells none."""

    module: JetsonModule
    part_number: str

    @property
    def text(self) -> str:
        """For a person: "Jetson Orin NX 16 GB (p3767-0000)"."""
        return f"{self.module.name} ({self.part_number})" if self.part_number else self.module.name


_NANO = Chip("tegra210", "Maxwell", "sm_53")
_TX2 = Chip("tegra186", "Pascal", "sm_62")
_XAVIER = Chip("tegra194", "Volta", "sm_72")
_ORIN = Chip("tegra234", "Ampere", "sm_87")
_THOR = Chip("tegra264", "Blackwell", "sm_110")
_CHIPS = (_NANO, _TX2, _XAVIER, _ORIN, _THOR)

# Part numbers as recorded in `compatible`, the most exact first.
_MODULES: tuple[tuple[str, JetsonModule], ...] = (
    ("p3448-0003", JetsonModule("Jetson Nano 2 GB", _NANO, 0)),
    ("p3448", JetsonModule("Jetson Nano", _NANO, 0)),
    ("p3310", JetsonModule("Jetson TX2", _TX2, 0)),
    ("p3489", JetsonModule("Jetson TX2i", _TX2, 0)),
    ("p3636", JetsonModule("Jetson TX2 NX", _TX2, 0)),
    ("p3668", JetsonModule("Jetson Xavier NX", _XAVIER, 2)),
    ("p2888", JetsonModule("Jetson AGX Xavier", _XAVIER, 2)),
    ("p2972", JetsonModule("Jetson AGX Xavier", _XAVIER, 2)),  # what the mainline kernel calls it
    ("p3767-0000", JetsonModule("Jetson Orin NX 16 GB", _ORIN, 2)),
    ("p3767-0001", JetsonModule("Jetson Orin NX 8 GB", _ORIN, 1)),
    ("p3767-0003", JetsonModule("Jetson Orin Nano 8 GB", _ORIN, 0)),
    ("p3767-0004", JetsonModule("Jetson Orin Nano 4 GB", _ORIN, 0)),
    ("p3767-0005", JetsonModule("Jetson Orin Nano 8 GB developer kit", _ORIN, 0)),
    ("p3701-0004", JetsonModule("Jetson AGX Orin 32 GB", _ORIN, 2)),
    ("p3701-0005", JetsonModule("Jetson AGX Orin 64 GB", _ORIN, 2)),
    ("p3701-0008", JetsonModule("Jetson AGX Orin Industrial", _ORIN, 2)),
    ("p3701", JetsonModule("Jetson AGX Orin", _ORIN, 2)),
    ("p3834-0005", JetsonModule("Jetson AGX Thor T4000", _THOR, 0)),
    ("p3834", JetsonModule("Jetson AGX Thor", _THOR, 0)),
)


def identify(root: Root) -> Identity | None:
    """Which Jetson this is; one of a known chip and an unknown number counts as a module without DLA."""
    compatible = device_tree(root, "compatible").split("\0")
    part = _part_number(compatible) or _from_board_ids(root)
    module = next((module for number, module in _MODULES if part.startswith(number)), None) if part else None
    if module is not None:
        return Identity(_sized(module, root), part)
    chip = next((chip for chip in _CHIPS if f"nvidia,{chip.soc}" in compatible), None)
    return None if chip is None else Identity(JetsonModule(f"Jetson with {chip.soc}", chip, 0), "")


def device_tree(root: Root, name: str) -> str:
    """A property of the device tree, "" where the machine has none."""
    told = (root.text(f"{tree}/{name}") for tree in _TREES)
    return next((text for text in told if text), "")


def _part_number(compatible: list[str]) -> str:
    """The module's pNNNN-SSSS, after the carrier's and a plus, or alone; no carrier has a module's number."""
    parts = [part for entry in compatible for part in re.findall(r"p\d{4}-\d{4}", entry)]
    return next((part for part in parts if any(part.startswith(number) for number, _ in _MODULES)), "")


def _from_board_ids(root: Root) -> str:
    """JetPack 4 lists the boards it found on the buses: "3448:0000:400", carrier and module in any order."""
    for board in re.findall(r"(\d{4}):(\d{4})", device_tree(root, "nvidia,boardids")):
        part = f"p{board[0]}-{board[1]}"
        if any(part.startswith(number) for number, _ in _MODULES):
            return part
    return ""


def _sized(module: JetsonModule, root: Root) -> JetsonModule:
    """An AGX Xavier's and the Orin developer kit's part number leave the memory open; the kernel tells it."""
    total = memory_total_bytes(root)
    if module.name not in ("Jetson AGX Xavier", "Jetson AGX Orin", "Jetson Xavier NX") or total is None:
        return module
    size = next((size for size in (8, 16, 32) if total <= size * _GIB), 64)
    return JetsonModule(f"{module.name} {size} GB", module.chip, module.dla_cores)
