"""Limits a container or service manager puts on this process: cgroup version 2, and version 1 where it is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from devices.probes.root import Root

_V1_UNLIMITED_BYTES = 1 << 60
_ROOT = "/sys/fs/cgroup"


def cpu_quota(root: Root) -> float | None:
    """Processors' worth of time the cgroups allow, or None where they do not limit it."""
    quotas = [*_v2_quotas(root), *_v1_quotas(root)]
    return min(quotas, default=None)


def memory_limit_bytes(root: Root) -> int | None:
    """Memory the cgroups allow, or None where they do not limit it."""
    told = [root.text(f"{folder}/memory.max") for folder in _folders(root, "")]
    told += [root.text(f"{folder}/memory.limit_in_bytes") for folder in _folders(root, "memory")]
    limits = [int(text) for text in told if text and text.isdigit()]
    return min((limit for limit in limits if limit < _V1_UNLIMITED_BYTES), default=None)


def _v2_quotas(root: Root) -> Iterator[float]:
    for folder in _folders(root, ""):
        match (root.text(f"{folder}/cpu.max") or "").split():
            case [quota, period] if quota.isdigit() and int(period) > 0:
                yield int(quota) / int(period)
            case _:
                continue


def _v1_quotas(root: Root) -> Iterator[float]:
    for folder in _folders(root, "cpu"):
        quota = root.text(f"{folder}/cpu.cfs_quota_us") or ""
        period = root.text(f"{folder}/cpu.cfs_period_us") or ""
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            yield int(quota) / int(period)


def _folders(root: Root, controller: str) -> Iterator[str]:
    """This process's group and every group above it: each may limit. In a container the way up ends early."""
    own = _own_group(root, controller)
    mount = f"{_ROOT}/{controller}".rstrip("/")
    for group in (PurePosixPath(own), *PurePosixPath(own).parents):
        yield f"{mount}{group}".rstrip("/")


def _own_group(root: Root, controller: str) -> str:
    """`/proc/self/cgroup` has `id:controllers:path` lines; version 2 leaves the controllers out."""
    for line in (root.text("/proc/self/cgroup") or "").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return path or "/"
    return "/"
