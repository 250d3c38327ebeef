"""Pictures into the model's own image tensor on the processor, for run-times whose graph does not take uint8.

MYRIAD's operators know float16 only, TensorRT 8.5 wants uint8 cast before anything else is done to it, a server may
hold the model as it was exported.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from devices.engines.image_input import ImageTensor

Feed = Callable[[Mapping[str, npt.NDArray[Any]]], Mapping[str, npt.NDArray[Any]]]


def picture_feed(tensor: ImageTensor) -> Feed:
    """What turns a session's tensors into the model's: (x - mean) * scale per channel, as `ImageInput` has it."""

    def feed(tensors: Mapping[str, npt.NDArray[Any]]) -> Mapping[str, npt.NDArray[Any]]:
        return {**tensors, tensor.spec.name: model_pictures(tensor, tensors[tensor.spec.name])}

    return feed


def model_pictures(tensor: ImageTensor, pictures: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """The model's image tensor, new and contiguous, of uint8 (N, height, width, 3) BGR pictures."""
    count, height, width, _ = pictures.shape
    shape = (count, 3, height, width) if tensor.layout == "NCHW" else (count, height, width, 3)
    target = np.empty(shape, tensor.spec.dtype)
    write_pictures(tensor, pictures, target)
    return target


def write_pictures(tensor: ImageTensor, pictures: npt.NDArray[np.uint8], target: npt.NDArray[Any]) -> None:
    """Write (x - mean) * scale in the model's order, layout and dtype; into memory a device reads, for one.

    Args:
        tensor: the model's image input.
        pictures: uint8 (N, height, width, 3) BGR.
        target: of the model's dtype and layout, for as many pictures; written in place.
    """
    for channel in range(3):
        source = pictures[..., 2 - channel if tensor.image.order == "rgb" else channel]
        place = target[:, channel] if tensor.layout == "NCHW" else target[..., channel]
        if tensor.is_scaled:
            mean, scale = np.float32(tensor.image.mean[channel]), np.float32(tensor.image.scale[channel])
            np.copyto(place, (source.astype(np.float32) - mean) * scale, casting="same_kind")
        else:
            place[...] = source
