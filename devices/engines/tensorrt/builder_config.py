"""TensorRT's settings for a build: types, scratch memory, DLA, shapes, and the timings of earlier builds."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from devices.engines.tensorrt.cuda_driver import CudaFacts
from devices.engines.tensorrt.logger import TrtObject
from devices.engines.tensorrt.order import TIMING, BuildOrder
from devices.engines.tensorrt.profiles import shared_profiles
from devices.errors import EngineLoadError

_MIB = 1 << 20
_LEAST_WORKSPACE_MIB = 64


def network_flags(trt: ModuleType, order: BuildOrder) -> int:
    """A number everywhere; strong where the plan says so, explicit batch where the flag still exists."""
    flags = trt.NetworkDefinitionCreationFlag
    wanted = 0
    if order.is_strong and hasattr(flags, "STRONGLY_TYPED"):
        wanted |= 1 << int(flags.STRONGLY_TYPED)
    if hasattr(flags, "EXPLICIT_BATCH"):
        wanted |= 1 << int(flags.EXPLICIT_BATCH)
    return wanted


def configure(trt: ModuleType, config: TrtObject, order: BuildOrder, facts: CudaFacts) -> None:
    """Set what the order says; the DLA may leave to the GPU what it cannot do."""
    available = _available_bytes() if facts.is_integrated else facts.free_bytes
    share = int((available or facts.free_bytes) * order.workspace_share)
    limit = max(_LEAST_WORKSPACE_MIB * _MIB, min(share, order.workspace_limit_mib * _MIB))
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, limit)
    for name in order.flags:
        config.set_flag(getattr(trt.BuilderFlag, name))
    for name in order.cleared:
        config.clear_flag(getattr(trt.BuilderFlag, name))
    if (sharing := shared_profiles(trt)) is not None:
        config.set_preview_feature(sharing, True)  # noqa: FBT003 - TensorRT's signature
    if order.dla_core is not None:
        config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
        config.default_device_type = trt.DeviceType.DLA
        config.DLA_core = order.dla_core
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)


def add_profiles(builder: TrtObject, config: TrtObject, order: BuildOrder) -> None:
    """The sizes of open axes.

    Raises:
        EngineLoadError: TensorRT does not take them.
    """
    if not order.profiles:
        return
    for _ in range(order.profile_count):
        profile = builder.create_optimization_profile()
        for name, (least, usual, largest) in order.profiles.items():
            profile.set_shape(name, least, usual, largest)
        if config.add_optimization_profile(profile) < 0:
            raise EngineLoadError(f"tensorrt does not take the shapes {order.profiles}")
        if order.calibrate:
            config.set_calibration_profile(profile)


def use_timing_cache(config: TrtObject, folder: Path) -> TrtObject:
    """Timings of earlier builds; those of another TensorRT or device are refused: an empty cache takes their place."""
    path = folder / TIMING
    kept = path.read_bytes() if path.is_file() else b""
    timing = config.create_timing_cache(kept)
    if timing is not None and config.set_timing_cache(timing, False):  # noqa: FBT003 - TensorRT's signature
        return timing
    timing = config.create_timing_cache(b"")
    return timing if timing is not None and config.set_timing_cache(timing, False) else None  # noqa: FBT003 - as above


def keep_timing(config: TrtObject, timing: TrtObject, folder: Path) -> None:
    """Write the timings, old and new, into the folder."""
    if timing is not None and (found := config.get_timing_cache()) is not None:
        (folder / TIMING).write_bytes(bytes(found.serialize()))


def _available_bytes() -> int | None:
    """What Linux says may still be had; CUDA's own number leaves out what the page cache would give back."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith("MemAvailable:")), None)
    return int(found) * 1024 if found else None
