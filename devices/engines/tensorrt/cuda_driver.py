"""The few CUDA driver calls the engine needs, as a seam; `pycuda_driver` is behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

CudaObject: TypeAlias = Any
"""pycuda's own object; its type exists only where pycuda is installed."""

Bytes: TypeAlias = npt.NDArray[np.uint8]


class CudaError(Exception):
    """A CUDA call failed; the message is CUDA's."""


@dataclass(frozen=True)
class CudaFacts:
    """One CUDA device.

    Attributes:
        name: as the driver has it.
        compute_capability: ("8", "7") as "8.7".
        is_integrated: whether it shares the processor's memory (Jetson), so that copies are needless.
        driver: version of CUDA the driver speaks, "12.6".
        free_bytes, total_bytes: its memory now.
    """

    name: str
    compute_capability: str
    is_integrated: bool
    driver: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, eq=False)
class DeviceMemory:
    """Memory that kernels use: `address` for TensorRT, `own` the library's object."""

    address: int
    own: CudaObject = field(repr=False)


@dataclass(frozen=True, eq=False)
class PinnedMemory:
    """Page-locked memory of the processor: `array` of bytes, and the device's `address` of it where it is mapped."""

    array: Bytes
    address: int | None
    own: CudaObject = field(repr=False)


class Mark(Protocol):
    """A place in a stream's work. Used on the CUDA thread only."""

    def is_done(self) -> bool:
        """Whether everything before it has run; raises `CudaError` where it failed."""

    def wait(self) -> None:
        """Until everything before it has run; raises `CudaError` where it failed."""


class CudaDriver(Protocol):
    """One device. Everything is called on the thread that called `open`; everything may raise `CudaError`."""

    def open(self) -> CudaFacts:
        """Start CUDA and make the device's primary context current on this thread."""

    def allocate(self, size: int) -> DeviceMemory:
        """Memory on the device, in bytes."""

    def pin(self, size: int, *, is_mapped: bool) -> PinnedMemory:
        """Page-locked memory; mapped into the device's address space where asked."""

    def free(self, memory: DeviceMemory | PinnedMemory) -> None:
        """Give memory back at once."""

    def stream(self) -> CudaObject:
        """A queue of work of its own; its `handle` is for TensorRT."""

    def copy_in(self, target: DeviceMemory, source: Bytes, stream: CudaObject) -> None:
        """Queue a copy of page-locked bytes to the device."""

    def copy_out(self, target: Bytes, source: DeviceMemory, stream: CudaObject) -> None:
        """Queue a copy from the device into page-locked bytes."""

    def mark(self, stream: CudaObject) -> Mark:
        """A mark behind everything queued so far."""

    def finish(self, stream: CudaObject) -> None:
        """Wait until a stream has nothing left to do."""

    def close(self) -> None:
        """Take the context off this thread and let go of it; after everything else was freed."""
