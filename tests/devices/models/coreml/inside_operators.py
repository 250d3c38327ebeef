"""Every operator that has a rule: what the package computes, read back and evaluated, is what ONNX Runtime computes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from models.core_ml_packages import answers
from models.graph import FLOAT, IR_VERSION, OPSET, Graph
from onnx import TensorProto

from devices.engines.engine import Tensors
from devices.models.coreml_lowering import RULES
from devices.models.coreml_package import PackageOrder

RNG = np.random.default_rng(3)
SHAPE = (1, 4, 8, 10)
X = RNG.uniform(-2, 2, SHAPE).astype(np.float32)
Case = Callable[[Graph, str], str]


def of(kind: str, *more: Any, **attributes: Any) -> Case:
    return lambda graph, x: graph.op(kind, x, *more, **attributes)


def positive(kind: str, **attributes: Any) -> Case:
    return lambda graph, x: graph.op(kind, graph.op("Add", graph.op("Abs", x), 0.1), **attributes)


def flags(kind: str) -> Case:
    def case(graph: Graph, x: str) -> str:
        one, other = graph.op("Greater", x, 0.5), graph.op("Less", x, 1.0)
        return graph.op(kind, one, other)

    return case


def whole(kind: str, *more: Any, **attributes: Any) -> Case:
    def case(graph: Graph, x: str) -> str:
        number = graph.op("Cast", graph.op("Mul", graph.op("Abs", x), 10.0), to=TensorProto.INT64)
        return graph.op(kind, number, *more, **attributes)

    return case


def weights(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def split(graph: Graph, x: str) -> str:
    one, other = graph.ops("Split", 2, x, numbers(1, 3), axis=1)
    return graph.op("Concat", other, one, axis=1)


def best(graph: Graph, x: str) -> str:
    values, places = graph.ops("TopK", 2, x, numbers(3), axis=-1)
    return graph.op("Add", values, graph.op("Cast", places, to=FLOAT))


def least(graph: Graph, x: str) -> str:
    return graph.ops("TopK", 2, x, numbers(3), axis=1, largest=0)[0]


def grid(graph: Graph, x: str) -> str:
    return graph.op("GridSample", x, RNG.uniform(-1.2, 1.2, (1, 5, 6, 2)).astype(np.float32))


def along(graph: Graph, x: str) -> str:
    return graph.op("GatherElements", x, RNG.integers(0, 8, (1, 4, 3, 10)), axis=2)


def lone(graph: Graph, x: str) -> str:
    return graph.op("MatMul", x, weights(10))


CASES: dict[str, Case] = {
    "Abs": of("Abs"), "Add": of("Add", weights(4, 1, 1)), "And": flags("And"), "ArgMax": of("ArgMax", axis=1),
    "ArgMin": of("ArgMin", axis=2, keepdims=0),
    "AveragePool": of("AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    "AveragePool padded": of("AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    "AveragePool ceil": of("AveragePool", kernel_shape=[3, 2], strides=[2, 3], ceil_mode=1),
    "BatchNormalization": of("BatchNormalization", weights(4), weights(4), weights(4), np.abs(weights(4)) + 0.5),
    "Cast": of("Cast", to=TensorProto.INT32), "Cast to flag": of("Cast", to=TensorProto.BOOL), "Ceil": of("Ceil"),
    "Clip": of("Clip", np.float32(-0.5), np.float32(1)), "Clip below": of("Clip", "", np.float32(1)),
    "Concat": lambda graph, x: graph.op("Concat", x, weights(1, 2, 8, 10), axis=1),
    "Constant": lambda graph, x: graph.op("Add", x, graph.op("Constant", value_float=2.0)),
    "Conv": of("Conv", weights(6, 4, 3, 3), weights(6), pads=[1, 0, 1, 2], strides=[2, 1]),
    "Conv apart": of("Conv", weights(8, 1, 3, 3), group=4, dilations=[2, 1]),
    "Conv groups": of("Conv", weights(6, 2, 1, 1), weights(6), group=2),
    "Conv same": of("Conv", weights(3, 4, 3, 2), auto_pad="SAME_UPPER", strides=[2, 2]),
    "Conv same low": of("Conv", weights(3, 4, 2, 2), auto_pad="SAME_LOWER"),
    "ConvTranspose": of("ConvTranspose", weights(4, 3, 2, 2), weights(3), strides=[2, 2]),
    "ConvTranspose cut": of("ConvTranspose", weights(4, 2, 4, 4), strides=[2, 2], pads=[1, 1, 1, 1], group=2),
    "Cos": of("Cos"), "CumSum": of("CumSum", np.array(2)),
    "CumSum back": of("CumSum", np.array(-1), exclusive=1, reverse=1), "DepthToSpace": of("DepthToSpace", blocksize=2),
    "DepthToSpace CRD": of("DepthToSpace", blocksize=2, mode="CRD"), "Div": of("Div", weights(10)),
    "Div whole": whole("Div", numbers(3)), "Elu": of("Elu", alpha=0.7), "Dropout": of("Dropout"),
    "Equal": whole("Equal", numbers(7)), "Erf": of("Erf"), "Exp": of("Exp"),
    "Expand": of("Expand", numbers(2, 4, 8, 10)),
    "Flatten": of("Flatten", axis=2), "Floor": of("Floor"), "Gather": of("Gather", numbers(3, -1, 0), axis=1),
    "Gather one": of("Gather", np.array(2), axis=3), "GatherElements": along,
    "GatherND": of("GatherND", np.array([[0, 1], [0, 3]])),
    "Gemm": lambda graph, x: graph.op("Gemm", graph.op("Flatten", x), weights(5, 320), weights(5), transB=1),
    "Gemm scaled": lambda graph, x: graph.op(
        "Gemm", graph.op("Flatten", x), weights(320, 5), weights(1), alpha=0.5, beta=2.0
    ),
    "GlobalAveragePool": of("GlobalAveragePool"), "GlobalMaxPool": of("GlobalMaxPool"),
    "Greater": of("Greater", 0.3), "GreaterOrEqual": whole("GreaterOrEqual", numbers(7)), "GridSample": grid,
    "HardSigmoid": of("HardSigmoid", alpha=0.3), "HardSwish": of("HardSwish"), "Identity": of("Identity"),
    "InstanceNormalization": of("InstanceNormalization", weights(4), weights(4)),
    "LayerNormalization": of("LayerNormalization", weights(10), weights(10)),
    "LayerNormalization two": of("LayerNormalization", weights(8, 10), axis=2),
    "LeakyRelu": of("LeakyRelu", alpha=0.2), "Less": of("Less", 0.3), "LessOrEqual": whole("LessOrEqual", numbers(7)),
    "Log": positive("Log"), "MatMul": of("MatMul", weights(10, 3)), "MatMul lone": lone,
    "Max": of("Max", weights(10), weights(8, 1)), "MaxPool": of("MaxPool", kernel_shape=[3, 3], strides=[2, 2]),
    "MaxPool ceil": of("MaxPool", kernel_shape=[2, 2], strides=[2, 3], ceil_mode=1),
    "MaxPool padded": of("MaxPool", kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
    "Min": of("Min", weights(10)), "Mod": whole("Mod", numbers(4)), "Mul": of("Mul", weights(10)), "Neg": of("Neg"),
    "Mish": lambda graph, x: graph.op("Mul", x, graph.op("Tanh", graph.op("Softplus", x))),
    "Not": lambda graph, x: graph.op("Not", graph.op("Greater", x, 0.0)), "Or": flags("Or"),
    "PRelu": of("PRelu", weights(4, 1, 1)), "Pad": of("Pad", numbers(0, 0, 1, 2, 0, 0, 3, 0), np.float32(7)),
    "Pad edge": of("Pad", numbers(0, 0, 1, 1, 0, 0, 1, 1), mode="edge"),
    "Pad reflect": of("Pad", numbers(0, 0, 1, 2, 0, 0, 1, 1), mode="reflect"), "Pow": of("Pow", 2.0),
    "Reciprocal": positive("Reciprocal"), "ReduceMax": of("ReduceMax", axes=[2, 3]),
    "ReduceMean": of("ReduceMean", axes=[-1], keepdims=0), "ReduceMin": of("ReduceMin", axes=[1]),
    "ReduceProd": of("ReduceProd", axes=[1]), "ReduceSum": of("ReduceSum", numbers(2)), "Relu": of("Relu"),
    "Reshape": of("Reshape", numbers(0, 2, -1, 10)), "Round": of("Round"),
    "Resize": of("Resize", "", np.array([1, 1, 2, 3], np.float32), coordinate_transformation_mode="asymmetric",
                 nearest_mode="floor"),
    "Resize half": of("Resize", "", np.array([1, 1, 2, 2], np.float32)),
    "Resize linear": of("Resize", "", "", numbers(1, 4, 13, 25), mode="linear"),
    "Resize corners": of("Resize", "", "", numbers(1, 4, 16, 5), mode="linear",
                         coordinate_transformation_mode="align_corners"),
    "Resize old": of("Resize", "", np.array([1, 1, 2, 2], np.float32), mode="linear",
                     coordinate_transformation_mode="asymmetric"),
    "Shape": lambda graph, x: graph.op("Reshape", x, graph.op("Slice", graph.op("Shape", x), numbers(1), numbers(4))),
    "Sigmoid": of("Sigmoid"), "Sign": of("Sign"), "Sin": of("Sin"),
    "Slice": of("Slice", numbers(1, -6), numbers(7, 99), numbers(2, 3), numbers(2, 1)),
    "Slice backwards": of("Slice", numbers(-1), numbers(-99), numbers(3), numbers(-2)),
    "Softmax": of("Softmax", axis=1), "Softplus": of("Softplus"), "SpaceToDepth": of("SpaceToDepth", blocksize=2),
    "Split": split, "Sqrt": positive("Sqrt"), "Squeeze": of("Squeeze", numbers(0)), "Sub": of("Sub", weights(10)),
    "Sum": of("Sum", weights(10), weights(8, 1)), "Tanh": of("Tanh"), "Tile": of("Tile", numbers(1, 1, 2, 3)),
    "TopK": best, "TopK least": least, "Transpose": of("Transpose", perm=[0, 2, 3, 1]),
    "Unsqueeze": of("Unsqueeze", numbers(-1)),
    "Where": lambda graph, x: graph.op("Where", graph.op("Greater", x, 0.2), x, weights(10)), "Xor": flags("Xor"),
}  # fmt: skip
# Of newer operator sets than the writer's, tested below; or an older name of another.
ELSEWHERE = {"Gelu", "Upsample", "NonMaxSuppression"}


def written(path: Path) -> Path:
    """Every operator between one input and an output of its own; shapes as ONNX infers them."""
    graph = Graph()
    x = graph.input("x", FLOAT, SHAPE)
    for number, case in enumerate(CASES.values()):
        graph.output(case(graph, x), f"y{number}", FLOAT, ())
    unknown = [onnx.helper.make_tensor_value_info(each.name, FLOAT, None) for each in graph._outputs]
    body = onnx.helper.make_graph(graph._nodes, "all", graph._inputs, unknown, graph._constants)
    model = onnx.helper.make_model(body, opset_imports=[onnx.helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.save(onnx.shape_inference.infer_shapes(model, data_prop=True), str(path))
    return path


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tensors, Tensors, Tensors]:
    """ONNX Runtime's answers, those of a package for the oldest system in float32, and for a new one in float16."""
    path = written(tmp_path_factory.mktemp("operators") / "all.onnx")
    right, given = answers(path, {"x": X}, PackageOrder(is_half=False, target="iOS15"))
    _, rounded = answers(path, {"x": X}, PackageOrder(is_half=True, target="macOS15"))
    return right, given, rounded


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str, asked: tuple[Tensors, Tensors, Tensors]) -> None:
    """In float32 to the last digits; in float16 to three, but where it makes steps of what is nearly the same."""
    right, given, rounded = (each[f"y{list(CASES).index(name)}"] for each in asked)
    spread = max(1.0, float(np.ptp(right)))
    is_step = set(np.unique(right).tolist()) <= set(range(-99, 99))

    assert given.shape == rounded.shape == right.shape
    np.testing.assert_allclose(given, right, rtol=2e-5, atol=2e-5)
    assert is_step or np.abs(rounded - right).max() <= 5e-3 * spread


def test_every_rule_is_tested() -> None:
    """A new rule has a case above."""
    assert set(RULES) - ELSEWHERE == {name.split()[0] for name in CASES}
