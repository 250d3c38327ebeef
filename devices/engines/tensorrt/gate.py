"""Asks the CUDA driver before TensorRT is imported: without a working driver TensorRT may crash the interpreter."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

from devices.errors import EngineUnavailable

LIBRARY = "libcuda.so.1"


def check_driver(open_library: Callable[[str], ctypes.CDLL] = ctypes.CDLL) -> int:
    """How many CUDA devices the driver lists: at least one.

    Raises:
        EngineUnavailable: there is no driver, it does not start, or it lists no device.
    """
    try:
        driver = open_library(LIBRARY)
    except OSError as error:
        raise EngineUnavailable(f"tensorrt needs NVIDIA's driver: {LIBRARY} cannot be loaded ({error})") from error
    if (code := driver.cuInit(0)) != 0:
        raise EngineUnavailable(f"tensorrt needs NVIDIA's driver: it is there and does not start (cuInit: {code})")
    count = ctypes.c_int()
    if (code := driver.cuDeviceGetCount(ctypes.byref(count))) != 0 or count.value < 1:
        raise EngineUnavailable(f"tensorrt: the driver lists no CUDA device (cuDeviceGetCount: {code})")
    return count.value
