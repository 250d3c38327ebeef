"""What a process and its children hold, read from Linux's /proc."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Vitals:
    """Of a process and all below it, together.

    Attributes:
        resident_bytes: memory that is in the machine's.
        descriptors: open files and sockets.
        threads: of all of them.
        cpu_s: processor time since they began.
    """

    resident_bytes: int
    descriptors: int
    threads: int
    cpu_s: float


def vitals_of(pid: int) -> Vitals | None:
    """What a process and its children hold now; None when it is gone."""
    resident = descriptors = threads = 0
    cpu_s = 0.0
    try:
        for each in family_of(pid):
            status = status_of(each)
            resident += int(status.get("VmRSS", "0 kB").split()[0]) * 1024
            threads += int(status["Threads"])
            descriptors += len(list((PROC / str(each) / "fd").iterdir()))
            cpu_s += _cpu_s(each)
    except (OSError, KeyError):
        return None
    return Vitals(resident, descriptors, threads, cpu_s) if resident else None


def family_of(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in (PROC / str(pid) / "task").iterdir():
        for child in (task / "children").read_text().split():
            yield from family_of(int(child))


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler of its own for a signal."""
    return bool(int(status_of(pid)["SigCgt"], 16) >> (number - 1) & 1)


def status_of(pid: int) -> dict[str, str]:
    """The lines of /proc/PID/status."""
    lines = (PROC / str(pid) / "status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _cpu_s(pid: int) -> float:
    # The name, in brackets, may hold spaces; user and system time are the 12th and 13th field after it.
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S
