"""Modules that can be exported: names, types, batches, opsets, weights. Runs where PyTorch is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from models.export_runs import Export
from models.torch_oddities import Sized
from models.torch_squares import WEIGHTS, TorchSquares

PICTURE = "1x3x64x64:float32:0..255"


def test_several_inputs_and_outputs(export: Export) -> None:
    """Names are the module's own, types are kept, and only what follows the batch is open."""
    done = export("models.torch_oddities:TwoEnds", "--input", "2x3x16x16", "--input", "2x2:int64", "--dynamic-batch")

    assert done.status == 0, done.err
    assert done.facts["inputs"] == [
        {"name": "images", "type": "float32", "shape": [None, 3, 16, 16]},
        {"name": "sizes", "type": "int64", "shape": [None, 2]},
    ]
    assert done.facts["outputs"] == [
        {"name": "scaled", "type": "float32", "shape": [None, 3]},
        {"name": "anchors", "type": "float32", "shape": [5]},
    ]
    assert done.facts["batches"] == [1, 2, 3]
    assert all(each["relative"] <= 1e-6 for each in done.facts["differences"])


@pytest.mark.parametrize(("opset", "way"), [("17", "TorchScript"), ("20", "torch.export")])
def test_opsets(export: Export, opset: str, way: str) -> None:
    """Each opset is written as asked, by the exporter that can, with the batch open."""
    names = ("--input", f"pixels:{PICTURE}", "--output-names", "rows")
    done = export(
        "models.torch_squares:TorchSquares", "--weights", WEIGHTS, *names, "--opset", opset, "--dynamic-batch"
    )

    assert done.status == 0, done.err
    assert (done.facts["opset"], done.facts["exporter"]) == (int(opset), way)
    assert [value.name for value in (*done.graph.input, *done.graph.output)] == ["pixels", "rows"]
    session = onnxruntime.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])
    assert session.run(None, {"pixels": np.zeros((5, 3, 64, 64), np.float32)})[0].shape == (5, 84, 7)


def test_eval_mode_and_the_same_numbers(export: Export) -> None:
    """Weights are read, dropout and batch normalisation rest: the file answers as PyTorch does in eval mode."""
    done = export("models.torch_squares:TorchSquares", "--weights", WEIGHTS, "--input", PICTURE)
    module = TorchSquares()
    module.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    picture = np.random.default_rng(9).uniform(0, 255, (1, 3, 64, 64)).astype(np.float32)
    with torch.no_grad():
        expected = module.eval()(torch.from_numpy(picture)).numpy()
    session = onnxruntime.InferenceSession(str(done.path), providers=["CPUExecutionProvider"])

    np.testing.assert_allclose(session.run(None, {"images": picture})[0], expected, atol=1e-5)
    assert done.facts["module"]["parameters"] == 9039
    assert done.facts["differences"][0]["relative"] <= 1e-5


def test_nested_outputs_and_a_ready_module(export: Export) -> None:
    """Outputs within outputs come one after the other; a module that stands in the file is taken as it is."""
    nested = export("models.torch_oddities:Nested", "--input", "1x4")
    assert [each["name"] for each in nested.facts["outputs"]] == ["output0", "output1", "output2"]

    assert (
        export("models.torch_oddities:READY", "--input", "1x4", "--opset", "17").facts["module"]["class"] == "Doubling"
    )


def test_arguments_and_wrapped_weights(export: Export, tmp_path: Path) -> None:
    """A class gets its arguments; weights come out of what a training script saved, those of parallel training too."""
    weights = {f"module.{name}": tensor for name, tensor in Sized(4).state_dict().items()}
    torch.save({"epoch": 3, "state_dict": weights}, tmp_path / "last.pt")
    given = ("--argument", "size=4", "--weights", tmp_path / "last.pt")

    assert export("models.torch_oddities:Sized", *given, "--input", "2x4", "--opset", "17").status == 0


def test_half_precision(export: Export) -> None:
    """Half precision stays, and is allowed more."""
    done = export("models.torch_oddities:Half", "--input", "2x64:float16")

    assert done.status == 0, done.err
    assert done.facts["outputs"] == [{"name": "output", "type": "float16", "shape": [2, 8]}]
    assert done.facts["tolerance"] == 0.01


def test_nothing_of_the_machine_is_in_the_file(export: Export) -> None:
    """No paths, stacks or code of where it was exported; and what the module prints stays out of the answer."""
    for opset in ("17", "18"):
        done = export("models.torch_oddities:Chatty", "--input", "1x4", "--opset", opset)

        assert done.facts["written"] == str(done.path)
        assert b"torch_oddities" not in done.path.read_bytes()
        assert b"site-packages" not in done.path.read_bytes()
        assert done.err == ""
