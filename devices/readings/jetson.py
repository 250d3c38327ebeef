"""A Jetson's GPU load, DLA activity and power mode, from sysfs; its heat and power are in `thermal` and `power`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from devices.inventory import Accelerator
from devices.probes.dla import dla_nodes
from devices.probes.jetpack import power_mode
from devices.probes.jetson_modules import identify
from devices.probes.root import Root
from devices.readings.numbers import number
from devices.readings.reading import Quantity, Reading, Vitals

_PER_MILLE = 1000.0
_GPU = "nvidia_gpu0"
# JetPack 4; the link of JetPack 5 and 6; Orin's own folders. Thor has none: nvidia-smi tells there.
_LOADS = (
    "/sys/devices/gpu.0/load",
    "/sys/devices/platform/gpu.0/load",
    "/sys/devices/platform/*.ga10b/load",
    "/sys/devices/platform/bus@0/*.gpu/load",
)
# Needs root: how much each process has mapped for the GPU, and the sum.
_MAPPED = "/sys/kernel/debug/nvmap/iovmm/clients"


def read_jetson(root: Root, _accelerators: Sequence[Accelerator]) -> Vitals:
    """Nothing where this is no Jetson."""
    if identify(root) is None:
        return Vitals()
    readings = (*_load(root), *_memory(root), *_dla(root))
    return Vitals(readings, power_mode=power_mode(root))


def gpu_load_path(root: Root) -> str | None:
    """The file with the GPU's load in per mille, or None where this L4T has none."""
    found = (path for pattern in _LOADS for path in root.matches(pattern) if number(root, path) is not None)
    return next(found, None)


def _load(root: Root) -> Iterator[Reading]:
    path = gpu_load_path(root)
    load = number(root, path) if path else None
    if load is not None:
        yield Reading(Quantity.UTILISATION, _GPU, min(1.0, load / _PER_MILLE))


def _memory(root: Root) -> Iterator[Reading]:
    found = re.search(r"^total\s+(\d+)K", root.text(_MAPPED) or "", re.MULTILINE)
    if found:
        yield Reading(Quantity.MEMORY_USED_BYTES, _GPU, int(found[1]) * 1024)


def _dla(root: Root) -> Iterator[Reading]:
    """`active` while a network runs on it: the only cheap proof that the DLA works."""
    for core, node in enumerate(dla_nodes(root)):
        status = root.text(f"{node}/power/runtime_status")
        if status is not None:
            yield Reading(Quantity.IS_ACTIVE, f"dla{core}", float(status == "active"))
