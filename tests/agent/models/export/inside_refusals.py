"""Modules, weights and graphs that are refused, each in one line that tells why. Runs where PyTorch is."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import pytest
import torch
from models.export_runs import Export, assert_refused
from models.torch_squares import WEIGHTS

PICTURE = ("--input", "1x3x64x64:float32:0..255")
CANNOT = {
    "Custom": "Custom cannot be exported by torch.export: operator oddities::twist has no form in ONNX",
    "Decomposing": "operator aten::_linalg_svd has no form in ONNX",
    "Branching": "depends on what a tensor holds (an if, a loop or a size), at torch_oddities.py line",
    "Dropping": "Dropping answers the same input differently each time",
    "Numbered": "gives a value of type int beside or in place of tensors",
    "Sized": "models.torch_oddities:Sized cannot be made: TypeError",
    "Missing": "models.torch_oddities:Missing cannot be imported: AttributeError",
    "NOT_A_MODULE": "is a int; a torch.nn.Module is needed",
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_exported(export: Export, name: str) -> None:
    """The line names the operator, or the place, or what is wrong with the module."""
    assert_refused(export(f"models.torch_oddities:{name}", "--input", "2x4"), CANNOT[name])


@pytest.mark.parametrize("name", ["Custom", "Decomposing"])
def test_the_older_exporter_names_it_too(export: Export, name: str) -> None:
    """Below opset 18, where graphs are recorded."""
    operator = {"Custom": "oddities::twist", "Decomposing": "aten::linalg_svd"}[name]

    assert_refused(
        export(f"models.torch_oddities:{name}", "--input", "2x4", "--opset", "17"), f"operator {operator} has no form"
    )


def test_a_recorded_branch_is_found_out(export: Export) -> None:
    """A recording keeps one way only; the comparison sees it, and nothing is written."""
    done = export("models.torch_oddities:Branching", "--input", "2x4", "--opset", "17")

    assert_refused(done, "output output of the graph differs from PyTorch's by")
    assert done.facts["written"] is None
    assert done.facts["differences"][0]["absolute"] > 0.5


def test_a_baked_batch_is_found_out(export: Export) -> None:
    """A batch that became a number on the way is refused, by either exporter."""
    recorded = export("models.torch_oddities:BakedBatch", "--input", "1x4", "--opset", "17", "--dynamic-batch")
    assert_refused(recorded, "has shape (2, 2) where PyTorch's has (1, 4) (noise 1, batch 1)")

    other = export("models.torch_oddities:BakedBatch", "--input", "1x4", "--dynamic-batch")
    assert_refused(other, "takes a batch of 2 only, though an open one was asked for")


def test_a_module_of_one_batch(export: Export) -> None:
    """A module that takes no other batch is told before anything is exported."""
    done = export("models.torch_oddities:FixedBatch", "--input", "2x4", "--dynamic-batch")

    assert_refused(done, "FixedBatch fails on 3x4 float32")


def test_an_input_nobody_looks_at(export: Export) -> None:
    """A recording leaves it out, which is told."""
    heedless = ("models.torch_oddities:Heedless", "--input", "1x4", "--input", "1x4")

    assert_refused(export(*heedless, "--opset", "17"), "input unseen changes nothing in the answers of Heedless")


def test_over_the_tolerance(export: Export) -> None:
    """Differences that would be nothing are too much where nothing is allowed; the report tells them all the same."""
    given = ("--weights", WEIGHTS, *PICTURE, "--tolerance", "0", "--opset", "17")
    done = export("models.torch_squares:TorchSquares", *given)

    assert_refused(done, "allowed is 0; nothing was written")
    assert 0 < done.facts["differences"][0]["relative"] < 1e-5
    assert done.facts["refusal"] in done.err


def test_weights(export: Export, tmp_path: Path) -> None:
    """Code in weights is not run; those of another module, damaged ones and none at all are told."""
    weights = tmp_path / "weights.pt"

    def refused(words: str) -> None:
        assert_refused(export("models.torch_squares:TorchSquares", "--weights", weights, *PICTURE), words)

    refused("No such file or directory")
    ran = tmp_path / "ran"
    weights.write_bytes(pickle.dumps(_Touching(ran)))
    refused("reading them would run code of the file")
    torch.save({"state_dict": _Touching(ran)}, weights)
    refused("reading them would run code of the file")
    assert not ran.exists()
    torch.save({"rest.weight": torch.zeros(3)}, weights)
    refused(" are missing, down.0.0.weight for one")
    torch.save([torch.zeros(3)], weights)
    refused("holds no weights by name")
    weights.write_bytes(WEIGHTS.read_bytes()[:2000])
    refused("no PyTorch weights, or damaged")


class _Touching:
    """Makes a file when it is read by a reader that trusts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._path),)


def test_modules_that_are_not_there(export: Export, tmp_path: Path) -> None:
    """A module that is not found, one with a mistake in it, and names that do not fit."""
    (tmp_path / "mistaken.py").write_text("def broken(:\n", encoding="utf-8")
    doubling = ("models.torch_oddities:Doubling", "--opset", "17", "--input", "1x4")

    ready = ("models.torch_oddities:READY", "--argument", "size=4", "--input", "1x4")
    assert_refused(export(*ready), "is a module already, which takes no arguments; found size")
    assert_refused(export("nowhere.at_all:Module", "--input", "1x4"), "No module named 'nowhere'")
    assert_refused(export("mistaken:Module", "--input", "1x4", "--folder", tmp_path), "SyntaxError")
    assert_refused(export(*doubling, "--output-names", "a,b"), "found 2 output names, a, b; the module gives 1")
    assert_refused(export(*doubling, "--output-names", "x"), "share a name: x, x")
    assert_refused(export(*doubling, "--input", "1x4"), "Doubling fails on 1x4 float32, 1x4 float32")


def test_where_nothing_can_be_written(export: Export, tmp_path: Path) -> None:
    """A folder that is not there, a full disk, a folder's name, the weights themselves: told, and nothing is harmed."""
    doubling = ("models.torch_oddities:Doubling", "--opset", "17", "--input", "1x4", "--out")
    weights = tmp_path / "weights.pt"
    weights.write_bytes(WEIGHTS.read_bytes())

    assert_refused(export(*doubling, tmp_path / "no" / "m.onnx"), "there is no such folder", 73)
    assert_refused(export(*doubling, "/dev/full"), "/dev/full cannot be written: No space left on device", 73)
    assert_refused(export(*doubling, tmp_path), "Is a directory", 73)
    given = ("--weights", weights, *PICTURE, "--out", weights)
    assert_refused(export("models.torch_squares:TorchSquares", *given), "is what is exported; name another file", 73)
    assert weights.read_bytes() == WEIGHTS.read_bytes()


def test_what_was_there_stays(export: Export) -> None:
    """A refused export leaves an older file of that name as it was."""
    path = export("models.torch_oddities:Doubling", "--input", "1x4", "--opset", "17").path
    before = path.read_bytes()

    assert export("models.torch_oddities:Custom", "--input", "1x4", "--opset", "17").status == 65
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
