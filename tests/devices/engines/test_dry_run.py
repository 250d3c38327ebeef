"""A model run once to see its shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.tiny_onnx import HALF, model, open_size, two_inputs
from onnx import helper

from devices.engines.dry_run import blank_tensor, dry_run
from devices.engines.model_file import read_model
from devices.errors import EngineLoadError, InferenceError


def test_real_output_shapes(tmp_path: Path) -> None:
    """With the sizes given, every output has the shape it really has."""
    path = open_size().write(tmp_path)
    (spec,) = read_model(path).inputs

    got = dry_run(path, {"x": blank_tensor(spec, (2, 3, 32, 48))})

    assert {name: (array.dtype.name, array.shape) for name, array in got.items()} == {"y": ("float32", (2, 3, 32, 48))}


def test_an_open_batch_counts_as_one(tmp_path: Path) -> None:
    """Inputs without a given shape take a batch of one; integers are ones, floats a half."""
    path = two_inputs().write(tmp_path)

    blank = {spec.name: blank_tensor(spec) for spec in read_model(path).inputs}

    assert [array.shape for array in dry_run(path, blank).values()] == [(1, 2), (1, 3, 4, 5)]
    assert (blank["sizes"] == 1).all()
    assert (blank["images"] == 0.5).all()


def test_a_size_that_nobody_gives(tmp_path: Path) -> None:
    """An open size without a given one is asked for by name."""
    with pytest.raises(EngineLoadError, match="input x leaves its size open"):
        blank_tensor(*read_model(open_size().write(tmp_path)).inputs)


def test_values_of_a_dry_run(tmp_path: Path) -> None:
    """The arrays are the model's answers to the tensors given; float16 comes as float32."""
    axes = (1, "n")
    path = tmp_path / "half.onnx"
    proto = model([helper.make_node("Neg", ["x"], ["y"])], {"x": (HALF, axes)}, {"y": (HALF, axes)})
    path.write_bytes(proto.SerializeToString())

    got = dry_run(path, {"x": np.array([[1, 2, 3]], np.float16)})

    assert got["y"].dtype == np.float32
    np.testing.assert_array_equal(got["y"], [[-1, -2, -3]])


def test_wrong_tensors(tmp_path: Path) -> None:
    """What the model does not take is refused as in any inference."""
    with pytest.raises(InferenceError, match="input x takes float32"):
        dry_run(open_size().write(tmp_path), {"x": np.zeros((1, 4, 2, 2), np.float32)})
