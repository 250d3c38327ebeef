"""Quantised graphs: what is in them, what they answer on every run-time, and what the audit finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from models.layered_squares import LAYERS, build_layered
from models.small_graphs import graph, node
from onnx import TensorProto, numpy_helper

from devices.engines.engine import EngineRequest, ImageInput
from devices.engines.model_file import read_model
from devices.engines.onnxruntime_providers import provider_use
from devices.engines.onnxruntime_quantised import GUARD, rearranged
from devices.engines.openvino.runtime import import_runtime
from devices.errors import ModelFileError
from devices.inventory import Accelerator, AcceleratorKind
from devices.models.calibration_histogram import CalibrationMethod, Range
from devices.models.onnx_running import OnnxRun
from devices.models.qdq_audit import audit, count_pairs
from devices.models.qdq_folding import folded, name_nodes
from devices.models.qdq_layers import Layer, quantisable_layers
from devices.models.qdq_ranges import collect_ranges
from devices.models.qdq_writing import quantised

SIDE = 32
RNG = np.random.default_rng(3)


def signed() -> onnx.ModelProto:
    """Two convolutions with values on both sides of nought, together into a third, then a fourth without a Concat."""
    constants = {
        "w1": RNG.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "w2": RNG.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32),
        "w3": RNG.normal(0, 0.3, (8, 16, 1, 1)).astype(np.float32),
        "w4": RNG.normal(0, 0.3, (4, 8, 1, 1)).astype(np.float32),
        "b4": RNG.normal(0, 0.3, 4).astype(np.float32),
    }
    nodes = [
        node("Conv", "x w1", "one", pads=[1, 1, 1, 1]),
        node("Conv", "x w2", "two", pads=[1, 1, 1, 1]),
        node("Sigmoid", "two", "gate"),
        node("Mul", "two gate", "silu"),
        node("Concat", "one silu", "both", axis=1),
        node("Conv", "both w3", "three"),
        node("Relu", "three", "cut"),
        node("Conv", "cut w4 b4", "four"),
        node("Sigmoid", "four", "scores"),
        node("Concat", "scores four", "table", axis=1),
    ]
    return graph(nodes, {"x": (1, 3, SIDE, SIDE)}, ["table"], constants)


QUESTION = {"x": RNG.normal(0, 1, (1, 3, SIDE, SIDE)).astype(np.float32)}


@pytest.fixture
def float_model(tmp_path: Path) -> onnx.ModelProto:
    path = tmp_path / "float.onnx"
    onnx.save(signed(), str(path))
    return folded(path)


def int8(proto: onnx.ModelProto) -> onnx.ModelProto:
    layers = quantisable_layers(proto)
    values = dict(zip(tensors(layers), seen(proto, tensors(layers)), strict=True))
    return quantised(proto, layers, {name: Range(float(v.min()), float(v.max())) for name, v in values.items()})


def tensors(layers: tuple[Layer, ...]) -> list[str]:
    return sorted({name for layer in layers for name in layer.activations})


def seen(proto: onnx.ModelProto, names: list[str]) -> list[np.ndarray]:
    observed = onnx.ModelProto.FromString(proto.SerializeToString())
    del observed.graph.output[:]
    for name in names:
        observed.graph.node.append(onnx.helper.make_node("Identity", [name], [f"seen.{name}"]))
        observed.graph.output.append(onnx.helper.make_tensor_value_info(f"seen.{name}", TensorProto.FLOAT, None))
    return run_onnxruntime(observed)


def run_onnxruntime(proto: onnx.ModelProto) -> list[np.ndarray]:
    return onnxruntime.InferenceSession(proto.SerializeToString()).run(None, QUESTION)  # type: ignore[no-any-return]


def run_openvino(proto: onnx.ModelProto) -> np.ndarray:
    core = import_runtime().Core()
    model = core.compile_model(core.read_model(proto.SerializeToString()), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.asarray(model([QUESTION["x"]])[0])


def test_layers_are_what_multiplies_by_weights(float_model: onnx.ModelProto) -> None:
    """Each convolution, with what follows it; never a Concat, and never what decodes."""
    layers = quantisable_layers(float_model)

    assert [layer.name for layer in layers] == ["one", "two", "three", "four"]
    assert [(layer.result, layer.sigmoid) for layer in layers] == [
        ("one", ""),
        ("two", "gate"),
        ("cut", ""),
        ("four", ""),
    ]


def test_the_file_is_right_on_every_run_time(float_model: onnx.ModelProto) -> None:
    """OpenVINO answers as ONNX Runtime does, behind a Concat of values below nought too, and both nearly as float."""
    made = int8(float_model)
    exact, ours = run_onnxruntime(float_model)[0], run_onnxruntime(made)[0]

    onnx.checker.check_model(made)
    assert audit(made) == ()
    assert count_pairs(made) == 4
    assert np.abs(ours - exact).mean() < 0.03
    assert np.abs(run_openvino(made) - ours).mean() < 0.003


def test_without_the_guard_openvino_would_be_wrong(float_model: onnx.ModelProto) -> None:
    """The reason for the node between a Concat and its pair; when this fails, the guard may go."""
    made = int8(float_model)
    name = next(each.output[0] for each in made.graph.node if each.name.endswith(GUARD))
    for each in made.graph.node:
        each.input[:] = ["both" if given == name else given for given in each.input]

    assert np.abs(run_openvino(made) - run_onnxruntime(made)[0]).mean() > 0.03


def test_rearranged_for_onnxruntime(float_model: onnx.ModelProto) -> None:
    """In uint8, rounded behind layers and in front of a Concat as well, without guards; still nearly as float."""
    made = int8(float_model)

    assert rearranged(made)
    onnx.checker.check_model(made)
    points = [
        each for each in made.graph.initializer if each.name.endswith("zero_point") and not each.name.startswith("w")
    ]
    assert {each.data_type for each in points} == {TensorProto.UINT8}
    assert not [each for each in made.graph.node if each.name.endswith(GUARD)]
    assert np.abs(run_onnxruntime(made)[0] - run_onnxruntime(float_model)[0]).mean() < 0.05
    assert not rearranged(made), "once is enough"


def test_the_engine_rearranges_what_it_loads(tmp_path: Path, float_model: onnx.ModelProto) -> None:
    """ONNX Runtime's kernels are given uint8 for a file that is int8; a note that is not ours changes nothing."""
    made, path = int8(float_model), tmp_path / "int8.onnx"
    onnx.save(made, str(path))
    request = EngineRequest(path, Accelerator(AcceleratorKind.CPU, "CPU"))

    given = onnx.load_from_string(provider_use(read_model(path), request).graph)
    assert any(each.name == "one_behind_QuantizeLinear" for each in given.graph.node)

    made.metadata_props[0].value = "no ranges"
    onnx.save(made, str(path))
    assert provider_use(read_model(path), request).graph.count(b"_behind_Quantize") == 0


def _asymmetric(proto: onnx.ModelProto) -> None:
    _replace(proto, "x_zero_point", np.array(3, np.int8))


def _unsigned(proto: onnx.ModelProto) -> None:
    _replace(proto, "x_zero_point", np.array(0, np.uint8))


def _replace(proto: onnx.ModelProto, name: str, array: np.ndarray) -> None:
    next(each for each in proto.graph.initializer if each.name == name).CopyFrom(numpy_helper.from_array(array, name))


def _whole_weights(proto: onnx.ModelProto) -> None:
    proto.graph.initializer.append(numpy_helper.from_array(np.ones((8, 3, 3, 3), np.int8), "w1_quantized"))
    kept = [each for each in proto.graph.node if each.name != "w1_QuantizeLinear"]
    del proto.graph.node[:]
    proto.graph.node.extend(kept)


def _bias(proto: onnx.ModelProto) -> None:
    constants = {"bias": np.ones(4, np.int32), "bias_scale": np.float32(0.1), "bias_zero": np.int32(0)}
    proto.graph.initializer.extend(numpy_helper.from_array(np.asarray(each), name) for name, each in constants.items())
    added = onnx.helper.make_node("DequantizeLinear", [*constants], ["bias_back"], name="bias_back")
    proto.graph.node.insert(0, added)
    next(each for each in proto.graph.node if each.name == "four").input[2] = "bias_back"


def _table(proto: onnx.ModelProto) -> None:
    next(each for each in proto.graph.node if each.name == "table").input[0] = "cut_dequantized"


def _opset(proto: onnx.ModelProto) -> None:
    proto.opset_import[0].version = 11


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_asymmetric, "not symmetric"),
        (_unsigned, "uint8, where int8 is taken"),
        (_whole_weights, "dequantises what nothing quantised"),
        (_bias, "four: a quantised bias"),
        (_table, "table: a Concat is quantised"),
        (_opset, "operator set 11"),
    ],
)
def test_the_audit_finds_what_tensorrt_refuses(
    spoil: Callable[[onnx.ModelProto], None], said: str, float_model: onnx.ModelProto
) -> None:
    """Every rule has something that breaks it."""
    made = int8(float_model)
    spoil(made)

    assert any(said in finding for finding in audit(made)), audit(made)


def test_a_float_model_is_not_quantised(float_model: onnx.ModelProto) -> None:
    """The audit says so."""
    assert audit(float_model) == ("nothing is quantised",)


def test_older_operators_are_lifted(tmp_path: Path) -> None:
    """A model of operator set 11 can have a scale a channel afterwards."""
    path = tmp_path / "old.onnx"
    weight = {"w": np.ones((2, 3, 1, 1), np.float32)}
    onnx.save(graph([node("Conv", "x w", "y")], {"x": (1, 3, 8, 8)}, ["y"], weight, opset=11), str(path))

    assert folded(path).opset_import[0].version >= 13


def test_every_node_gets_a_name_of_its_own() -> None:
    """None is left without, and one made up is not that of a later node."""
    proto = graph([node("Relu", "x", "y"), node("Relu", "y", "z"), node("Relu", "z", "w")], {"x": (1,)}, ["w"])
    for each, name in zip(proto.graph.node, ("", "Relu_0", "Relu_0"), strict=True):
        each.name = name

    name_nodes(proto)

    assert [each.name for each in proto.graph.node] == ["Relu_0_", "Relu_0", "Relu_2"]


def test_what_is_quantised_is_not_quantised_again(tmp_path: Path, float_model: onnx.ModelProto) -> None:
    """It says what to give instead."""
    path = tmp_path / "int8.onnx"
    onnx.save(int8(float_model), str(path))

    with pytest.raises(ModelFileError, match="quantised already; give the float model"):
        folded(path)


def test_ranges_are_of_the_model_s_own_tensors(tmp_path: Path) -> None:
    """Pictures go through the preprocessing that the engine has; an input's range is that of the model's tensor."""
    path = build_layered(tmp_path / "squares.onnx")
    proto = folded(path)
    image = ImageInput("images", 128, 128, "rgb", (0.0, 0.0, 0.0), (1 / 255,) * 3)
    pictures = [{"images": np.full((1, 128, 128, 3), grey, np.uint8)} for grey in (51, 204)]

    found = collect_ranges(proto, image, ["images", "widened"], pictures, threads=1)

    assert found["images"].range(CalibrationMethod.MINMAX).high == pytest.approx(0.8)
    assert found["widened"].range(CalibrationMethod.MINMAX).high == pytest.approx(2400.0)
    assert [layer.name for layer in quantisable_layers(proto)] == list(LAYERS)
    assert OnnxRun(path, image, optimised=False).answer(pictures[0])["output0"].shape[0] == 1
