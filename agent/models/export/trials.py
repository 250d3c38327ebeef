"""What a module and its graph are both asked: noise, one plain tensor, and real pictures where it takes pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from agent.models.export.input_spec import InputSpec
from agent.stream.frame import BgrArray

NOISES = 3
# Beside the batch that was asked for: the least, and one that no module has by chance.
OPEN_BATCHES = (1, 3)


@dataclass(frozen=True, eq=False)
class Trial:
    """One inference.

    Attributes:
        name: for people: "noise 1", "astronaut.jpg".
        batch: size of the first axis.
        arrays: in the order of the inputs.
    """

    name: str
    batch: int
    arrays: tuple[npt.NDArray[Any], ...]


def make_trials(
    specs: Sequence[InputSpec], pictures: Mapping[str, BgrArray], rng: np.random.Generator, *, is_batch_open: bool
) -> tuple[Trial, ...]:
    """Noise of the batch asked for and, where it is open, of 1 and 3; plain tensors; each picture.

    Args:
        specs: the inputs.
        pictures: uint8 (height, width, 3) BGR, by name.
        rng: draws the noise.
        is_batch_open: vary the batch.
    """
    own = specs[0].shape[0]
    batches = [own] * NOISES + [size for size in OPEN_BATCHES if is_batch_open and size != own]
    trials = [noise_trial(f"noise {number}", specs, size, rng) for number, size in enumerate(batches, start=1)]
    trials.append(Trial("plain", own, tuple(_plain(spec) for spec in specs)))
    if any(map(_takes_pictures, specs)):
        trials += [_picture_trial(name, specs, pixels, rng) for name, pixels in pictures.items()]
    return tuple(trials)


def noise_trial(name: str, specs: Sequence[InputSpec], batch: int, rng: np.random.Generator) -> Trial:
    """Noise in inputs of this batch, whatever batch they were asked for with."""
    sized = [replace(spec, shape=(batch, *spec.shape[1:])) for spec in specs]
    return Trial(name, batch, tuple(_noise(spec, rng) for spec in sized))


def _picture_trial(name: str, specs: Sequence[InputSpec], pixels: BgrArray, rng: np.random.Generator) -> Trial:
    arrays = [_shown(spec, pixels) if _takes_pictures(spec) else _noise(spec, rng) for spec in specs]
    return Trial(name, specs[0].shape[0], tuple(arrays))


def _noise(spec: InputSpec, rng: np.random.Generator) -> npt.NDArray[Any]:
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return rng.uniform(spec.low, spec.high, spec.shape).astype(dtype)
    return rng.integers(int(spec.low), int(spec.high), spec.shape, endpoint=True).astype(dtype)


def _plain(spec: InputSpec) -> npt.NDArray[Any]:
    """The same number everywhere: what is divided by a spread, or sorted, meets its hard case."""
    middle = (spec.low + spec.high) / 2
    return np.full(spec.shape, middle).astype(spec.dtype)


def _takes_pictures(spec: InputSpec) -> bool:
    """Whether it has the shape of colour pictures, channels before rows."""
    return len(spec.shape) == 4 and spec.shape[1] == 3 and min(spec.shape[2:]) >= 16


def _shown(spec: InputSpec, pixels: BgrArray) -> npt.NDArray[Any]:
    """The picture in every row of the batch, stretched to its size and range."""
    height, width = spec.shape[2:]
    fitted = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA).transpose(2, 0, 1)[None]
    values = spec.low + fitted.astype(np.float64) / 255.0 * (spec.high - spec.low)
    return np.repeat(values, spec.shape[0], axis=0).astype(spec.dtype)
