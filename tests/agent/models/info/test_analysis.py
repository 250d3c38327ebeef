"""What is told of models, against published figures and against what run-times say."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from models.small_graphs import graph, node, weights
from models.square_detectors import build_detector

from agent.errors import ToolInputError
from agent.models.info.analysis import Analysis, analyse
from agent.models.info.targets import Target

# Published: millions of parameters, GFLOPs (two a multiply-add). YOLOX and NanoDet: their READMEs, 2021, whose
# counters take batch norms and activations along, which exporters have folded; DEIMv2: its paper, 2025.
PUBLISHED = {
    "yolox_nano_416": (0.91, 1.08, 0.04),
    "nanodet_m_320": (0.95, 0.72, 0.06),
    "deimv2_atto_320": (0.49, 0.76, 0.01),
}


def saved(proto: onnx.ModelProto, folder: Path) -> Path:
    path = folder / "m.onnx"
    onnx.save(proto, str(path))
    return path


def target(found: Analysis, name: str) -> Target:
    return next(each for each in found.targets if name in each.name)


@pytest.mark.assets
@pytest.mark.parametrize("name", PUBLISHED)
def test_as_published(assets: Path, name: str) -> None:
    """Parameters and multiply-adds are those that the models' makers tell."""
    millions, gflops, apart = PUBLISHED[name]
    found = analyse(assets / "models" / f"{name}.onnx", {})

    assert found.multiply_adds is not None
    assert found.parameters / 1e6 == pytest.approx(millions, rel=0.015)
    assert 2 * found.multiply_adds / 1e9 == pytest.approx(gflops, rel=apart)
    assert sum(layer.parameters for layer in found.layers) == found.parameters
    assert [layer.parameters for layer in found.layers] == sorted(
        (layer.parameters for layer in found.layers), reverse=True
    )
    assert found.weight_bytes == {"fp32": 4 * found.parameters, "fp16": 2 * found.parameters, "int8": found.parameters}
    assert found.notes == ()


@pytest.mark.assets
def test_run_times_here_are_asked(assets: Path) -> None:
    """ONNX Runtime and OpenVINO answer for themselves, tables for what is not here; the worst is named with numbers."""
    found = analyse(assets / "models" / "yolox_nano_416_e2e_layout.onnx", {})
    dla, coreml = target(found, "DLA"), target(found, "Core ML")

    assert (target(found, "ONNX Runtime 1").verdict, target(found, "OpenVINO").verdict) == ("takes", "takes")
    assert {each.source for each in found.targets[:2]} == {"asked here"}
    assert target(found, "TensorRT").verdict == "takes"
    assert (dla.verdict, coreml.verdict) == ("partly", "partly")
    assert dla.multiply_adds_share == 1.0
    assert {stop.operator for stop in coreml.stops} == {"Gather", "NonMaxSuppression", "TopK"}
    assert target(found, "NPU").verdict == "refuses"


def test_an_operator_of_ones_own_stops_all(tmp_path: Path) -> None:
    """Each says it in its own words, and the operator is named where a table answers."""
    proto = graph([node("Relu", "x", "a"), node("Relu", "a", "y")], {"x": (1, 3, 32, 32)}, ["y"])
    proto.graph.node[1].op_type, proto.graph.node[1].domain = "Magic", "tests.example"
    found = analyse(saved(proto, tmp_path), {})
    verdicts = {each.name.split(",")[0].split(" 1.")[0]: each.verdict for each in found.targets}

    assert verdicts["ONNX Runtime"] == verdicts["TensorRT"] == "refuses"
    assert target(found, "TensorRT").stops[0].operator == "tests.example:Magic"
    assert target(found, "DLA").note == "TensorRT, which builds for it, does not read the model"
    assert "Magic" in target(found, "ONNX Runtime").note
    assert "Magic" in str(target(found, "OpenVINO"))
    assert found.recognised.family == ""


def test_an_open_batch(tmp_path: Path) -> None:
    """Multiply-adds are of one picture, and accelerators that want fixed shapes say which input to fix."""
    found = analyse(build_detector("yolox", tmp_path / "m.onnx", batch="dynamic", input_size=128), {})

    assert found.shapes == {"images": (1, 3, 128, 128)}
    assert found.recognised.family == "yolox"
    assert target(found, "DLA").note.startswith("with fixed shapes only: images")


def test_an_open_size(tmp_path: Path) -> None:
    """Of a model that is no detector the size has to be given; without it everything else is told all the same."""
    proto = graph([node("Conv", "x w", "y")], {"x": (1, 2, "H", "W")}, ["y"], {"w": weights(4, 2, 3, 3)})
    path = saved(proto, tmp_path)
    found, sized = analyse(path, {}), analyse(path, {"x": (1, 2, 10, 10)})

    assert (found.parameters, found.multiply_adds) == (72, None)
    assert "input x leaves its size open (1x2x?x?)" in found.notes[0]
    assert sized.multiply_adds == 4 * 8 * 8 * 18


def test_a_shape_that_does_not_fit(tmp_path: Path) -> None:
    """It is told what the input takes."""
    path = saved(graph([node("Relu", "x", "y")], {"x": (1, "N")}, ["y"]), tmp_path)

    with pytest.raises(ToolInputError, match="input x takes 1x\\?; --shape says 2x5"):
        analyse(path, {"x": (2, 5)})
    with pytest.raises(ToolInputError, match="has no input z; its inputs are x"):
        analyse(path, {"z": (2, 5)})


def test_an_operator_set_that_tensorrt_does_not_read(tmp_path: Path) -> None:
    """The number is told, and those it reads."""
    proto = graph([node("Relu", "x", "y")], {"x": (1, 2)}, ["y"])
    proto.opset_import[0].version = 8
    found = analyse(saved(proto, tmp_path), {})

    assert target(found, "TensorRT").note == "operator set 8; it reads 9 to 24"


def test_graphs_inside_are_told(tmp_path: Path) -> None:
    """Operators inside an If are listed, and that their sums are not counted."""
    inner = [
        onnx.helper.make_graph([node(kind, "x", name)], kind, [], [onnx.ValueInfoProto(name=name)])
        for kind, name in (("Relu", "r"), ("Neg", "n"))
    ]
    choice = onnx.helper.make_node("If", ["c"], ["y"], then_branch=inner[0], else_branch=inner[1])
    proto = graph([node("ReduceSum", "x", "s", keepdims=0), node("Cast", "s", "c", to=9)], {"x": (1, 2)}, ["c"])
    proto.graph.node.append(choice)
    found = analyse(saved(proto, tmp_path), {})

    assert found.description.operators["Neg"] == 1
    assert any(note.startswith("2 operators lie inside If") for note in found.notes)
