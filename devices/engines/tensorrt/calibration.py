"""The calibration set of an int8 build, and the calibrator that feeds it to a TensorRT of before 11.

A set is one `.npy` file, or a folder of them, of pictures as the engine takes them: uint8 (N, height, width, 3) BGR.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.tensorrt.cuda_driver import CudaDriver, CudaError, CudaObject, DeviceMemory, PinnedMemory
from devices.engines.tensorrt.logger import TrtObject
from devices.errors import EngineLoadError

Pictures = npt.NDArray[np.uint8]


def calibration_digest(path: Path) -> str:
    """SHA-256 of the set's files, in their order.

    Raises:
        EngineLoadError: there is no such set.
    """
    digest = hashlib.sha256()
    for file in _files(path):
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_pictures(path: Path, shape: tuple[int | None, ...]) -> Iterator[Pictures]:
    """The set's pictures in batches of `shape`'s first axis, or one by one where it is open; the odd rest is left out.

    Raises:
        EngineLoadError: a file is no such array, or there are fewer than one batch.
    """
    batch = shape[0] or 1
    told = 0
    for file in _files(path):
        pictures = _pictures(file, shape)
        for start in range(0, len(pictures) - batch + 1, batch):
            told += 1
            yield np.ascontiguousarray(pictures[start : start + batch])
    if not told:
        raise EngineLoadError(f"{path}: fewer than the {batch} pictures of one batch; a few hundred are usual")


class CalibrationFeed:
    """Batches of one size, one after the other, in the same memory of the device; on the CUDA thread."""

    def __init__(self, batches: Iterator[npt.NDArray[Any]], driver: CudaDriver) -> None:
        self._batches = batches
        self._driver = driver
        self._first: npt.NDArray[Any] | None = next(batches)
        self.batch = len(self._first)
        size = self._first.nbytes
        self._stream: CudaObject = driver.stream()
        self._memory: DeviceMemory | None = driver.allocate(size)
        self._pinned: PinnedMemory | None = driver.pin(size, is_mapped=False)

    def next(self) -> int | None:
        """The address of the next batch, or None where there is no more, or CUDA refuses."""
        found = self._first if self._first is not None else next(self._batches, None)
        self._first = None
        if found is None or self._memory is None or self._pinned is None:
            return None
        self._pinned.array[:] = found.reshape(-1).view(np.uint8)
        try:
            self._driver.copy_in(self._memory, self._pinned.array, self._stream)
            self._driver.finish(self._stream)
        except CudaError:
            return None  # TensorRT then ends the calibration, and the build, with an error of its own
        return self._memory.address

    def close(self) -> None:
        """Free the memory; the calibrator's class keeps this object alive for longer than the CUDA context."""
        for memory in (self._memory, self._pinned):
            if memory is not None:
                self._driver.free(memory)
        self._memory = self._pinned = self._stream = None


def make_calibrator(trt: ModuleType, feed: CalibrationFeed, cache: Path) -> TrtObject:
    """TensorRT's entropy calibrator over `feed`; ranges found are kept in `cache`."""

    class Calibrator(trt.IInt8EntropyCalibrator2):  # type: ignore[misc,name-defined]  # known at run time only
        def __init__(self) -> None:
            trt.IInt8EntropyCalibrator2.__init__(self)  # pybind11 does not accept super() here

        def get_batch_size(self) -> int:
            return feed.batch

        def get_batch(self, _names: list[str]) -> list[int] | None:
            address = feed.next()
            return None if address is None else [address]

        def read_calibration_cache(self) -> bytes | None:
            return cache.read_bytes() if cache.is_file() else None

        def write_calibration_cache(self, content: TrtObject) -> None:
            cache.write_bytes(bytes(content))

    return Calibrator()


def _files(path: Path) -> tuple[Path, ...]:
    files = tuple(sorted(path.glob("*.npy"))) if path.is_dir() else (path,)
    if not files or not all(file.is_file() for file in files):
        raise EngineLoadError(f"{path}: no calibration set: it is a .npy file of pictures, or a folder of such files")
    return files


def _pictures(file: Path, shape: tuple[int | None, ...]) -> Pictures:
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EngineLoadError(f"{file}: no .npy array: {error}") from error
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1:] != shape[1:]:
        wanted = "x".join(str(axis) for axis in shape[1:])
        raise EngineLoadError(
            f"{file}: calibration pictures are uint8 (N, {wanted.replace('x', ', ')}), these are {found.dtype} "
            f"{found.shape}"
        )
    return np.asarray(found)
