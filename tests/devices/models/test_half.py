"""float16 models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from models.layered_squares import build_layered
from models.small_graphs import graph, node
from onnx import TensorProto

from devices.engines.engine import ImageInput
from devices.errors import ModelFileError
from devices.models.half import as_half
from devices.models.onnx_running import OnnxRun

IMAGE = ImageInput("images", 128, 128, "rgb", (0.0, 0.0, 0.0), (1 / 255,) * 3)


def test_weights_are_halved_and_inputs_stay(tmp_path: Path) -> None:
    """Inputs and outputs are float32 still, weights float16, and the answer is that of before but for rounding."""
    path, half = build_layered(tmp_path / "squares.onnx", is_bad=False), tmp_path / "half.onnx"

    made = as_half(path)
    onnx.save(made, str(half))

    types = {value.type.tensor_type.elem_type for value in (*made.graph.input, *made.graph.output)}
    assert types == {TensorProto.FLOAT}
    weight = next(each for each in made.graph.initializer if each.name == "w_split")
    assert weight.data_type == TensorProto.FLOAT16
    pictures = {"images": np.random.default_rng(0).integers(0, 256, (1, 128, 128, 3), np.uint8)}
    exact, rounded = (OnnxRun(each, IMAGE, optimised=True).answer(pictures)["output0"] for each in (path, half))
    assert np.abs(exact - rounded)[:, 4:].max() < 0.05


def test_nothing_to_halve(tmp_path: Path) -> None:
    """A model without float32 weights is refused in a sentence."""
    path = tmp_path / "bare.onnx"
    onnx.save(graph([node("Relu", "x", "y")], {"x": (1, 3)}, ["y"]), str(path))

    with pytest.raises(ModelFileError, match="no float32 weights"):
        as_half(path)
