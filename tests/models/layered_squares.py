"""The squares' detectors with layers in front that change nothing in float, so that there is something to quantise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from models.square_detectors import build_detector
from onnx import helper, numpy_helper

LAYERS = ("split", "join", "wide", "narrow")
"""Nodes of the layers. What is between `wide` and `narrow` quantises badly: a channel without use is far too large."""
_OUTLIER = 1000.0
_EYE = np.eye(3, dtype=np.float32)[:, :, None, None]


def build_layered(path: Path, *, opset: int = 17, input_size: int = 128, is_bad: bool = True) -> Path:
    """Write a YOLOv8-like detector that looks at its picture through four convolutions, a Relu and a Concat.

    Args:
        path: of the ONNX file.
        opset: of the file's operators.
        input_size: side of the model's picture.
        is_bad: let what is between `wide` and `narrow` quantise badly.
    """
    build_detector("yolov8", path, input_size=input_size)
    proto = onnx.load(str(path))
    weights = {
        "w_split": np.concatenate([_EYE, -_EYE]),
        "w_join": np.concatenate([_EYE, -_EYE, 0.0 * _EYE], axis=1),
        "w_wide": np.concatenate([_EYE, (_OUTLIER if is_bad else 1.0) * np.ones((1, 3, 1, 1), np.float32)]),
        "w_narrow": np.concatenate([_EYE, np.zeros((3, 1, 1, 1), np.float32)], axis=1),
    }
    front = [
        helper.make_node("Conv", ["images", "w_split"], ["halves"], name="split"),
        helper.make_node("Relu", ["halves"], ["cut"], name="cut"),
        helper.make_node("Concat", ["cut", "images"], ["together"], name="together", axis=1),
        helper.make_node("Conv", ["together", "w_join"], ["joined"], name="join"),
        helper.make_node("Conv", ["joined", "w_wide"], ["widened"], name="wide"),
        helper.make_node("Conv", ["widened", "w_narrow"], ["seen"], name="narrow"),
    ]
    for node in proto.graph.node:
        node.input[:] = ["seen" if name == "images" else name for name in node.input]
    nodes = [*front, *proto.graph.node]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del proto.graph.node[:]
    proto.graph.node.extend(copies)
    proto.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in weights.items())
    proto.opset_import[0].version = opset
    onnx.checker.check_model(proto)
    onnx.save(proto, str(path))
    return path
