"""The input that takes the picture is found, and its size."""

from __future__ import annotations

import numpy as np
import pytest

from agent.detect.model_picture import find_picture
from agent.errors import ModelError
from agent.settings.types import PictureSize
from devices.engines.engine import TensorSpec


def image(*shape: int | None, dtype: str = "float32") -> TensorSpec:
    """An input of this shape."""
    return TensorSpec("images", dtype, shape)


@pytest.mark.parametrize(
    ("shape", "metadata", "written", "size"),
    [
        ((1, 3, 416, 320), {}, None, (320, 416)),
        ((1, 416, 320, 3), {}, None, (320, 416)),
        ((None, 3, None, None), {}, None, (640, 640)),
        ((None, 3, None, None), {"imgsz": "[384, 640]"}, None, (640, 384)),
        ((None, 3, None, None), {"imgsz": "512"}, None, (512, 512)),
        ((None, 3, None, None), {"imgsz": "large"}, None, (640, 640)),
        ((None, 3, None, None), {"imgsz": "[384, 640]"}, PictureSize(256, 128), (256, 128)),
        ((None, 3, 416, None), {}, PictureSize(256, 416), (256, 416)),
        ((1, 3, 416, 416), {"imgsz": "[640, 640]"}, PictureSize(416, 416), (416, 416)),
        ((None, None, None, None), {}, PictureSize(64, 32), (64, 32)),
    ],
)
def test_the_size_is_found(
    shape: tuple[int | None, ...], metadata: dict[str, str], written: PictureSize | None, size: tuple[int, int]
) -> None:
    """The model's own, else the site file's, else the exporter's note, else the usual one."""
    picture = find_picture([image(*shape)], metadata, written)

    assert (picture.width_px, picture.height_px) == size


def test_the_picture_is_found_among_inputs() -> None:
    """Other inputs are left alone."""
    sizes = TensorSpec("orig_target_sizes", "int64", (None, 2))

    assert find_picture([sizes, image(4, 3, 32, 32)], {}, None).batch == 4


def test_another_size_than_the_models_is_refused() -> None:
    """Both are told."""
    with pytest.raises(ModelError, match="takes 416x416 pictures, the site file says 640x640"):
        find_picture([image(1, 3, 416, 416)], {}, PictureSize(640, 640))


@pytest.mark.parametrize("inputs", [[], [image(1, 10)], [image(1, 1, 32, 32)], [image(1, 3, 8, 8)] * 2])
def test_a_model_without_one_picture_is_refused(inputs: list[TensorSpec]) -> None:
    """None, grey ones and several are told as seen."""
    with pytest.raises(ModelError, match="expected one input"):
        find_picture(inputs, {}, None)


@pytest.mark.parametrize(("dtype", "shape"), [("float16", (2, 3, 8, 16)), ("uint8", (1, 8, 16, 3))])
def test_a_plain_picture_fits_the_input(dtype: str, shape: tuple[int, ...]) -> None:
    """It has the model's own shape and type."""
    plain = find_picture([image(*shape, dtype=dtype)], {}, None).plain()

    assert plain.shape == shape
    assert plain.dtype == np.dtype(dtype)
