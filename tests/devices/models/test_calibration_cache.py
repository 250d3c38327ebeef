"""The cache of TensorRT's entropy calibrator."""

from __future__ import annotations

import struct

import pytest

from devices.models.calibration_cache import cache_text, version_number
from devices.models.calibration_histogram import Range


def test_a_scale_is_written_by_its_bits() -> None:
    """A line for the version, one a tensor; what is always 0 has no scale and no line."""
    ranges = {"images": Range(0.0, 255.0), "683": Range(-12.7, 3.0), "dead": Range(0.0, 0.0)}

    head, first, second = cache_text("8.5.2", ranges).splitlines()
    assert head == "TRT-8502-EntropyCalibration2"
    assert first == f"images: {struct.pack('>f', 255.0 / 127.0).hex()}"
    assert struct.unpack(">f", bytes.fromhex(second.split(": ")[1]))[0] == pytest.approx(0.1)


@pytest.mark.parametrize(("version", "number"), [("8.4.1", 8401), ("8.6.1.6", 8601), ("10.14.1", 101401)])
def test_versions_are_numbered_as_the_library_does(version: str, number: int) -> None:
    """Two digits each for what follows the first, four places on from 10."""
    assert version_number(version) == number


@pytest.mark.parametrize(("version", "said"), [("8", "is written 8.5.2"), ("11.4.0", "has no calibrators")])
def test_other_versions_are_refused(version: str, said: str) -> None:
    """What is no version, and those that calibrate no more."""
    with pytest.raises(ValueError, match=said):
        version_number(version)
