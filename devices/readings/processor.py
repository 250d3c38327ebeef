"""The processor's load, heat events, and the machine's memory, from procfs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from devices.inventory import Accelerator
from devices.probes.root import Root
from devices.readings.numbers import number
from devices.readings.reading import Quantity, Reading, Vitals

_TICKS_PER_SECOND = 100.0  # USER_HZ, fixed on Linux for every architecture we run on
_CPU = "cpu"
_MEMORY = "memory"


def read_processor(root: Root, _accelerators: Sequence[Accelerator]) -> Vitals:
    """Busy time over all processors, throttling events, memory in use. Nothing on macOS, which has no procfs."""
    return Vitals((*_busy(root), *_throttles(root), *_memory(root)))


def _busy(root: Root) -> tuple[Reading, ...]:
    """`/proc/stat` counts ticks: user nice system idle iowait irq softirq steal, one line a processor."""
    lines = re.findall(r"^cpu\d+\s+(.+)$", root.text("/proc/stat") or "", re.MULTILINE)
    counts = [[int(field) for field in line.split()] for line in lines]
    if not counts or any(len(ticks) < 8 for ticks in counts):
        return ()
    busy = sum(sum(ticks[:3]) + sum(ticks[5:8]) for ticks in counts)
    return (Reading(Quantity.BUSY_SECONDS, _CPU, busy / _TICKS_PER_SECOND / len(counts)),)


def _throttles(root: Root) -> tuple[Reading, ...]:
    """x86 counts them a package, and shows the package's count at each of its processors: the most is the count."""
    paths = root.matches("/sys/devices/system/cpu/cpu*/thermal_throttle/package_throttle_count")
    counts = [count for path in paths if (count := number(root, path)) is not None]
    return (Reading(Quantity.THROTTLES, _CPU, max(counts)),) if counts else ()


def _memory(root: Root) -> tuple[Reading, ...]:
    sizes = dict(re.findall(r"^(\w+):\s*(\d+) kB", root.text("/proc/meminfo") or "", re.MULTILINE))
    if "MemTotal" not in sizes or "MemAvailable" not in sizes:
        return ()
    total, available = (int(sizes[name]) * 1024 for name in ("MemTotal", "MemAvailable"))
    return (
        Reading(Quantity.MEMORY_TOTAL_BYTES, _MEMORY, total),
        Reading(Quantity.MEMORY_USED_BYTES, _MEMORY, total - available),
    )
