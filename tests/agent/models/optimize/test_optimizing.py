"""Simplified models are compared with their originals for real, and refused where they differ."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from models.detecting import square_frame
from models.small_graphs import graph, node, weights
from models.square_detectors import FAMILIES, build_detector

from agent.app.engine_exam import standard_pictures
from agent.errors import ToolInputError
from agent.models.optimize import optimizing
from agent.models.optimize.optimizing import Optimised, optimise
from agent.stream.frame import BgrArray
from devices.models.onnx_simplify import simplify

ASSETS = {
    "deimv2_atto_320": ("detr", 1600),
    "nanodet_m_320": ("nanodet", 238),
    "yolox_nano_416": ("yolox", 365),
    "yolox_nano_416_e2e_layout": ("end2end", 397),
    "yolox_nano_416_v5_layout": ("yolov5", 376),
    "yolox_nano_416_v8_layout": ("yolov8", 378),
}


def run(path: Path, pictures: dict[str, BgrArray] | None = None, **shapes: tuple[int, ...]) -> Optimised:
    return optimise(path, pictures or {}, shapes=shapes, rng=np.random.default_rng(0))


def squares() -> dict[str, BgrArray]:
    return {"squares": square_frame().picture.scaled(640, 360)}


@pytest.mark.assets
@pytest.mark.parametrize("name", ASSETS)
def test_real_models_stay_equal(assets: Path, name: str) -> None:
    """Bit for bit and box for box, off and on, with fewer nodes and fewer bytes, and as the same family."""
    family, nodes = ASSETS[name]
    found = run(assets / "models" / f"{name}.onnx", dict(zip("ab", standard_pictures(), strict=True)))

    assert (found.refusal, found.family) == ("", family)
    assert [check.off for check in found.checks] == [0.0] * 10
    assert sum(check.boxes is not None for check in found.checks) == 4
    assert found.after is not None
    assert found.after.nodes <= nodes
    assert found.after.size_bytes < found.before.size_bytes
    assert found.after.median_ms > 0


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_with_an_open_batch(tmp_path: Path, family: str) -> None:
    """Asked with one picture and with two at once; all find the squares again."""
    path = build_detector(family, tmp_path / "m.onnx", batch="dynamic", input_size=128)
    found = run(path, squares())

    assert (found.refusal, found.family) == ("", family)
    assert found.after is not None
    assert found.after.nodes < found.before.nodes
    assert {check.question for check in found.checks} == {"noise 1", "noise 2", "noise 3", "squares"}
    assert all(check.boxes is not None for check in found.checks if check.question == "squares")


def test_half_precision(tmp_path: Path) -> None:
    """A model that takes and gives float16 stays equal too, and its boxes are found."""
    found = run(build_detector("yolov8", tmp_path / "m.onnx", fp16=True, input_size=128), squares())

    assert (found.refusal, found.family) == ("", "yolov8")
    assert all(check.off == 0.0 for check in found.checks)


def test_a_model_of_no_family(tmp_path: Path) -> None:
    """It is compared tensor by tensor on noise, and the note says so; an open size has to be given."""
    proto = graph(
        [node("Conv", "x w", "c"), node("Identity", "c", "y")], {"x": (1, 2, "H", 8)}, ["y"], {"w": weights(4, 2, 3, 3)}
    )
    path = tmp_path / "m.onnx"
    onnx.save(proto, str(path))
    with pytest.raises(ToolInputError, match=r"input x leaves its size open \(1x2x\?x8\): give it"):
        run(path)
    found = run(path, x=(1, 2, 6, 8))

    assert found.refusal == ""
    assert found.notes[0].startswith("no family is recognised")
    assert len(found.checks) == 6


def scaled(proto: onnx.ModelProto) -> None:
    tensor = next(each for each in proto.graph.initializer if len(each.dims) == 4)
    tensor.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor) * np.float32(1.02), tensor.name))


def without_metadata(proto: onnx.ModelProto) -> None:
    del proto.metadata_props[:]


def of_one_row(proto: onnx.ModelProto) -> None:
    last = proto.graph.node[-1]
    inner, last.output[0] = last.output[0], "inner"
    for name, value in (("from", 0), ("to", 1), ("axis", 1)):
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([value]), name))
    proto.graph.node.append(onnx.helper.make_node("Slice", ["inner", "from", "to", "axis"], [inner]))
    del proto.graph.output[0].type.tensor_type.shape.dim[:]


# How a simplifier that is wrong might change the model, and what is told of it.
WRONGS: dict[str, tuple[Callable[[onnx.ModelProto], None], str]] = {
    "weights": (scaled, "noise 1, ONNX Runtime's optimisations off: output0 differs by"),
    "labels": (without_metadata, "the simpler model "),
    "shape": (of_one_row, "noise 1, ONNX Runtime's optimisations off: output0 was float32 1x84x3549 and came as"),
}


@pytest.mark.assets
@pytest.mark.parametrize("wrong", WRONGS)
def test_what_differs_is_refused(assets: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """A simplifier that changes what the model computes, or how it is read, is found out, and nothing comes of it."""
    change, sentence = WRONGS[wrong]

    def wrongly(proto: onnx.ModelProto) -> onnx.ModelProto:
        found = simplify(proto)
        change(found)
        return found

    monkeypatch.setattr(optimizing, "simplify", wrongly)
    found = run(assets / "models" / "yolox_nano_416_v8_layout.onnx")

    assert found.content == b""
    assert found.refusal.startswith(sentence)


def test_an_invalid_model(tmp_path: Path) -> None:
    """ONNX's checker has the first word."""
    proto = graph([node("Relu", "x", "y")], {"x": (1, 2)}, ["y"])
    proto.graph.node[0].op_type = "Relooo"
    path = tmp_path / "m.onnx"
    onnx.save(proto, str(path))

    with pytest.raises(ToolInputError, match="no valid ONNX: No Op registered for Relooo"):
        run(path)


def test_a_model_that_does_not_run(tmp_path: Path) -> None:
    """What ONNX Runtime refuses cannot be compared, and it is the model's fault."""
    nodes: list[Any] = [node("Magic", "x", "y", domain="tests.example")]
    proto = graph([node("Relu", "x", "y")], {"x": (1, 2)}, ["y"])
    proto.graph.node[0].CopyFrom(nodes[0])
    path = tmp_path / "m.onnx"
    onnx.save(proto, str(path))

    with pytest.raises(ToolInputError, match="onnxruntime refuses"):
        run(path)
