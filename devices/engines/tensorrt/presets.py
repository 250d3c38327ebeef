"""What suits each family of NVIDIA device, as one table.

Sources: NVIDIA's module data sheets (memory, DLA); CUDA C++ Programming Guide, "Arithmetic Instructions" (half
precision is faster on 5.3, 6.0, 6.2 and from 7.0 on, and far slower on 6.1); TensorRT documentation, "Working with DLA"
(fp16 and int8 only). Shares of memory are ours: peak memory during a build is what stops boards of 4 to 8 GB.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.engines.engine import Precision
from devices.inventory import Accelerator, AcceleratorKind


@dataclass(frozen=True)
class Preset:
    """How to build on one family.

    Attributes:
        family: what the accelerator's name contains, as the probe writes it.
        gpu: precision that AUTO takes on its GPU.
        dla: precision that AUTO takes on its DLA, or None where it has none.
        workspace_share: of the memory available, that a layer's scratch memory may take.
        workspace_limit_mib: and never more than this.
        batch: the largest batch of a model that leaves it open.
    """

    family: str
    gpu: Precision
    dla: Precision | None
    workspace_share: float
    workspace_limit_mib: int
    batch: int


FP16 = Precision.FP16
PRESETS: tuple[Preset, ...] = (
    # family                gpu   dla   share  limit batch
    Preset("Jetson Nano", FP16, None, 0.20, 512, 4),
    Preset("Jetson TX2", FP16, None, 0.20, 1024, 4),
    Preset("Jetson Xavier NX", FP16, FP16, 0.25, 1024, 8),
    Preset("Jetson AGX Xavier", FP16, FP16, 0.25, 4096, 8),
    Preset("Jetson Orin Nano", FP16, None, 0.20, 1024, 8),
    Preset("Jetson Orin NX", FP16, FP16, 0.25, 2048, 8),
    Preset("Jetson AGX Orin", FP16, FP16, 0.25, 8192, 16),
    Preset("Jetson AGX Thor", FP16, None, 0.25, 16384, 16),
)
DISCRETE = Preset("discrete GPU", FP16, None, 0.50, 8192, 16)

_SLOW_HALF = ("5.0", "5.2", "6.1")


def preset_of(accelerator: Accelerator) -> Preset:
    """The row of the accelerator's family; what is no Jetson is a discrete GPU."""
    return next((preset for preset in PRESETS if preset.family in accelerator.name), DISCRETE)


def auto_precision(accelerator: Accelerator, compute_capability: str) -> Precision:
    """What AUTO means there; a GPU whose half precision is slower than its single one computes in fp32."""
    preset = preset_of(accelerator)
    if accelerator.kind is AcceleratorKind.DLA:
        return preset.dla or FP16
    return Precision.FP32 if compute_capability in _SLOW_HALF else preset.gpu
