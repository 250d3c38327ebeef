"""The CUDA seam over pycuda: a device's primary context, never `pycuda.autoinit`."""

from __future__ import annotations

import contextlib

import numpy as np

from devices.engines.tensorrt.cuda_driver import (
    Bytes,
    CudaError,
    CudaFacts,
    CudaObject,
    DeviceMemory,
    Mark,
    PinnedMemory,
)
from devices.errors import EngineUnavailable


class PycudaDriver:
    """A device by its number. TensorRT's own CUDA calls use the primary context too.

    A context made with `make_context` would be a second one beside the run-time's, whose addresses clash.
    """

    def __init__(self, index: int) -> None:
        self._index = index
        self._cuda: CudaObject = None
        self._context: CudaObject = None

    def open(self) -> CudaFacts:
        """As `CudaDriver.open`.

        Raises:
            EngineUnavailable: pycuda cannot be imported.
            CudaError: the driver does not start, or there is no such device.
        """
        self._cuda = _import_pycuda()
        try:
            self._cuda.init()
            device = self._cuda.Device(self._index)
            context = device.retain_primary_context()
            context.push()
            self._context = context
            return self._facts(device)
        except self._cuda.Error as error:
            self.close()
            raise CudaError(f"device {self._index}: {error}") from error

    def allocate(self, size: int) -> DeviceMemory:
        """As `CudaDriver.allocate`."""
        own = self._call(self._cuda.mem_alloc, size)
        return DeviceMemory(int(own), own)

    def pin(self, size: int, *, is_mapped: bool) -> PinnedMemory:
        """As `CudaDriver.pin`."""
        flags = self._cuda.host_alloc_flags.DEVICEMAP if is_mapped else 0
        array = self._call(self._cuda.pagelocked_empty, size, np.uint8, "C", flags)
        address = int(array.base.get_device_pointer()) if is_mapped else None
        return PinnedMemory(array, address, array.base)

    def free(self, memory: DeviceMemory | PinnedMemory) -> None:
        """As `CudaDriver.free`."""
        self._call(memory.own.free)

    def stream(self) -> CudaObject:
        """As `CudaDriver.stream`."""
        return self._call(self._cuda.Stream)

    def copy_in(self, target: DeviceMemory, source: Bytes, stream: CudaObject) -> None:
        """As `CudaDriver.copy_in`."""
        self._call(self._cuda.memcpy_htod_async, target.own, source, stream)

    def copy_out(self, target: Bytes, source: DeviceMemory, stream: CudaObject) -> None:
        """As `CudaDriver.copy_out`."""
        self._call(self._cuda.memcpy_dtoh_async, target, source.own, stream)

    def mark(self, stream: CudaObject) -> Mark:
        """As `CudaDriver.mark`; waiting for it sleeps instead of spinning."""
        flags = self._cuda.event_flags.BLOCKING_SYNC | self._cuda.event_flags.DISABLE_TIMING
        event = self._call(self._cuda.Event, flags)
        self._call(event.record, stream)
        return _PycudaMark(self._cuda, event)

    def finish(self, stream: CudaObject) -> None:
        """As `CudaDriver.finish`."""
        self._call(stream.synchronize)

    def close(self) -> None:
        """As `CudaDriver.close`; a context left on the stack would abort the process at its end."""
        context, self._context = self._context, None
        if context is not None:
            with contextlib.suppress(self._cuda.Error):  # the device may be lost; the thread ends all the same
                self._cuda.Context.pop()
                context.detach()

    def _call(self, function: CudaObject, *arguments: object) -> CudaObject:
        return _translated(self._cuda, function, *arguments)

    def _facts(self, device: CudaObject) -> CudaFacts:
        cuda = self._cuda
        major, minor = device.compute_capability()
        version = cuda.get_driver_version()
        free, total = cuda.mem_get_info()
        return CudaFacts(
            name=device.name(),
            compute_capability=f"{major}.{minor}",
            is_integrated=bool(device.get_attribute(cuda.device_attribute.INTEGRATED)),
            driver=f"{version // 1000}.{version % 1000 // 10}",
            free_bytes=int(free),
            total_bytes=int(total),
        )


class _PycudaMark:
    """An event recorded in a stream."""

    def __init__(self, cuda: CudaObject, event: CudaObject) -> None:
        self._cuda = cuda
        self._event = event

    def is_done(self) -> bool:
        """As `Mark.is_done`."""
        return bool(_translated(self._cuda, self._event.query))

    def wait(self) -> None:
        """As `Mark.wait`."""
        _translated(self._cuda, self._event.synchronize)


def _translated(cuda: CudaObject, function: CudaObject, *arguments: object) -> CudaObject:
    try:
        return function(*arguments)
    except cuda.Error as error:
        raise CudaError(str(error)) from error


def _import_pycuda() -> CudaObject:
    try:
        import pycuda.driver  # noqa: PLC0415 - needs a driver, and is imported on the CUDA thread only
    except (ImportError, OSError) as error:
        raise EngineUnavailable(f"pycuda.driver cannot be imported: {error}") from error
    return pycuda.driver
