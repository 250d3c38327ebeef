"""Pictures as `.npy` files, the one form that every machine reads to the same bytes; read without believing them."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from agent.models.bundle.fault import FaultError

Pictures = npt.NDArray[np.uint8]
LARGEST_SIDE_PX = 8192
LONGEST_HEADER = 4096
_MAGIC = npy.magic(1, 0)
_HEADER_AT = len(_MAGIC) + 2
# NumPy's own reader evaluates this text; there is no need to.
_HEADER = re.compile(rb"\{'descr': '\|u1', 'fortran_order': False, 'shape': \((\d{1,9}(?:, \d{1,9}){1,4})\), \} *\n")


def write_array(pixels: Pictures) -> bytes:
    """The array as a `.npy` file of version 1.0."""
    with io.BytesIO() as file:
        npy.write_array(file, np.ascontiguousarray(pixels), version=(1, 0), allow_pickle=False)
        return file.getvalue()


def read_array(content: bytes, what: str, axes: int) -> Pictures:
    """uint8 BGR pictures: (height, width, 3), or (N, height, width, 3) where there are four axes.

    Args:
        content: of the file.
        what: its name, for errors.
        axes: 3 or 4.

    Raises:
        FaultError: it is no such array, or has not the bytes that it claims.
    """
    start = _HEADER_AT + int.from_bytes(content[_HEADER_AT - 2 : _HEADER_AT], "little")
    header = _HEADER.fullmatch(content[_HEADER_AT:start]) if start <= LONGEST_HEADER else None
    if not content.startswith(_MAGIC) or header is None:
        raise FaultError(f"{what} is no NumPy file of uint8, in the order of rows, as `numpy.save` writes them")
    shape = tuple(int(side) for side in header[1].split(b","))
    is_picture = len(shape) == axes and shape[-1] == 3 and all(0 < side <= LARGEST_SIDE_PX for side in shape)
    if not is_picture or math.prod(shape) != len(content) - start:
        raise FaultError(f"{what} is no array of BGR pictures: its shape is {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
