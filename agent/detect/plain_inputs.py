"""Tensors to run a model with before anything is known of it but its inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from agent.detect.model_picture import ModelPicture
from devices.engines.engine import TensorSpec
from devices.engines.model_file import ModelFile


def plain_inputs(file: ModelFile, picture: ModelPicture, count: int = 1) -> dict[str, npt.NDArray[Any]]:
    """A plain picture and something for every other input; `count` of them where the model leaves its batch open."""
    pictures = picture.plain()
    rows = picture.batch or count
    if picture.batch is None:
        pictures = np.repeat(pictures, count, axis=0)
    tensors = {picture.spec.name: pictures}
    return tensors | {spec.name: _filling(spec, picture, rows) for spec in file.inputs if spec.name not in tensors}


def _filling(spec: TensorSpec, picture: ModelPicture, rows: int) -> npt.NDArray[Any]:
    """The picture's size, where an input takes two numbers a picture; else nought."""
    if len(spec.shape) == 2 and spec.shape[1] in {2, None}:
        return np.tile(np.array([picture.width_px, picture.height_px], spec.dtype), (rows, 1))
    axes = [rows if index == 0 and axis is None else axis or 1 for index, axis in enumerate(spec.shape)]
    return np.zeros(axes, spec.dtype)
