"""How much memory this process may use."""

from __future__ import annotations

import re

from devices.probes.cgroup import memory_limit_bytes
from devices.probes.cpu import sysctl
from devices.probes.root import Root


def memory_bytes(root: Root) -> int | None:
    """The machine's memory, or the cgroup's limit where that is less; None where neither is told."""
    known = [size for size in (memory_total_bytes(root), memory_limit_bytes(root)) if size is not None]
    return min(known, default=None)


def memory_total_bytes(root: Root) -> int | None:
    """The machine's memory, whatever a cgroup allows; a Jetson's and a Mac's GPU share it."""
    if root.system == "Darwin":
        told = sysctl(root, "hw.memsize")
        return int(told) if told and told.isdigit() else None
    found = re.search(r"^MemTotal:\s*(\d+) kB", root.text("/proc/meminfo") or "", re.MULTILINE)
    return int(found[1]) * 1024 if found else None
