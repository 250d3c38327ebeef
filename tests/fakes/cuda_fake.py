"""pycuda's driver interface over the processor's own memory: it refuses, and remembers, every use on a wrong thread.

Names and signatures are pycuda 2026.1's; device addresses are real addresses, so a fake TensorRT can compute with them.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np


class Error(Exception):
    """As pycuda's: the parent of all."""


@dataclass
class World:
    """What happened.

    Attributes:
        contexts: threads with the context current, and how often it was pushed.
        live: objects made and not freed.
        violations: uses and frees on a wrong thread.
        copies: how many copies were queued.
        fail: the call that fails next: "alloc", "pin", "event", "open".
        is_integrated: whether the device shares the processor's memory.
    """

    contexts: dict[int, int] = field(default_factory=dict)
    live: dict[int, str] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    copies: int = 0
    fail: str = ""
    is_integrated: bool = False
    retained: int = 0

    def check(self, what: str, owner: int | None = None) -> None:
        """The context is current on this thread, and the object is this thread's."""
        here = threading.get_ident()
        if not self.contexts.get(here) or owner not in (None, here):
            self.violations.append(f"{what} on {threading.current_thread().name}")
            raise Error(f"{what}: invalid device context")

    def born(self, thing: object) -> int:
        """A thing lives; whose thread's it is."""
        self.live[id(thing)] = type(thing).__name__
        return threading.get_ident()

    def dead(self, thing: object, owner: int) -> None:
        """A thing is freed."""
        name = self.live.pop(id(thing), None)
        if name is not None and (owner != threading.get_ident() or not self.contexts.get(owner)):
            self.violations.append(f"{name} freed on {threading.current_thread().name}")


class Owned:
    """Something of one thread's, freed by `free` or when dropped."""

    def __init__(self, world: World) -> None:
        world.check(type(self).__name__)
        self._world = world
        self._owner = world.born(self)

    def free(self) -> None:
        self._world.check(f"{type(self).__name__}.free", self._owner)
        self._world.dead(self, self._owner)

    def __del__(self) -> None:
        if hasattr(self, "_owner"):
            self._world.dead(self, self._owner)


class DeviceAllocation(Owned):
    def __init__(self, world: World, size: int) -> None:
        if world.fail == "alloc":
            raise Error("cuMemAlloc failed: out of memory")
        Owned.__init__(self, world)
        self.content = np.full(size, 0xCD, np.uint8)

    def __int__(self) -> int:
        return int(self.content.ctypes.data)


class PinnedArray(Owned):
    """What `array.base` of page-locked memory is."""

    def __init__(self, world: World, size: int, flags: int) -> None:
        if world.fail == "pin":
            raise Error("cuMemHostAlloc failed: out of memory")
        Owned.__init__(self, world)
        self.content = np.full(size, 0xAB, np.uint8)
        self._flags = flags

    @property
    def __array_interface__(self) -> dict[str, Any]:
        """An array of it has this object as its `base`, as pycuda's have."""
        return self.content.__array_interface__

    def get_device_pointer(self) -> int:
        assert self._flags, "not mapped"
        return int(self.content.ctypes.data)


class Stream(Owned):
    def __init__(self, world: World) -> None:
        Owned.__init__(self, world)
        self.handle = id(self)

    def synchronize(self) -> None:
        self._world.check("Stream.synchronize", self._owner)


class Event(Owned):
    """Reached at the second look."""

    def __init__(self, world: World, _flags: int) -> None:
        Owned.__init__(self, world)
        self._looks = 0

    def record(self, stream: Stream) -> None:
        self._world.check("Event.record", self._owner)
        assert isinstance(stream, Stream)

    def query(self) -> bool:
        self._world.check("Event.query", self._owner)
        self._fail()
        self._looks += 1
        return self._looks > 1

    def synchronize(self) -> None:
        self._world.check("Event.synchronize", self._owner)
        self._fail()

    def _fail(self) -> None:
        if self._world.fail == "event":
            raise Error("cuEventQuery failed: an illegal memory access was encountered")


class Context:
    """The primary context; `pop` is pycuda's static method."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.retained += 1

    def push(self) -> None:
        here = threading.get_ident()
        self._world.contexts[here] = self._world.contexts.get(here, 0) + 1

    def detach(self) -> None:
        self._world.retained -= 1


class Device:
    def __init__(self, world: World, index: int) -> None:
        if index > 1 or world.fail == "open":
            raise Error("cuDeviceGet failed: invalid device ordinal")
        self._world = world

    def name(self) -> str:
        return "Fake GPU"

    def compute_capability(self) -> tuple[int, int]:
        return 8, 7

    def get_attribute(self, attribute: str) -> int:
        assert attribute == "INTEGRATED"
        return int(self._world.is_integrated)

    def retain_primary_context(self) -> Context:
        return Context(self._world)


def make_pycuda(world: World | None = None) -> ModuleType:
    """A module as `pycuda.driver`; its `world` tells what happened."""
    told = world or World()
    module = ModuleType("pycuda.driver")
    module.__dict__.update(
        world=told,
        Error=Error,
        init=lambda: None,
        get_driver_version=lambda: 12060,
        mem_get_info=lambda: (4 << 30, 8 << 30),
        Device=lambda index: Device(told, index),
        Context=SimpleNamespace(pop=lambda: _pop(told)),
        Stream=lambda: Stream(told),
        Event=lambda flags: Event(told, flags),
        mem_alloc=lambda size: DeviceAllocation(told, size),
        pagelocked_empty=lambda size, _dtype, _order, mem_flags: np.asarray(PinnedArray(told, size, mem_flags)),
        memcpy_htod_async=lambda target, source, stream: _copy(told, target.content, source, stream),
        memcpy_dtoh_async=lambda target, source, stream: _copy(told, target, source.content, stream),
        device_attribute=SimpleNamespace(INTEGRATED="INTEGRATED"),
        host_alloc_flags=SimpleNamespace(DEVICEMAP=2),
        event_flags=SimpleNamespace(BLOCKING_SYNC=1, DISABLE_TIMING=2),
    )
    return module


def _pop(world: World) -> None:
    world.check("Context.pop")
    world.contexts[threading.get_ident()] -= 1


def _copy(world: World, target: Any, source: Any, stream: Stream) -> None:
    world.check("copy", stream._owner)
    size = min(len(target), len(source))
    target[:size] = source[:size]
    world.copies += 1
