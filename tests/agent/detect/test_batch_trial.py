"""A model that declares an open batch is tried with it before it is given one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from models.detecting import RUNTIMES, SQUARES, assert_finds, make_plan, open_detector, square_frame
from models.square_detectors import LABELS, build_detector
from onnx import helper, numpy_helper

from devices.engines.engine import TensorSpec


def with_a_last_node(folder: Path, *nodes: onnx.NodeProto, constants: tuple[onnx.TensorProto, ...] = ()) -> Path:
    """A detector with an open batch whose output "inner" goes through more nodes."""
    path = build_detector("yolov8", folder / "spoilt.onnx", batch="dynamic")
    proto = onnx.load(path)
    name = proto.graph.output[0].name
    for node in proto.graph.node:
        node.output[:] = ["inner" if each == name else each for each in node.output]
    for node in nodes:
        node.output[:] = [name if each == "outer" else each for each in node.output]
    proto.graph.node.extend(nodes)
    proto.graph.initializer.extend(constants)
    onnx.save(proto, path)
    return path


def single_minded(folder: Path) -> Path:
    """It declares an open batch, and reshapes its output to that of one picture."""
    whole = make_plan(build_detector("yolov8", folder / "whole.onnx", batch="dynamic")).outputs[0].shape
    shape = numpy_helper.from_array(np.array([1, *whole[1:]], np.int64), "shape_of_one")
    return with_a_last_node(
        folder, helper.make_node("Reshape", ["inner", "shape_of_one"], ["outer"]), constants=(shape,)
    )


def mixing(folder: Path) -> Path:
    """Every picture's answer has the brightest point of the whole batch in it."""
    brightest = helper.make_node("ReduceMax", ["images"], ["brightest"], keepdims=0)
    return with_a_last_node(folder, brightest, helper.make_node("Add", ["inner", "brightest"], ["outer"]))


def dropping(folder: Path) -> Path:
    """It answers for the first picture only."""
    ends = [numpy_helper.from_array(np.array([number], np.int64), f"end{number}") for number in (0, 1)]
    return with_a_last_node(
        folder, helper.make_node("Slice", ["inner", "end0", "end1", "end0"], ["outer"]), constants=tuple(ends)
    )


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (single_minded, "onnxruntime: inference failed: .*Reshape"),
        (mixing, "of a picture depends on the other pictures"),
        (dropping, r"has shape \(1, .*\) for 2 pictures"),
    ],
)
def test_a_model_that_cannot_take_two_gets_one(make: Callable[[Path], Path], reason: str, tmp_path: Path) -> None:
    """It is given one picture at a time, and the plan tells why."""
    plan = make_plan(make(tmp_path), {"batch": 2})

    assert (plan.batch, plan.engine_batch) == (1, 1)
    assert re.search(reason, plan.batch_fault)
    assert "batch 1" in plan.told()


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_it_detects_all_the_same(runtime: str, tmp_path: Path) -> None:
    """Two frames at once go through one after the other."""
    plan = make_plan(single_minded(tmp_path), {"batch": 2})

    with open_detector(plan, runtime) as detector:
        for found in detector.detect([square_frame(), square_frame(seed=1)]):
            assert_finds(found, SQUARES)


@pytest.mark.parametrize("family", ["yolov8", "detr", "end2end"])
def test_a_model_that_takes_several_is_given_several(family: str, tmp_path: Path) -> None:
    """Nothing is held against it, whatever else it takes beside pictures."""
    plan = make_plan(build_detector(family, tmp_path / "m.onnx", batch="dynamic"), {"labels": LABELS, "batch": 4})

    assert (plan.batch, plan.engine_batch, plan.batch_fault) == (4, None, "")


def test_nothing_is_tried_for_one(tmp_path: Path) -> None:
    """A model that is asked for one picture at a time may fail at two unseen."""
    assert make_plan(single_minded(tmp_path)).batch_fault == ""


@pytest.mark.assets
def test_a_published_model_takes_three(assets: Path) -> None:
    """A real model with an open batch; one with a batch of one stays at one."""
    labels = assets / "models" / "coco80.txt"
    open_batch = make_plan(assets / "models" / "deimv2_atto_320.onnx", {"labels": labels, "batch": 3})
    fixed = make_plan(assets / "models" / "yolox_nano_416.onnx", {"labels": labels})

    assert (open_batch.batch, open_batch.engine_batch, open_batch.batch_fault) == (3, None, "")
    assert (fixed.batch, fixed.engine_batch) == (1, 1)


def test_an_engine_that_fixes_the_batch_is_filled(tmp_path: Path) -> None:
    """A plan with an open batch becomes one of exactly as many pictures as the engine was made for."""
    plan = make_plan(build_detector("yolov8", tmp_path / "m.onnx", batch="dynamic"), {"batch": 4})
    made_for_two = (TensorSpec(plan.image.name, "uint8", (2, 320, 320, 3)),)
    left_open = (TensorSpec(plan.image.name, "uint8", (None, 320, 320, 3)),)

    assert (plan.as_loaded(made_for_two).batch, plan.as_loaded(made_for_two).is_batch_fixed) == (2, True)
    assert plan.as_loaded(left_open) is plan
