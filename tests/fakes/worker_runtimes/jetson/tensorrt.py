"""TensorRT 8.5 as far as the worker uses it, which doubles x: a "plan" is its shape as text."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from pycuda import driver

__version__ = "8.5.2.2"


class DataType(enum.Enum):
    """Elements; INT64 and UINT8 are not among those of 8.5's Python."""

    FLOAT, HALF, INT8, INT32, BOOL = range(5)


class TensorIOMode(enum.Enum):
    """Which way."""

    NONE, INPUT, OUTPUT = range(3)


class BuilderFlag(enum.Enum):
    """What a build may do."""

    FP16, INT8, GPU_FALLBACK = range(3)


class DeviceType(enum.Enum):
    """Where layers run."""

    GPU, DLA = range(2)


class MemoryPoolType(enum.Enum):
    """What a limit is for."""

    WORKSPACE = 0


class NetworkDefinitionCreationFlag(enum.IntEnum):
    """Flags are bits."""

    EXPLICIT_BATCH = 0


class ILogger:
    """What TensorRT tells its news."""

    class Severity(enum.Enum):
        """How bad."""

        INTERNAL_ERROR, ERROR, WARNING = range(3)


class Runtime:
    """Loads plans."""

    DLA_core = -1

    def __init__(self, logger: ILogger) -> None:
        self.logger = logger

    def deserialize_cuda_engine(self, plan: bytes) -> Any:
        """None where it is no plan."""
        return Engine(json.loads(plan)) if plan.startswith(b"{") else None


class Engine:
    """One input x, one output y."""

    num_io_tensors = 2

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan

    def get_tensor_name(self, place: int) -> str:
        """In order."""
        return "xy"[place]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        """Which way."""
        return TensorIOMode.INPUT if name == "x" else TensorIOMode.OUTPUT

    def get_tensor_dtype(self, _name: str) -> DataType:
        """All the same."""
        return DataType.FLOAT

    def create_execution_context(self) -> Execution:
        """What runs."""
        return Execution(self.plan)


class Execution:
    """Checks what it is given, as the real one returns False."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.addresses: dict[str, int] = {}

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        """Only the profile's."""
        return name == "x" and list(shape) == self.plan["shape"]

    def get_tensor_shape(self, _name: str) -> tuple[int, ...]:
        """Both the same."""
        return tuple(self.plan["shape"])

    def set_tensor_address(self, name: str, address: int) -> bool:
        """Where it lies."""
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Double."""
        x = driver.MEMORY[self.addresses["x"]].view(np.float32)
        driver.MEMORY[self.addresses["y"]].view(np.float32)[:] = x * 2
        return stream_handle == driver.Stream.handle


class Builder:
    """Counts its builds in the file that BUILDS names."""

    def __init__(self, logger: Any) -> None:
        self.logger = logger

    def create_network(self, flags: int) -> Network:
        """Explicit batch only."""
        assert flags == 1
        return Network()

    def create_builder_config(self) -> Settings:
        """How to build."""
        return Settings()

    def create_optimization_profile(self) -> Profile:
        """Of shapes."""
        return Profile()

    def build_serialized_network(self, _network: Any, settings: Any) -> bytes | None:
        """A plan, or None with news for the logger."""
        if settings.workspace < 1 or len(settings.profiles) != 1:
            self.logger.log(ILogger.Severity.ERROR, "no workspace")
            return None
        with Path(os.environ["BUILDS"]).open("a", encoding="utf-8") as stream:
            stream.write(f"{sorted(flag.name for flag in settings.flags)} {settings.DLA_core}\n")
        return json.dumps({"shape": settings.profiles[0].shape}).encode()


class Network:
    """One input."""

    num_inputs = 1

    def get_input(self, _place: int) -> Any:
        """Has a name."""
        return type("Input", (), {"name": "x"})


class Settings:
    """How to build."""

    def __init__(self) -> None:
        self.flags: set[BuilderFlag] = set()
        self.profiles: list[Profile] = []
        self.workspace = 0
        self.default_device_type = DeviceType.GPU
        self.DLA_core = -1

    def set_memory_pool_limit(self, _pool: MemoryPoolType, size: int) -> None:
        """In bytes."""
        self.workspace = size

    def set_flag(self, flag: BuilderFlag) -> None:
        """Allow it."""
        self.flags.add(flag)

    def add_optimization_profile(self, profile: Profile) -> int:
        """Its number."""
        self.profiles.append(profile)
        return 0


class Profile:
    """Least, best and most."""

    shape: list[int]

    def set_shape(self, _name: str, least: tuple[int, ...], best: tuple[int, ...], most: tuple[int, ...]) -> None:
        """All three the same here."""
        assert least == best == most
        self.shape = list(best)


class OnnxParser:
    """Refuses what is short."""

    num_errors = 1

    def __init__(self, _network: Network, _logger: ILogger) -> None:
        """Keeps neither."""

    def parse(self, model: bytes) -> bool:
        """Whether it was understood."""
        return b"Frobnicate" not in model

    def get_error(self, _place: int) -> str:
        """Why not."""
        return "no importer for Frobnicate"
