"""One session's own way through an engine: execution context, stream and memory, made and used on the CUDA thread.

Two sessions are two such sets, so the copies of one overlap the computing of the other. Where the device shares the
processor's memory (Jetson), the page-locked memory itself is what the device reads and writes: nothing is copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy.typing as npt

from devices.engines.tensorrt.cuda_driver import CudaDriver, CudaError, DeviceMemory, Mark, PinnedMemory
from devices.engines.tensorrt.logger import LogLines, TrtObject
from devices.engines.tensorrt.places import Shape, TensorPlace


class BufferSet:
    """Everything one inference at a time needs. All methods run on the CUDA thread, except `host`."""

    def __init__(
        self, engine: TrtObject, driver: CudaDriver, lines: LogLines, places: Sequence[TensorPlace], profile: int = 0
    ) -> None:
        self.profile = profile
        self._engine = engine
        self._driver = driver
        self._lines = lines
        self._places = tuple(places)
        self._context: TrtObject = None
        self._stream: TrtObject = None
        self._pinned: dict[str, PinnedMemory] = {}
        self._device: dict[str, DeviceMemory] = {}
        self._fed: dict[str, Shape] = {}

    def open(self, *, is_mapped: bool) -> None:
        """Make context, stream and memory.

        Raises:
            CudaError: there is too little memory, or TensorRT refuses; nothing is left behind.
        """
        try:
            self._stream = self._driver.stream()
            self._open_context()
            for place in self._places:
                self._open_place(place, is_mapped=is_mapped)
        except BaseException:
            self.close()
            raise

    def host(self, place: TensorPlace, shape: Shape) -> npt.NDArray[Any]:
        """The page-locked memory of a tensor as an array of this shape; the thread whose inference it is may use it."""
        return self._pinned[place.name].array[: _size(place, shape)].view(place.dtype).reshape(shape)

    def enqueue(self, shapes: Mapping[str, Shape], shapes_out: dict[str, Shape]) -> Mark:
        """Queue copies and computing; `shapes_out` gets the outputs' shapes.

        Raises:
            CudaError: TensorRT or CUDA refuses; the message has TensorRT's own errors.
        """
        self._feed(shapes)
        for place in self._places:
            if place.is_input and place.name in self._device:
                memory = self._pinned[place.name].array[: _size(place, shapes[place.name])]
                self._driver.copy_in(self._device[place.name], memory, self._stream)
        if not self._context.execute_async_v3(self._stream.handle):
            raise CudaError(self._lines.why())
        for place in self._places:
            if not place.is_input:
                shapes_out[place.name] = tuple(self._context.get_tensor_shape(place.name))
                self._fetch(place, shapes_out[place.name])
        return self._driver.mark(self._stream)

    def close(self) -> None:
        """Wait for what is queued, then free everything; may be called twice and after a half-done `open`."""
        if self._stream is not None:
            _quietly(self._driver.finish, self._stream)
        self._context = None  # before the memory it points into
        for memory in (*self._device.values(), *self._pinned.values()):
            _quietly(self._driver.free, memory)
        self._device.clear()
        self._pinned.clear()
        self._stream = None
        self._engine = None

    def _open_context(self) -> None:
        self._context = self._engine.create_execution_context()
        if self._context is None:
            raise CudaError(f"no execution context: {self._lines.why()}")
        if self.profile and not self._context.set_optimization_profile_async(self.profile, self._stream.handle):
            raise CudaError(f"profile {self.profile} is refused: {self._lines.why()}")
        self._driver.finish(self._stream)

    def _open_place(self, place: TensorPlace, *, is_mapped: bool) -> None:
        pinned = self._pinned[place.name] = self._driver.pin(place.size, is_mapped=is_mapped)
        address = pinned.address
        if address is None:
            self._device[place.name] = memory = self._driver.allocate(place.size)
            address = memory.address
        if not self._context.set_tensor_address(place.name, address):
            raise CudaError(f"{place.name} takes no memory: {self._lines.why()}")

    def _feed(self, shapes: Mapping[str, Shape]) -> None:
        """Shapes are told when they change: TensorRT works some things out anew each time."""
        if shapes == self._fed:
            return
        self._fed = {}
        for name, shape in shapes.items():
            if not self._context.set_input_shape(name, shape):
                raise CudaError(f"{name} does not take the shape {shape}: {self._lines.why()}")
        self._fed = dict(shapes)

    def _fetch(self, place: TensorPlace, shape: Shape) -> None:
        if place.name in self._device:
            memory = self._pinned[place.name].array[: _size(place, shape)]
            self._driver.copy_out(memory, self._device[place.name], self._stream)


def _size(place: TensorPlace, shape: Shape) -> int:
    return place.dtype.itemsize * math.prod(shape)


def _quietly(function: Callable[[Any], None], argument: object) -> None:
    """What cannot be freed any more, because the device is lost, must not stop the rest from being freed."""
    try:
        function(argument)
    except CudaError:
        return
