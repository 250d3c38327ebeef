"""The real models of the assets on every run-time: they load, and the run-times agree on a real picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes.engine import CPU, CPU_ENGINES

from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineRequest, ImageInput, Tensors
from devices.engines.image_graph import PICTURES
from devices.engines.model_file import read_model

NONE, ONE, UNIT = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1 / 255, 1 / 255, 1 / 255)
NANODET = (103.53, 116.28, 123.675), (1 / 57.375, 1 / 57.12, 1 / 58.395)

IMAGES: dict[str, ImageInput] = {
    "yolox_nano_416": ImageInput("images", 416, 416, "bgr", NONE, ONE),
    "yolox_nano_416_v5_layout": ImageInput("images", 416, 416, "rgb", NONE, UNIT),
    "yolox_nano_416_v8_layout": ImageInput("images", 416, 416, "rgb", NONE, UNIT),
    "yolox_nano_416_e2e_layout": ImageInput("images", 416, 416, "rgb", NONE, UNIT),
    "deimv2_atto_320": ImageInput("images", 320, 320, "rgb", NONE, UNIT),
    "nanodet_m_320": ImageInput("input.1", 320, 320, "bgr", *NANODET),
}


def picture(assets: Path, wanted: ImageInput) -> npt.NDArray[np.uint8]:
    path = sorted((assets / "coco" / "images").glob("*.jpg"))[3]
    return np.asarray(cv2.resize(cv2.imread(str(path)), (wanted.width_px, wanted.height_px)), np.uint8)[None]


def by_numpy(pixels: npt.NDArray[np.uint8], wanted: ImageInput) -> npt.NDArray[np.float32]:
    ordered = pixels[..., ::-1] if wanted.order == "rgb" else pixels
    values = (ordered.astype(np.float32) - np.float32(wanted.mean)) * np.float32(wanted.scale)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def infer(runtime: str, request: EngineRequest, image: npt.NDArray[np.generic], name: str) -> Tensors:
    engine = ENGINES[runtime].load(request)
    session = engine.session()
    tensors = {name: image}
    if any(spec.name == "orig_target_sizes" for spec in engine.spec.inputs):
        tensors["orig_target_sizes"] = np.array([[640, 480]])
    got = session.infer(tensors)
    session.close()
    engine.close()
    return got


def assert_agree(got: Tensors, expected: Tensors) -> None:
    assert list(got) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-3, atol=5e-3, err_msg=name)


@pytest.mark.assets
@pytest.mark.parametrize("runtime", CPU_ENGINES)
@pytest.mark.parametrize("name", IMAGES)
def test_pictures_give_what_a_tensor_gives(assets: Path, name: str, runtime: str) -> None:
    """A uint8 picture on every run-time gives what a float tensor by NumPy gives on ONNX Runtime."""
    path, wanted = assets / "models" / f"{name}.onnx", IMAGES[name]
    pixels = picture(assets, wanted)

    got = infer(runtime, EngineRequest(path, CPU, wanted, batch=1), pixels, wanted.name)

    expected = infer("onnxruntime", EngineRequest(path, CPU), by_numpy(pixels, wanted), wanted.name)
    assert_agree(got, expected)


@pytest.mark.assets
@pytest.mark.parametrize("runtime", CPU_ENGINES)
def test_a_batch_gives_what_single_pictures_give(assets: Path, runtime: str) -> None:
    """Three different pictures at once through a model with an open batch are three single ones."""
    path, wanted = assets / "models" / "deimv2_atto_320.onnx", IMAGES["deimv2_atto_320"]
    one = picture(assets, wanted)
    three = np.concatenate([one, one[:, ::-1], one[:, :, ::-1]])
    session = ENGINES[runtime].load(EngineRequest(path, CPU, wanted)).session()
    sizes = np.array([[640, 480]] * 3)

    together = session.infer({"images": three, "orig_target_sizes": sizes})

    for index in range(3):
        alone = session.infer({"images": three[index : index + 1], "orig_target_sizes": sizes[:1]})
        np.testing.assert_allclose(together["scores"][index], alone["scores"][0], rtol=1e-3, atol=1e-4)


@pytest.mark.assets
def test_weights_listed_as_inputs_are_not_asked_for(assets: Path) -> None:
    """NanoDet's file lists 185 weights among its inputs; it has one input."""
    read = read_model(assets / "models" / "nanodet_m_320.onnx")

    assert [spec.name for spec in read.inputs] == ["input.1"]
    assert PICTURES not in {spec.name for spec in read.inputs}
