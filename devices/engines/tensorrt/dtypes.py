"""TensorRT's element types as NumPy's.

An own table: `tensorrt.nptype` of 8.5 names `numpy.bool`, which NumPy dropped, and raises for the newest types.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from devices.engines.tensorrt.logger import TrtObject
from devices.errors import EngineLoadError

_NUMPY: dict[str, type[np.generic]] = {
    "FLOAT": np.float32,
    "HALF": np.float16,
    "INT8": np.int8,
    "INT32": np.int32,
    "INT64": np.int64,
    "BOOL": np.bool_,
    "UINT8": np.uint8,
}


def numpy_dtype(name: str, kind: TrtObject) -> np.dtype[Any]:
    """The dtype of a tensor called `name`.

    Raises:
        EngineLoadError: NumPy has no such type (BF16, FP8, INT4).
    """
    found = _NUMPY.get(kind.name)
    if found is None:
        raise EngineLoadError(f"tensorrt: {name} is {kind.name}, which cannot be fed or read; {', '.join(_NUMPY)} can")
    return np.dtype(found)
