"""The few names of pycuda's driver that the worker uses, with its rule: all on the thread that has the context."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

OWNER: list[int] = []
MEMORY: dict[int, np.ndarray] = {}


def _on_owner() -> None:
    if OWNER[-1:] != [threading.get_ident()]:
        raise RuntimeError("no context on this thread")


def init() -> None:
    """As the driver's."""


class Device:
    """A card."""

    def __init__(self, index: int) -> None:
        self.index = index

    def name(self) -> str:
        """As the vendor calls it."""
        return f"card {self.index}"

    def compute_capability(self) -> tuple[int, int]:
        """Major and minor."""
        return (7, 2)

    def retain_primary_context(self) -> Context:
        """The one context the run-time shares."""
        return Context()


class Context:
    """Belongs to the thread that pushed it."""

    def push(self) -> None:
        """Make it this thread's."""
        OWNER.append(threading.get_ident())

    @staticmethod
    def pop() -> None:
        """Take it off."""
        _on_owner()
        OWNER.pop()


class Stream:
    """Work in order."""

    handle = 7

    def synchronize(self) -> None:
        """Wait for all of it."""
        _on_owner()


class DeviceAllocation:
    """Memory of the card."""

    def __init__(self, size: int) -> None:
        self.address = 1000 + len(MEMORY)
        MEMORY[self.address] = np.zeros(size, np.uint8)

    def __int__(self) -> int:
        return self.address


def mem_alloc(size: int) -> DeviceAllocation:
    """Memory of the card."""
    _on_owner()
    return DeviceAllocation(size)


def pagelocked_empty(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Memory of the host."""
    _on_owner()
    return np.empty(shape, dtype)


def memcpy_htod_async(to: DeviceAllocation, array: np.ndarray, _stream: Stream) -> None:
    """Host to card."""
    _on_owner()
    MEMORY[int(to)][: array.nbytes] = np.frombuffer(array.tobytes(), np.uint8)


def memcpy_dtoh_async(array: Any, place: DeviceAllocation, _stream: Stream) -> None:
    """Card to host."""
    _on_owner()
    array[...] = MEMORY[int(place)][: array.nbytes].view(array.dtype).reshape(array.shape)
