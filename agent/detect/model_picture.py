"""Which of a model's inputs takes the picture, and in what size."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.signature import told
from agent.errors import ModelError
from agent.settings.types import PictureSize
from devices.engines.engine import TensorSpec

USUAL_SIDE_PX = 640
COLOURS = 3
# A constant that is a grey to models fed 0 to 1 and a dark one to those fed 0 to 255: a plain picture to either.
GREY = 0.5


@dataclass(frozen=True)
class ModelPicture:
    """The input that takes the picture.

    Attributes:
        spec: as the model declares it.
        width_px, height_px: the size it will be given.
        is_channels_last: (batch, height, width, 3) rather than (batch, 3, height, width).
    """

    spec: TensorSpec
    width_px: int
    height_px: int
    is_channels_last: bool

    @property
    def batch(self) -> int | None:
        """Pictures in one inference, or None where the model leaves it open."""
        return self.spec.shape[0]

    def plain(self) -> npt.NDArray[Any]:
        """A plain picture as the model itself takes it, as many as its batch asks for."""
        batch, size = self.batch or 1, (self.height_px, self.width_px)
        shape = (batch, *size, COLOURS) if self.is_channels_last else (batch, COLOURS, *size)
        return np.full(shape, GREY, self.spec.dtype)


def find_picture(
    inputs: Sequence[TensorSpec], metadata: Mapping[str, str], written: PictureSize | None
) -> ModelPicture:
    """The one input of four axes, three of them a colour picture's.

    The size is the model's own; where it leaves it open, the site file's, else what the exporter noted as `imgsz`,
    else 640 x 640.

    Raises:
        ModelError: there is no such input, or more than one, or the site file says another size than the model.
    """
    pictures = [spec for spec in inputs if _is_picture(spec)]
    if len(pictures) != 1:
        seen = "; ".join(told(spec) for spec in inputs) or "no input"
        raise ModelError(f"expected one input (batch, 3, height, width) that takes a picture; found {seen}")
    spec = pictures[0]
    is_channels_last = spec.shape[1] != COLOURS and spec.shape[3] == COLOURS
    height, width = spec.shape[1:3] if is_channels_last else spec.shape[2:4]
    noted = _noted_size(metadata)
    if written is not None and not (width in {None, written.width_px} and height in {None, written.height_px}):
        own = f"{width or 'any'}x{height or 'any'}"
        raise ModelError(f"model.input_size: the model takes {own} pictures, the site file says {written}")
    if written is not None:
        noted = (written.width_px, written.height_px)
    return ModelPicture(spec, width or noted[0], height or noted[1], is_channels_last)


def _is_picture(spec: TensorSpec) -> bool:
    return len(spec.shape) == 4 and (spec.shape[1] in {COLOURS, None} or spec.shape[3] == COLOURS)


def _noted_size(metadata: Mapping[str, str]) -> tuple[int, int]:
    """Width and height of `imgsz`, written as [height, width] or one number; else the usual size."""
    numbers = re.findall(r"[0-9]+", metadata.get("imgsz", ""))
    sides = [int(side) for side in numbers if len(side) <= 4 and 0 < int(side) <= 8192]
    if len(sides) not in {1, 2}:
        return (USUAL_SIDE_PX, USUAL_SIDE_PX)
    return (sides[-1], sides[0])
