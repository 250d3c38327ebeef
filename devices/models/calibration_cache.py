"""The cache of TensorRT's entropy calibrator, written from ranges that were found without TensorRT.

For what takes no Q/DQ model: the DLA of a Jetson with TensorRT up to 10. The format is a line that names the version
and the calibrator, then a line a tensor: its name, and the bits of its float32 scale (range / 127) in hexadecimal, as
ONNX Runtime's TensorRT provider and NVIDIA's TAO toolkit read and write it. Another version than the one named makes
TensorRT calibrate anew.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping

from devices.models.calibration_histogram import Range

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:\.\d+)?")
_FIRST_OF_FIVE = 10
_WITHOUT = 11


def cache_text(version: str, ranges: Mapping[str, Range]) -> str:
    """The cache for TensorRT of this version, such as 8.5.2 or 10.3.0.

    Raises:
        ValueError: no such version, or one without calibrators.
    """
    lines = [f"TRT-{version_number(version)}-EntropyCalibration2"]
    lines += [f"{name}: {_bits(each.limit / 127.0)}" for name, each in ranges.items() if each.limit > 0.0]
    return "\n".join(lines) + "\n"


def version_number(version: str) -> int:
    """As the library counts: 8.5.2 is 8502, 10.3.0 is 100300.

    Raises:
        ValueError: no such version, or one without calibrators.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"found {version!r}; a version of TensorRT is written 8.5.2 or 10.3.0")
    major, minor, patch = (int(part) for part in found.groups())
    if major >= _WITHOUT:
        raise ValueError(f"TensorRT {major} has no calibrators; it takes the quantised model itself")
    if major >= _FIRST_OF_FIVE:
        return major * 10_000 + minor * 100 + patch
    return major * 1000 + minor * 100 + patch


def _bits(scale: float) -> str:
    return str(struct.pack(">f", scale).hex())
