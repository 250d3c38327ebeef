"""Pictures reach the model's image tensor as the request says, on every run-time alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from fakes.engine import CPU, CPU_ENGINES
from fakes.tiny_onnx import FLOAT, HALF, UINT8, model, same_image
from onnx import helper, numpy_helper

from devices.engines.catalogue import ENGINES
from devices.engines.engine import Engine, EngineRequest, ImageInput, TensorSpec
from devices.errors import EngineLoadError

MEAN, SCALE = (103.53, 116.28, 123.675), (1 / 57.375, 1 / 57.12, 1 / 58.395)
PLAIN_MEAN, PLAIN_SCALE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
VALUES = {
    "plain": (PLAIN_MEAN, PLAIN_SCALE),
    "scaled": (PLAIN_MEAN, (1 / 255,) * 3),
    "mean": (MEAN, PLAIN_SCALE),
    "mean and scale": (MEAN, SCALE),
}
BATCHES = npt.NDArray[np.uint8]


def image(order: str = "bgr", values: str = "plain", width_px: int = 8, height_px: int = 6) -> ImageInput:
    mean, scale = VALUES[values]
    return ImageInput("image", width_px, height_px, order, mean, scale)


def pictures(count: int = 1) -> BATCHES:
    return np.random.default_rng(count).integers(0, 256, (count, 6, 8, 3), dtype=np.uint8)


def prepared(pixels: BATCHES, wanted: ImageInput) -> npt.NDArray[np.float32]:
    """What the model must see, by NumPy, as (N, height, width, 3)."""
    ordered = pixels[..., ::-1] if wanted.order == "rgb" else pixels
    return (ordered.astype(np.float32) - np.float32(wanted.mean)) * np.float32(wanted.scale)


@pytest.fixture(params=CPU_ENGINES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def load(runtime: str, folder: Path, proto: onnx.ModelProto, wanted: ImageInput, **options: Any) -> Engine:
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return ENGINES[runtime].load(EngineRequest(path, CPU, wanted, **options))


def seen(engine: Engine, pixels: BATCHES) -> npt.NDArray[Any]:
    return engine.session().infer({"image": pixels})["seen"]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_the_model_sees_what_numpy_would_make(tmp_path: Path, runtime: str, order: str, values: str) -> None:
    """Channel order, mean and scale are NumPy's to 1e-5."""
    wanted = image(order, values)
    engine = load(runtime, tmp_path, same_image(), wanted)

    expected = prepared(pictures(), wanted).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(seen(engine, pictures()), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("values", VALUES)
def test_a_model_with_channels_last(tmp_path: Path, runtime: str, values: str) -> None:
    """(N, height, width, 3) is recognised and fed as it is."""
    wanted = image("rgb", values)
    engine = load(runtime, tmp_path, same_image(axes=(1, 6, 8, 3)), wanted)

    np.testing.assert_allclose(seen(engine, pictures()), prepared(pictures(), wanted), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("values", VALUES)
def test_a_float16_model(tmp_path: Path, runtime: str, values: str) -> None:
    """Mean and scale are taken in float32, the model sees float16, the caller float32."""
    wanted = image("rgb", values)

    got = seen(load(runtime, tmp_path, same_image(HALF), wanted), pictures())

    expected = prepared(pictures(), wanted).transpose(0, 3, 1, 2)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, rtol=2e-3, atol=2e-3)


def test_a_uint8_model(tmp_path: Path, runtime: str) -> None:
    """A model that takes uint8 gets it, in its order."""
    got = seen(load(runtime, tmp_path, same_image(UINT8), image("rgb")), pictures())

    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, pictures()[..., ::-1].transpose(0, 3, 1, 2))


def test_an_open_batch_stays_open(tmp_path: Path, runtime: str) -> None:
    """One picture, then three; the spec says so."""
    engine = load(runtime, tmp_path, same_image(), image())

    assert engine.spec.inputs == (TensorSpec("image", "uint8", (None, 6, 8, 3)),)
    for count in (1, 3):
        np.testing.assert_array_equal(seen(engine, pictures(count)), pictures(count).transpose(0, 3, 1, 2))


def test_a_batch_can_be_fixed(tmp_path: Path, runtime: str) -> None:
    """With a batch asked for, inputs and outputs have it."""
    engine = load(runtime, tmp_path, same_image(), image(), batch=2)

    assert engine.spec.inputs[0].shape == (2, 6, 8, 3)
    assert engine.spec.outputs[0].shape == (2, 3, 6, 8)
    np.testing.assert_array_equal(seen(engine, pictures(2)), pictures(2).transpose(0, 3, 1, 2))


def test_an_open_size_is_fixed_by_the_pictures(tmp_path: Path, runtime: str) -> None:
    """A model of any size gets the size of the pictures."""
    engine = load(runtime, tmp_path, same_image(axes=("N", 3, "H", "W")), image(), batch=1)

    assert engine.spec.inputs[0].shape == (1, 6, 8, 3)
    assert engine.spec.outputs[0].shape == (1, 3, 6, 8)
    np.testing.assert_array_equal(seen(engine, pictures()), pictures().transpose(0, 3, 1, 2))


def test_pictures_beside_another_input(tmp_path: Path, runtime: str) -> None:
    """Only the image input is replaced; others are fed as the model has them."""
    nodes = [helper.make_node("Identity", ["image"], ["seen"]), helper.make_node("Identity", ["sizes"], ["told"])]
    proto = model(
        nodes,
        {"sizes": (onnx.TensorProto.INT64, ("N", 2)), "image": (FLOAT, ("N", 3, 6, 8))},
        {"seen": (FLOAT, ("N", 3, 6, 8)), "told": (onnx.TensorProto.INT64, ("N", 2))},
    )
    sizes = np.array([[640, 480]])

    got = load(runtime, tmp_path, proto, image()).session().infer({"image": pictures(), "sizes": sizes})

    np.testing.assert_array_equal(got["told"], sizes)
    np.testing.assert_array_equal(got["seen"], pictures().transpose(0, 3, 1, 2))


def test_an_image_read_inside_a_branch(tmp_path: Path, runtime: str) -> None:
    """A model that reads its image only in the branch of an If still gets the pictures."""
    out = [helper.make_tensor_value_info("chosen", FLOAT, (1, 3, 6, 8))]
    branches = [
        helper.make_graph([helper.make_node(op, ["image"], ["chosen"])], op, [], out) for op in ("Identity", "Neg")
    ]
    node = helper.make_node("If", ["yes"], ["seen"], then_branch=branches[0], else_branch=branches[1])
    axes = (1, 3, 6, 8)
    yes = numpy_helper.from_array(np.array(True), "yes")  # noqa: FBT003 - the condition of the If
    proto = model([node], {"image": (FLOAT, axes)}, {"seen": (FLOAT, axes)}, [yes])

    got = seen(load(runtime, tmp_path, proto, image()), pictures())

    np.testing.assert_array_equal(got, pictures().transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("proto", "wanted", "sentence"),
    [
        (same_image(), ImageInput("picture", 8, 6, "bgr", PLAIN_MEAN, PLAIN_SCALE), "has no input picture; .* image"),
        (same_image(), image(width_px=16), r"fixed at 8x6 \(width x height\), but pictures of 16x6"),
        (same_image(axes=(1, 48)), image(), r"takes float32 \(1, 48\); an image input takes"),
        (same_image(axes=(1, 1, 6, 8)), image(), r"takes float32 \(1, 1, 6, 8\)"),
        (same_image(onnx.TensorProto.INT64), image(), "takes int64; an image input takes float32, float16, uint8"),
        (same_image(UINT8), image(values="scaled"), "takes uint8, so mean must be 0 0 0"),
        (same_image(), image(order="gbr"), "colour order 'gbr'; it is rgb or bgr"),
    ],
    ids=["name", "size", "rank", "grey", "dtype", "uint8 scaled", "order"],
)
def test_pictures_that_do_not_fit(
    tmp_path: Path, runtime: str, proto: onnx.ModelProto, wanted: ImageInput, sentence: str
) -> None:
    """A request that the model's image input cannot meet is refused at load, in words."""
    with pytest.raises(EngineLoadError, match=sentence):
        load(runtime, tmp_path, proto, wanted)


def test_a_float_picture_is_refused(tmp_path: Path, runtime: str) -> None:
    """Once pictures are asked for, only uint8 goes in."""
    session = load(runtime, tmp_path, same_image(), image()).session()

    with pytest.raises(Exception, match=r"takes uint8 \(\?, 6, 8, 3\), got float32"):
        session.infer({"image": pictures().astype(np.float32)})
