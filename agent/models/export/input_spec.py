"""One input of a module as a person writes it: name, shape, type, and between which numbers its values lie."""

from __future__ import annotations

import re
from dataclasses import dataclass

TYPES = ("float32", "float16", "float64", "int64", "int32", "uint8", "bool")
USUAL_RANGES = {"uint8": (0.0, 255.0), "int64": (1.0, 8.0), "int32": (1.0, 8.0)}
EXAMPLES = "1x3x416x416, images:1x3x416x416 or images:1x3x416x416:float32:0..255"
_MOST_AXES, _LARGEST = 8, 2**31
_SHAPE = re.compile(r"\d+(x\d+)*")
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class InputSpec:
    """What a module is fed.

    Attributes:
        name: in the graph; or "" for the module's own.
        shape: of one inference, the batch first.
        dtype: NumPy's name, one of `TYPES`.
        low, high: values in trials lie between these.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    low: float = 0.0
    high: float = 1.0


def parse_input(text: str) -> InputSpec:
    """What `[NAME:]SHAPE[:TYPE[:LOW..HIGH]]` says.

    Raises:
        ValueError: with a sentence.
    """
    parts = text.split(":")
    name = "" if _SHAPE.fullmatch(parts[0]) else parts.pop(0)
    if not parts or len(parts) > 3 or not _SHAPE.fullmatch(parts[0]):
        raise ValueError(f"found {text!r}; allowed is [NAME:]SHAPE[:TYPE[:LOW..HIGH]], as in {EXAMPLES}")
    shape = tuple(map(int, parts[0].split("x")))
    if 0 in shape or len(shape) > _MOST_AXES or max(shape) >= _LARGEST:
        raise ValueError(f"found shape {parts[0]} in {text!r}; allowed are up to {_MOST_AXES} sizes from 1")
    dtype = parts[1] if len(parts) > 1 else "float32"
    if dtype not in TYPES:
        raise ValueError(f"found type {dtype!r} in {text!r}; allowed are {', '.join(TYPES)}")
    low, high = _range(parts[2], text) if len(parts) > 2 else USUAL_RANGES.get(dtype, (0.0, 1.0))
    return InputSpec(name, shape, dtype, low, high)


def _range(written: str, text: str) -> tuple[float, float]:
    found = _RANGE.fullmatch(written)
    if not found or float(found[1]) > float(found[2]):
        raise ValueError(f"found range {written!r} in {text!r}; allowed is LOW..HIGH, as in 0..255")
    return float(found[1]), float(found[2])
