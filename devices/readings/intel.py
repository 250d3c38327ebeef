"""Intel's NPU as a whole, and this process's own share of Intel GPUs, which is all the kernel tells without rights.

Sources: the intel_vpu driver's sysfs files; `Documentation/gpu/drm-usage-stats.rst` for fdinfo.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from devices.inventory import Accelerator, AcceleratorKind
from devices.probes.intel_npu import npu_nodes
from devices.probes.root import Root
from devices.readings.numbers import number
from devices.readings.reading import Quantity, Reading, Vitals

_UNITS = {"": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_ENGINE = re.compile(r"^drm-engine-(?!capacity)[\w-]+:\s*(\d+) ns$", re.MULTILINE)
_RESIDENT = re.compile(r"^drm-resident-\w+:\s*(\d+)(?: (KiB|MiB|GiB))?$", re.MULTILINE)


def read_intel(root: Root, accelerators: Sequence[Accelerator]) -> Vitals:
    """Nothing where the machine has neither."""
    return Vitals((*_npu(root), *_gpu(root, accelerators)))


def _npu(root: Root) -> Iterator[Reading]:
    """The busy time is cumulative; the driver asks not to be read more than once a second."""
    for index, node in enumerate(npu_nodes(root)):
        busy_us = number(root, f"{node}/device/npu_busy_time_us")
        if busy_us is not None:
            yield Reading(Quantity.BUSY_SECONDS, f"intel_npu{index}", busy_us / 1e6)
        used = number(root, f"{node}/device/npu_memory_utilization")
        if used is not None:
            yield Reading(Quantity.MEMORY_USED_BYTES, f"intel_npu{index}", used)


def _gpu(root: Root, accelerators: Sequence[Accelerator]) -> Iterator[Reading]:
    gpus = [each for each in accelerators if each.kind is AcceleratorKind.INTEL_GPU]
    clients = _clients(root) if gpus else {}
    for gpu in gpus:
        ours = [text for (address, _), text in clients.items() if address == gpu.address]
        if not ours:
            continue
        busy_ns = sum(int(count) for text in ours for count in _ENGINE.findall(text))
        used = sum(int(size) * _UNITS[unit] for text in ours for size, unit in _RESIDENT.findall(text))
        yield Reading(Quantity.BUSY_SECONDS, f"intel_gpu{gpu.index}", busy_ns / 1e9)
        yield Reading(Quantity.MEMORY_USED_BYTES, f"intel_gpu{gpu.index}", used)


def _clients(root: Root) -> dict[tuple[str, str], str]:
    """What this process has open on GPUs, by PCI address and client; several descriptors may be one client."""
    found: dict[tuple[str, str], str] = {}
    for path in root.matches("/proc/self/fdinfo/*"):
        text = root.text(path) or ""
        address = re.search(r"^drm-pdev:\s*(\S+)$", text, re.MULTILINE)
        client = re.search(r"^drm-client-id:\s*(\d+)$", text, re.MULTILINE)
        if address and client:
            found[address[1], client[1]] = text
    return found
