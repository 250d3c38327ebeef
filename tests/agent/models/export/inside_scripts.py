"""TorchScript files. Runs where PyTorch is."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from models.export_runs import Export, assert_refused
from models.torch_oddities import Branching, Dropping, TwoEnds
from models.torch_squares import WEIGHTS, TorchSquares


def saved(module: torch.nn.Module, path: Path, *example: torch.Tensor, is_frozen: bool = False) -> Path:
    """Recorded with an example, else compiled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.jit.trace(module, example) if example else torch.jit.script(module)
        (torch.jit.freeze(made) if is_frozen else made).save(str(path))
    return path


@pytest.fixture
def squares() -> TorchSquares:
    module = TorchSquares()
    module.load_state_dict(torch.load(WEIGHTS, weights_only=True))
    return module.eval()


@pytest.mark.parametrize("is_frozen", [False, True])
def test_a_recorded_detector(export: Export, tmp_path: Path, squares: TorchSquares, is_frozen: bool) -> None:  # noqa: FBT001 - a parameter
    """A detector out of a file answers as it does there, of any batch, whatever its code calls its input."""
    path = saved(squares, tmp_path / "squares.pt", torch.zeros(2, 3, 64, 64), is_frozen=is_frozen)
    done = export(path, "--input", "images:1x3x64x64:float32:0..255", "--dynamic-batch")

    assert done.status == 0, done.err
    assert (done.facts["exporter"], done.facts["opset"]) == ("TorchScript", 18)
    assert done.facts["batches"] == [1, 3]
    assert done.facts["outputs"] == [{"name": "output", "type": "float32", "shape": [None, None, 7]}]
    assert done.facts["differences"][0]["relative"] <= 1e-5


def test_a_branch_is_kept(export: Export, tmp_path: Path) -> None:
    """Compiled TorchScript keeps both ways, and so does the graph."""
    path = saved(Branching(), tmp_path / "branching.pt")
    done = export(path, "--input", "2x4")

    assert done.status == 0, done.err
    assert "If" in {node.op_type for node in done.graph.node}
    assert [value.name for value in done.graph.input] == ["x"]
    assert_refused(export(path, "--input", "2x4", "--opset", "25"), "Unsupported onnx_opset_version: 25", is_kept=True)


def test_what_it_cannot_export(export: Export, tmp_path: Path) -> None:
    """A mapping for an answer is an operator that ONNX has no form for."""
    path = saved(TwoEnds(), tmp_path / "ends.pt")
    done = export(path, "--input", "1x3x16x16", "--input", "1x2:int64")

    assert_refused(done, "operator prim::DictConstruct has no form in ONNX")


def test_recorded_in_training(export: Export, tmp_path: Path) -> None:
    """What draws at random cannot be compared, and is told."""
    path = saved(Dropping(), tmp_path / "dropping.pt")

    assert_refused(export(path, "--input", "4x64"), "answers the same input differently each time")


def test_a_checkpoint_in_place_of_it(export: Export) -> None:
    """Weights alone say what is missing, and how to give them."""
    done = export(WEIGHTS, "--input", "1x3x64x64")

    assert_refused(
        done, "name the class, and this file with --weights: package.module:Class --weights torch_squares.pt"
    )


def test_cut_short(export: Export, tmp_path: Path, squares: TorchSquares) -> None:
    """A truncated file, one whose code is none, another kind, none at all, and a folder: one line each."""
    whole = saved(squares, tmp_path / "whole.pt", torch.zeros(1, 3, 64, 64)).read_bytes()
    broken = tmp_path / "broken.pt"
    for content in (whole[: len(whole) // 2], b"", b"not a model\n"):
        broken.write_bytes(content)
        assert_refused(export(broken, "--input", "1x3x64x64"), "no TorchScript file, or one that was cut short")

    _spoil_code(tmp_path / "whole.pt", broken)
    assert_refused(export(broken, "--input", "1x3x64x64"), f"{broken}: no TorchScript, or damaged: RuntimeError")
    assert_refused(export(tmp_path / "nowhere.pt", "--input", "1x3x64x64"), "No such file or directory")
    assert_refused(export(tmp_path, "--input", "1x3x64x64"), "Is a directory")


def _spoil_code(path: Path, to: Path) -> None:
    """The same archive, with words in place of its code."""
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(to, "w", zipfile.ZIP_STORED) as spoiled:
        for name in archive.namelist():
            is_code = "/code/" in name and name.endswith(".py")
            spoiled.writestr(name, b"no code at all" if is_code else archive.read(name))
