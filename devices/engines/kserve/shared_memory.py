"""Inputs through the memory of this machine, for a server on it: a picture is not copied through a socket."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.engine import Tensors
from devices.engines.kserve.connection import Connection, Sent, ServerFacts, ServerFailure, SharedTensor

_TRIAL_BYTES = 64


@dataclass(eq=False)
class _Lane:
    """Regions that one inference at a time writes, by input."""

    regions: dict[str, SharedMemory] = field(default_factory=dict)


class SharedMemoryConnection:
    """A connection whose inputs lie in shared memory. Any thread may call.

    What was registered is gone when the server starts anew: an inference that fails goes once over the wire, and its
    memory is made anew with the next.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._free: list[_Lane] = []

    def can_share(self) -> str:
        """Try it: "" where the server sees this machine's memory, else why not."""
        region = None
        try:
            region = SharedMemory(create=True, size=_TRIAL_BYTES)
            self._connection.share(_name(region), f"/{region.name}", _TRIAL_BYTES)
            self._connection.unshare(_name(region))
        except (ServerFailure, OSError) as error:
            return str(error)
        finally:
            if region is not None:
                _unlink(region)
        return ""

    def facts(self) -> ServerFacts:
        """What the server says."""
        return self._connection.facts()

    def is_ready(self) -> bool:
        """Whether server and model can be used now."""
        return self._connection.is_ready()

    def infer(self, tensors: Sent, outputs: Sequence[str]) -> Tensors:
        """Run once."""
        with self._lock:
            lane = self._free.pop() if self._free else _Lane()
        try:
            answer = self._connection.infer(self._shared(lane, tensors), outputs)
        except (ServerFailure, OSError):
            self._forget(lane)
            return self._connection.infer(tensors, outputs)
        with self._lock:
            self._free.append(lane)
        return answer

    def share(self, region: str, key: str, byte_size: int) -> None:
        """Let the server map shared memory."""
        self._connection.share(region, key, byte_size)

    def unshare(self, region: str) -> None:
        """Let it go."""
        self._connection.unshare(region)

    def close(self) -> None:
        """Let go of the memory and the connection."""
        with self._lock:
            lanes, self._free = self._free, []
        for lane in lanes:
            self._forget(lane)
        self._connection.close()

    def _shared(self, lane: _Lane, tensors: Sent) -> Sent:
        return {
            name: tensor if isinstance(tensor, SharedTensor) else self._written(lane, name, tensor)
            for name, tensor in tensors.items()
        }

    def _written(self, lane: _Lane, name: str, array: npt.NDArray[Any]) -> SharedTensor:
        region = lane.regions.get(name)
        if region is None or region.size < array.nbytes:
            if region is not None:
                self._drop(lane.regions.pop(name))
            region = SharedMemory(create=True, size=max(array.nbytes, 1))
            lane.regions[name] = region
            self._connection.share(_name(region), f"/{region.name}", region.size)
        view: npt.NDArray[Any] = np.ndarray(array.shape, array.dtype, buffer=region.buf)
        view[...] = array
        del view  # the region cannot be closed while an array looks into it
        return SharedTensor(_name(region), array.nbytes, array.dtype.name, array.shape)

    def _forget(self, lane: _Lane) -> None:
        for region in lane.regions.values():
            self._drop(region)
        lane.regions.clear()

    def _drop(self, region: SharedMemory) -> None:
        self._connection.unshare(_name(region))
        _unlink(region)


def _name(region: SharedMemory) -> str:
    return f"sitewatch_{region.name}"


def _unlink(region: SharedMemory) -> None:
    region.close()
    region.unlink()
