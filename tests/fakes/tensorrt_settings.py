"""The fake TensorRT's settings of a build, and what goes in and out of it as bytes."""

from __future__ import annotations

from typing import Any


class Fake:
    """A binding's object: attributes that its class does not have cannot be set."""

    _trt: Any

    def __setattr__(self, name: str, value: object) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(name)
        object.__setattr__(self, name, value)


class ITensor(Fake):
    name = property(lambda self: self._name)
    shape = property(lambda self: self._shape)


class IOptimizationProfile(Fake):
    def set_shape(self, input: str, min: Any, opt: Any, max: Any) -> None:  # noqa: A002 - the binding's names
        self.__dict__.setdefault("_shapes", {})[input] = [list(min), list(opt), list(max)]


class IBuilderConfig(Fake):
    profiling_verbosity: Any = None
    default_device_type: Any = None
    DLA_core = -1
    progress_monitor: Any = None
    int8_calibrator: Any = None

    def __init__(self) -> None:
        self._flags: set[str] = {"TF32"}
        self._profiles: list[Any] = []
        self._limits: dict[str, int] = {}
        self._timing: Any = None
        self._previews: set[str] = set()

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        self._limits[pool.name] = pool_size

    def set_flag(self, flag: Any) -> None:
        self._flags.add(flag.name)

    def clear_flag(self, flag: Any) -> None:
        self._flags.discard(flag.name)

    def set_preview_feature(self, feature: Any, enable: bool) -> None:  # noqa: FBT001 - the binding's signature
        assert enable
        self._previews.add(feature.name)

    def add_optimization_profile(self, profile: Any) -> int:
        self._profiles.append(profile)
        return len(self._profiles) - 1

    def set_calibration_profile(self, profile: Any) -> bool:
        return profile in self._profiles

    def can_run_on_DLA(self, layer: Any) -> bool:  # noqa: N802 - the binding's name
        return layer.op_type in ("Conv", "Mul", "Add", "Relu")

    def create_timing_cache(self, serialized_timing_cache: bytes) -> Any:
        cache = self._trt.ITimingCache()
        cache._content = bytes(serialized_timing_cache)
        return cache

    def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:  # noqa: FBT001 - the binding's signature
        assert not ignore_mismatch
        is_ours = cache._content in (b"", f"timings {self._trt.__version__}".encode())
        self._timing = cache if is_ours else self._timing
        return is_ours

    def get_timing_cache(self) -> Any:
        return self._timing


class ITimingCache(Fake):
    def serialize(self) -> Any:
        return self._trt.IHostMemory._of(f"timings {self._trt.__version__}".encode())


class IHostMemory(bytes):
    @classmethod
    def _of(cls, content: bytes) -> Any:
        return cls(content)


SETTINGS = (ITensor, IOptimizationProfile, IBuilderConfig, ITimingCache, IHostMemory)
