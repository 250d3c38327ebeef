"""int8: by TensorRT's calibrator where there is one, by Q/DQ nodes in the model elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from fakes.nvidia_machine import DLA, GPU, NvidiaMachine, nvidia_machine
from fakes.tensorrt_names import VERSIONS
from fakes.tiny_onnx import FLOAT, doubled, model
from onnx import helper, numpy_helper

from devices.engines.engine import EngineRequest, ImageInput, Precision
from devices.engines.tensorrt.typed_model import as_fp16, as_int8
from devices.errors import EngineLoadError

IMAGE = ImageInput("image", 8, 6, "rgb", (0.0, 0.0, 0.0), (1 / 255,) * 3)
PICTURES = np.random.default_rng(3).integers(0, 256, (5, 6, 8, 3), dtype=np.uint8)


def convolution() -> onnx.ModelProto:
    """A convolution with a bias, and a Softmax."""
    random = np.random.default_rng(2)
    weights = [numpy_helper.from_array(random.random((4, 3, 3, 3), np.float32) - 0.5, "w")]
    weights.append(numpy_helper.from_array(random.random(4, np.float32), "b"))
    nodes = [helper.make_node("Conv", ["image", "w", "b"], ["c"], name="conv")]
    nodes.append(helper.make_node("Softmax", ["c"], ["seen"], name="softmax", axis=1))
    return model(nodes, {"image": (FLOAT, ("N", 3, 6, 8))}, {"seen": (FLOAT, ("N", 4, 4, 6))}, weights)


@pytest.fixture(params=[VERSIONS[0], VERSIONS[-1]])
def nvidia(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[NvidiaMachine]:
    with nvidia_machine(monkeypatch, request.param) as machine:
        yield machine
        machine.assert_clean()


def request_of(folder: Path, **options: object) -> EngineRequest:
    path = folder / "model.onnx"
    path.write_bytes(convolution().SerializeToString())
    return EngineRequest(path, GPU, IMAGE, precision=Precision.INT8, cache_dir=folder / "cache", **options)


def calibration_set(folder: Path) -> Path:
    path = folder / "pictures.npy"
    np.save(path, PICTURES)
    return path


def test_int8_of_a_float_model(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The ranges found are kept for the next build; the answers stay near the float ones."""
    pictures = calibration_set(tmp_path)
    engine = nvidia.load(request_of(tmp_path, batch=2, calibration=pictures))
    got = engine.session().infer({"image": PICTURES[:2]})["seen"]
    engine.close()
    nvidia.load(request_of(tmp_path, batch=2, sessions=2, calibration=pictures)).close()

    plain = nvidia.load(EngineRequest(tmp_path / "model.onnx", GPU, IMAGE, precision=Precision.FP32))
    np.testing.assert_allclose(got, plain.session().infer({"image": PICTURES[:2]})["seen"], atol=0.03)
    plain.close()
    order = nvidia.orders[0][0]
    assert (order.calibrate, order.convert) == ((True, None) if nvidia.trt.__version__[0] == "8" else (False, "int8"))


def test_the_calibrators_ranges_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that must be repeated (the plan was lost) starts from the ranges found before."""
    with nvidia_machine(monkeypatch, "10.3.0") as nvidia:
        request, pictures = request_of(tmp_path, batch=2), calibration_set(tmp_path)
        nvidia.load(replace(request, calibration=pictures)).close()
        plan = max((tmp_path / "cache").rglob("*.engine"), key=lambda path: path.stat().st_size)
        plan.unlink()
        nvidia.load(replace(request, calibration=pictures)).close()

    assert [caches["calibration"] for _, caches in nvidia.orders] == [None, b"ranges of 2 batches"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no calibration set"),
        (np.zeros((1, 6, 8, 3), np.uint8), "fewer than the 2 pictures of one batch"),
        (np.zeros((4, 6, 9, 3), np.uint8), r"calibration pictures are uint8 \(N, 6, 8, 3\), these are uint8 \(4, 6, 9"),
        (np.zeros((4, 6, 8, 3), np.float32), "these are float32"),
    ],
    ids=["missing", "too few", "size", "type"],
)
def test_a_set_that_does_not_fit(
    nvidia: NvidiaMachine, tmp_path: Path, content: np.ndarray | None, sentence: str
) -> None:
    """It is refused by name, before or while building."""
    path = tmp_path / "pictures.npy"
    if content is not None:
        np.save(path, content)

    with pytest.raises(EngineLoadError, match=sentence):
        nvidia.load(request_of(tmp_path, batch=2, calibration=path))


def test_int8_without_a_set(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """A float model is not quantised by guessing."""
    with pytest.raises(EngineLoadError, match=r"int8 needs a quantised model \(symmetric Q/DQ nodes\), or a calib"):
        nvidia.load(request_of(tmp_path))


def test_a_quantised_model_needs_no_set(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """It is built as it is typed; old DLAs do not take it."""
    quantised = as_int8(convolution().SerializeToString(), "image", floats(), tmp_path)
    path = tmp_path / "quantised.onnx"
    path.write_bytes(quantised)

    engine = nvidia.load(EngineRequest(path, GPU, IMAGE, batch=1))
    assert engine.spec.precision == "int8"
    assert engine.session().infer({"image": PICTURES[:1]})["seen"].shape == (1, 4, 4, 6)
    engine.close()
    if nvidia.trt.__version__[0] == "8":
        with pytest.raises(EngineLoadError, match="DLA takes no quantised"):
            nvidia.load(EngineRequest(path, DLA, IMAGE, batch=1))


def floats() -> Iterator[np.ndarray]:
    for each in PICTURES:
        yield (each[None, ..., ::-1] / np.float32(255)).transpose(0, 3, 1, 2).astype(np.float32)


def test_what_tensorrt_takes_of_a_quantised_graph(tmp_path: Path) -> None:
    """Every zero point is int8 zero, no bias is quantised, weights are float behind Q/DQ, Softmax stays float."""
    proto = onnx.load_from_string(as_int8(convolution().SerializeToString(), "image", floats(), tmp_path))
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    pairs = [node for node in proto.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    conv = next(node for node in proto.graph.node if node.op_type == "Conv")
    softmax = next(node for node in proto.graph.node if node.op_type == "Softmax")
    made_by = {node.output[0]: node for node in proto.graph.node}

    assert len(pairs) == 4
    assert all(values[node.input[2]].dtype == np.int8 and not values[node.input[2]].any() for node in pairs)
    assert values["b"].dtype == np.float32
    assert conv.input[2] == "b"
    assert [made_by[name].op_type for name in conv.input[:2]] == ["DequantizeLinear"] * 2
    assert made_by[softmax.input[0]].op_type == "Conv"


def test_what_fp16_makes_of_a_graph() -> None:
    """Weights become float16, inputs and outputs keep their types."""
    proto = onnx.load_from_string(as_fp16(convolution().SerializeToString()))

    assert {tensor.data_type for tensor in proto.graph.initializer if tensor.name.startswith(("w", "b"))} == {10}
    for value in (*proto.graph.input, *proto.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_a_model_that_cannot_be_typed_is_refused() -> None:
    """What the converter cannot do is an error of loading."""
    proto = doubled().proto
    proto.graph.node[0].op_type = "Frobnicate"

    assert onnx.load_from_string(as_fp16(proto.SerializeToString())).graph.node
