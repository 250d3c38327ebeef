"""What this machine has, as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class AcceleratorKind(str, Enum):
    """Families of compute device sitewatch knows."""

    CPU = "cpu"
    INTEL_GPU = "intel_gpu"
    INTEL_NPU = "intel_npu"
    MYRIAD = "myriad"
    NVIDIA_GPU = "nvidia_gpu"
    DLA = "dla"
    APPLE_NEURAL_ENGINE = "apple_neural_engine"
    APPLE_GPU = "apple_gpu"


@dataclass(frozen=True)
class Accelerator:
    """One usable compute device.

    Attributes:
        kind: its family.
        name: as the vendor names it.
        memory_bytes: what it can address, or None where unknown.
        driver: name and version, or None.
        capability: instruction sets or compute capability, one word each.
    """

    kind: AcceleratorKind
    name: str
    memory_bytes: int | None = None
    driver: str | None = None
    capability: tuple[str, ...] = ()


@dataclass(frozen=True)
class Availability:
    """Whether something can be used, and why not when it cannot."""

    usable: bool
    reason: str


@dataclass(frozen=True)
class RuntimeStatus:
    """One run-time on this machine."""

    name: str
    version: str | None
    availability: Availability


@dataclass(frozen=True)
class Inventory:
    """Everything the probe found; absences come with reasons in `notes`."""

    machine: str
    system: str
    python: str
    memory_bytes: int | None
    cpu_limit: float
    accelerators: tuple[Accelerator, ...]
    runtimes: tuple[RuntimeStatus, ...]
    notes: tuple[str, ...] = ()
