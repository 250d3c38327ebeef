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
    REMOTE = "remote"


@dataclass(frozen=True)
class Accelerator:
    """One usable compute device.

    Attributes:
        kind: its family.
        name: as the vendor names it.
        memory_bytes: what it can address, or None where unknown.
        driver: name and version, or None.
        capability: instruction sets or compute capability, one word each.
        index: its number among those of its kind, as the vendor counts them: CUDA device, GPU.n, DLA core.
        address: on the PCI bus, "0000:01:00.0", or None.
    """

    kind: AcceleratorKind
    name: str
    memory_bytes: int | None = None
    driver: str | None = None
    capability: tuple[str, ...] = ()
    index: int = 0
    address: str | None = None


@dataclass(frozen=True)
class Availability:
    """Whether something can be used, and why not when it cannot."""

    usable: bool
    reason: str


@dataclass(frozen=True)
class RuntimeStatus:
    """One run-time on this machine.

    Attributes:
        name: as in the engine catalogue.
        version: as it says itself, or None where it could not be asked.
        availability: whether it can be used, or why not.
        devices: what it lists as its own: ("CPU",) for OpenVINO, providers for ONNX Runtime.
    """

    name: str
    version: str | None
    availability: Availability
    devices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Absence:
    """A family of accelerator this machine has not, or not usable, and why."""

    kind: AcceleratorKind
    reason: str


class DecoderKind(str, Enum):
    """Ways to decode video beside the processor."""

    VAAPI = "vaapi"
    NVDEC = "nvdec"
    NVV4L2 = "nvv4l2"
    VIDEOTOOLBOX = "videotoolbox"
    V4L2_M2M = "v4l2_m2m"


@dataclass(frozen=True)
class VideoDecoder:
    """One way to decode video on hardware, or why there is none.

    Attributes:
        kind: the interface to it.
        device: its node, or None where it has none or is not there.
        availability: whether this Python's libraries reach it, or what is missing.
    """

    kind: DecoderKind
    device: str | None
    availability: Availability


@dataclass(frozen=True)
class JetsonBoard:
    """Which Jetson this is.

    Attributes:
        module: as NVIDIA sells it: "Jetson Orin NX 16 GB".
        part_number: "p3767-0000", or "" where the board tells none.
        soc: "tegra234".
        l4t: release of Jetson Linux, "36.4.3", or None where nothing tells it.
        jetpack: the JetPack that brought it, or None where we do not know.
        power_mode: as nvpmodel names it, or None where it does not tell.
    """

    module: str
    part_number: str
    soc: str
    l4t: str | None
    jetpack: str | None
    power_mode: str | None


@dataclass(frozen=True)
class Inventory:
    """Everything the probe found.

    Attributes:
        machine: the board or product, as precisely as the machine tells.
        system: operating system and its release.
        python: version of the interpreter that asked.
        memory_bytes: what this process may use, cgroup limits included.
        cpu_limit: processors this process may use, affinity and cgroup limits included.
        accelerators: compute devices found; the CPU is always among them.
        runtimes: every run-time of the catalogue.
        notes: findings a person should know: traps, limits, contradictions.
        architecture: "x86_64", "aarch64", "arm64".
        absent: the families that were looked for and not found, with reasons.
        cores: processors of the machine, whatever this process may use of them.
        decoders: one a way to decode video on hardware, usable or not.
        jetson: which Jetson this is, or None where it is none.
    """

    machine: str
    system: str
    python: str
    memory_bytes: int | None
    cpu_limit: float
    accelerators: tuple[Accelerator, ...]
    runtimes: tuple[RuntimeStatus, ...]
    notes: tuple[str, ...] = ()
    architecture: str = ""
    absent: tuple[Absence, ...] = ()
    cores: int = 1
    decoders: tuple[VideoDecoder, ...] = ()
    jetson: JetsonBoard | None = None
