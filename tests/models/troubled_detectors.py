"""Detectors that answer well until a blue square comes into the picture, and then do what no detector should."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from models.square_detectors import build_detector
from onnx import TensorProto, helper, numpy_helper

OUTPUT = "output0"
# The blue square is 32 pixels wide in the model's picture; nothing else is as blue over so many.
POOL_PX = 16
BLUE = 0.6

Nodes = list[onnx.NodeProto]


def build_troubled(trouble: str, path: Path, *, input_size: int, frame_px: tuple[int, int]) -> Path:
    """Write one.

    Args:
        trouble: a key of `TROUBLES`.
        path: of the ONNX file to write.
        input_size: side of the model's picture.
        frame_px: size of the frames.
    """
    model = onnx.load(str(build_detector("yolov8", path, input_size=input_size, frame_px=frame_px)))
    last = next(node for node in model.graph.node if OUTPUT in node.output)
    last.output[0] = "fine"
    for name, value in CONSTANTS.items():
        model.graph.initializer.append(numpy_helper.from_array(value, name))
    model.graph.node.extend([*_is_blue(), *TROUBLES[trouble]()])
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


CONSTANTS = {
    "red_to_blue": np.array([[[[-1.0]], [[0.0]], [[1.0]]]], np.float32),
    "blue_enough": np.array(BLUE, np.float32),
    "far_off": np.array(1000, np.int64),
    "ones": np.ones(1, np.float32),
    "rows": np.array([1, 1, 1], np.int64),
    "first_axis": np.array([1, 0, 0], np.int64),
    "nothing": np.array(False),  # noqa: FBT003 - a constant of the graph
    "one": np.array(1.0, np.float32),
}


def _is_blue() -> Nodes:
    """`blue`: a truth value; `blue_count`: 1 or 0."""
    return [
        helper.make_node("Conv", ["images", "red_to_blue"], ["blueness"]),
        helper.make_node("AveragePool", ["blueness"], ["areas"], kernel_shape=[POOL_PX] * 2, strides=[4, 4]),
        helper.make_node("ReduceMax", ["areas"], ["bluest"], keepdims=0),
        helper.make_node("Greater", ["bluest", "blue_enough"], ["blue"]),
        helper.make_node("Cast", ["blue"], ["blue_count"], to=TensorProto.INT64),
    ]


def _raises() -> Nodes:
    """Reads a list of one at place 1000."""
    return [
        helper.make_node("Mul", ["blue_count", "far_off"], ["place"]),
        helper.make_node("Gather", ["ones", "place"], ["weight"]),
        helper.make_node("Mul", ["fine", "weight"], [OUTPUT]),
    ]


def _never_ready() -> Nodes:
    """Counts for ever whatever it sees, so that not even a first answer comes."""
    always = helper.make_node("Not", ["never"], ["blue_or_not"])
    loop, weigh = _hangs()
    loop.input[1] = "blue_or_not"
    return [helper.make_node("And", ["blue", "nothing"], ["never"]), always, loop, weigh]


def _wrong_shape() -> Nodes:
    """Answers for two pictures where one was given."""
    return [
        helper.make_node("Mul", ["blue_count", "first_axis"], ["more_rows"]),
        helper.make_node("Add", ["rows", "more_rows"], ["repeats"]),
        helper.make_node("Tile", ["fine", "repeats"], [OUTPUT]),
    ]


def _no_number() -> Nodes:
    """Divides by zero."""
    return [
        helper.make_node("Cast", ["blue"], ["blue_share"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["one", "blue_share"], ["rest"]),
        helper.make_node("Div", ["fine", "rest"], ["vast"]),
        helper.make_node("Mul", ["vast", "rest"], [OUTPUT]),
    ]


def _hangs() -> Nodes:
    """Counts for ever."""
    scalar = [helper.make_tensor_value_info(name, kind, []) for name, kind in LOOP_INPUTS]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_on"], ["goes_on"]),
            helper.make_node("Add", ["counted", "one"], ["counted_on"]),
        ],
        "for_ever",
        scalar,
        [
            helper.make_tensor_value_info("goes_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("counted_on", TensorProto.FLOAT, []),
        ],
    )
    return [
        helper.make_node("Loop", ["", "blue", "one"], ["turns"], body=body),
        helper.make_node("Mul", ["fine", "turns"], [OUTPUT]),
    ]


LOOP_INPUTS = (("turn", TensorProto.INT64), ("go_on", TensorProto.BOOL), ("counted", TensorProto.FLOAT))
TROUBLES: dict[str, Callable[[], Nodes]] = {
    "raises": _raises,
    "wrong shape": _wrong_shape,
    "no number": _no_number,
    "hangs": _hangs,
    "never ready": _never_ready,
}
