"""What is in the packages, what other operator sets become, and what is refused."""

from __future__ import annotations

import stat
from pathlib import Path

import coremltools
import numpy as np
import onnx
import pytest
from models.core_ml_packages import answers, package_of
from models.graph import FLOAT, INT64, Graph
from onnx import helper

from devices.engines.coreml.package import read_coreml_model
from devices.engines.engine import ImageInput, TensorSpec
from devices.engines.image_input import ImageTensor
from devices.errors import EngineLoadError, InferenceError, ModelFileError
from devices.models import coreml_evaluation
from devices.models.coreml_evaluation import EvaluatedPackage
from devices.models.coreml_package import PackageOrder

RNG = np.random.default_rng(4)
PICTURE = ImageInput("images.1", 6, 4, "bgr", (10.0, 20.0, 30.0), (0.5, 0.25, 0.125))


def small(path: Path, *kinds: str, shape: tuple[int | str, ...] = (1, 3, 4, 6)) -> Path:
    """Operators in a row on one input."""
    graph = Graph()
    value = graph.input("images.1", FLOAT, shape)
    for kind in kinds:
        value = graph.op(kind, value)
    graph.output(value, "1", FLOAT, shape)
    return graph.write(path, {})


def of_opset(opset: int, path: Path, kind: str, *constants: np.ndarray, **attributes: object) -> Path:
    """One operator, as an operator set has it."""
    names = [f"c{number}" for number in range(len(constants))]
    node = helper.make_node(kind, ["x", *names], ["y"], **attributes)
    graph = helper.make_graph(
        [node],
        "one",
        [helper.make_tensor_value_info("x", FLOAT, (1, 3, 4, 6))],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [onnx.numpy_helper.from_array(each, name) for each, name in zip(constants, names, strict=True)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), str(path))
    return path


@pytest.mark.parametrize("order", ["bgr", "rgb"])
def test_a_package_of_pictures(tmp_path: Path, order: str) -> None:
    """It takes the picture as it is, and does in its program what the model's tensor would have had done to it."""
    image = ImageInput(**{**vars(PICTURE), "order": order})
    path = package_of(small(tmp_path / "m.onnx", "Identity"), PackageOrder(is_half=False, image=image))
    (feature,) = coremltools.utils.load_spec(str(path)).description.input
    pixels = RNG.integers(0, 256, (1, 4, 6, 3), np.uint8)
    (given,) = EvaluatedPackage(path).infer({"images_1": pixels}).values()
    seen = pixels if order == "bgr" else pixels[..., ::-1]
    mean, scale = np.array(PICTURE.mean), np.array(PICTURE.scale)

    assert feature.name == "images_1"
    assert feature.type.imageType.ColorSpace.Name(feature.type.imageType.colorSpace) == order.upper()
    assert read_coreml_model(path).inputs == (TensorSpec("images_1", "uint8", (1, 4, 6, 3)),)
    np.testing.assert_allclose(given, ((seen - mean) * scale).transpose(0, 3, 1, 2), rtol=1e-6)


def test_a_package_of_tensors_fed_with_pictures(tmp_path: Path) -> None:
    """As the engine feeds it, so is it evaluated."""
    path = package_of(small(tmp_path / "m.onnx", "Identity"))
    image = ImageInput(**{**vars(PICTURE), "name": "images_1"})
    tensor = ImageTensor(TensorSpec("images_1", "float32", (1, 3, 4, 6)), "NCHW", image)
    pixels = RNG.integers(0, 256, (1, 4, 6, 3), np.uint8)
    (given,) = EvaluatedPackage(path, tensor).infer({"images_1": pixels}).values()

    np.testing.assert_allclose(given[0, 1], (pixels[0, ..., 1] - 20.0) * 0.25)


def test_what_a_package_says(tmp_path: Path) -> None:
    """Notes, precision and oldest system are in it, and everybody may read its files."""
    order = PackageOrder(is_half=True, target="macOS14", notes={"names": "{0: 'person'}"})
    path = package_of(small(tmp_path / "m.onnx", "Sigmoid", "Exp"), order)
    file = read_coreml_model(path)

    assert (file.metadata["names"], file.precision) == ("{0: 'person'}", "fp16")
    assert [spec.name for spec in file.outputs] == ["_1"]
    assert coremltools.utils.load_spec(str(path)).specificationVersion == 8
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.rglob("*")} == {0o644, 0o755}


@pytest.mark.parametrize("target", ["iOS16", "iOS17"])
@pytest.mark.parametrize("is_centred", [True, False])
def test_suppression(tmp_path: Path, target: str, is_centred: bool) -> None:  # noqa: FBT001 - a parameter
    """As many rows as remain, class by class, as ONNX has it; before iOS 17 by another operation than since."""
    graph = Graph()
    boxes, scores = graph.input("boxes", FLOAT, (1, 60, 4)), graph.input("scores", FLOAT, (1, 3, 60))
    limits = (np.array([9], np.int64), np.array([0.5], np.float32), np.array([0.3], np.float32))
    rows = graph.op("NonMaxSuppression", boxes, scores, *limits, center_point_box=int(is_centred))
    graph.output(rows, "rows", INT64, ("N", 3))
    centres, sizes = RNG.uniform(0, 60, (1, 60, 2)), RNG.uniform(10, 40, (1, 60, 2))
    both = (centres, sizes) if is_centred else (centres - sizes / 2, centres + sizes / 2)
    tensors = {"boxes": np.concatenate(both, 2).astype(np.float32), "scores": RNG.random((1, 3, 60), np.float32)}
    right, given = answers(graph.write(tmp_path / "m.onnx", {}), tensors, PackageOrder(is_half=False, target=target))

    assert 3 < len(right["rows"]) < 60
    np.testing.assert_array_equal(given["rows"], right["rows"])


@pytest.mark.parametrize(
    ("opset", "kind", "constants", "attributes"),
    [
        (9, "Upsample", (np.array([1, 1, 2, 2], np.float32),), {"mode": "nearest"}),
        (10, "Resize", (np.array([1, 1, 3, 1], np.float32),), {"mode": "linear"}),
        (11, "Softmax", (), {"axis": 1}),
        (11, "Clip", (), {}),
        (6, "Clip", (), {"min": -0.5, "max": 0.5}),
        (11, "Unsqueeze", (), {"axes": [0]}),
        (11, "Split", (), {"axis": 1, "split": [3]}),
        (2, "Pad", (), {"pads": [0, 0, 1, 1, 0, 0, 1, 1], "value": 3.0}),
        (9, "Slice", (), {"starts": [1], "ends": [3], "axes": [2]}),
        (20, "Gelu", (), {}),
        (20, "Gelu", (), {"approximate": "tanh"}),
        (18, "ReduceMean", (np.array([2, 3]),), {}),
    ],
)
def test_other_operator_sets(
    tmp_path: Path, opset: int, kind: str, constants: tuple[np.ndarray, ...], attributes: dict[str, object]
) -> None:
    """What older ones have as attributes, newer ones have as inputs, and what came later."""
    path = of_opset(opset, tmp_path / "m.onnx", kind, *constants, **attributes)
    right, given = answers(path, {"x": RNG.uniform(-1, 1, (1, 3, 4, 6)).astype(np.float32)})

    np.testing.assert_allclose(given["y"], right["y"], rtol=1e-5, atol=1e-6)


def test_operators_without_a_rule(tmp_path: Path) -> None:
    """All are named at once, with how often each is there."""
    path = small(tmp_path / "m.onnx", "Acos", "Relu", "Acos", "Asin")

    with pytest.raises(EngineLoadError, match=r"operators that cannot be converted: Acos \(2\), Asin \(1\)$"):
        package_of(path)


@pytest.mark.parametrize(
    ("kind", "constants", "attributes", "reason"),
    [
        ("Resize", ("", "", np.array([1, 3, 5, 6])), {}, "from (4, 6) to (5, 6) is not in Core ML"),
        ("Mod", (np.array(3.0, np.float32),), {"fmod": 1}, "with the sign of the dividend"),
        ("Pad", (np.array([0, 0, 0, 0, 0, 0, -1, 0]),), {}, "is not in Core ML"),
        ("Unsqueeze", (np.array([0, 1]),), {}, "rank <= 5"),
    ],
)
def test_what_core_ml_has_not(
    tmp_path: Path, kind: str, constants: tuple[object, ...], attributes: dict[str, int], reason: str
) -> None:
    """A sentence names the operator and why."""
    names = [each if isinstance(each, str) else f"c{number}" for number, each in enumerate(constants)]
    arrays = {name: each for name, each in zip(names, constants, strict=True) if isinstance(each, np.ndarray)}
    graph = helper.make_graph(
        [helper.make_node(kind, ["x", *names], ["y"], **attributes)],
        "one",
        [helper.make_tensor_value_info("x", FLOAT, (1, 3, 4, 6))],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [onnx.numpy_helper.from_array(each, name) for name, each in arrays.items()],
    )
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))

    with pytest.raises(EngineLoadError) as refused:
        package_of(path)
    assert reason in str(refused.value)


def test_an_open_size(tmp_path: Path) -> None:
    """What is left open must be given first."""
    with pytest.raises(EngineLoadError, match=r"input images\.1 leaves a size open"):
        package_of(small(tmp_path / "m.onnx", "Relu", shape=(1, 3, "H", 6)))


def test_a_picture_of_channels_last(tmp_path: Path) -> None:
    """Core ML's pictures come channels first."""
    with pytest.raises(EngineLoadError, match=r"takes \(1, 4, 6, 3\); for pictures Core ML needs \(1, 3, height"):
        package_of(small(tmp_path / "m.onnx", "Relu", shape=(1, 4, 6, 3)), PackageOrder(image=PICTURE))


def test_a_changed_weight_shows(tmp_path: Path) -> None:
    """What is evaluated is what was written, weights and all."""
    graph = Graph()
    value = graph.op(
        "Conv", graph.input("x", FLOAT, (1, 3, 4, 6)), RNG.standard_normal((8, 3, 3, 3)).astype(np.float32)
    )
    graph.output(value, "y", FLOAT, (1, 8, 2, 4))
    path = package_of(graph.write(tmp_path / "m.onnx", {}))
    x = {"x": np.ones((1, 3, 4, 6), np.float32)}
    before = EvaluatedPackage(path).infer(x)["y"]
    (weights,) = path.rglob("weight.bin")
    content = bytearray(weights.read_bytes())
    content[-4:] = np.float32(99).tobytes()
    weights.write_bytes(content)

    assert np.abs(EvaluatedPackage(path).infer(x)["y"] - before).max() > 50


def test_what_cannot_be_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operation without a kernel, and a folder that is no package, are told."""
    path = package_of(small(tmp_path / "m.onnx", "Sigmoid"))
    monkeypatch.setattr(coreml_evaluation, "KERNELS", {})

    with pytest.raises(InferenceError, match="the operation sigmoid of the package is not known here"):
        EvaluatedPackage(path).infer({"images_1": np.zeros((1, 3, 4, 6), np.float32)})
    with pytest.raises(ModelFileError, match="no package of a Core ML program"):
        EvaluatedPackage(tmp_path)
