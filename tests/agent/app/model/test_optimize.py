"""`sitewatch model optimize` as it is called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from models.detecting import square_frame
from models.square_detectors import build_detector
from servers.small_disk import SmallDisk

from agent.cli import main
from agent.models.optimize import optimizing
from agent.service.exit_codes import ExitCode
from devices.models.onnx_simplify import simplify


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_detector("yolov8", tmp_path / "squares.onnx", input_size=128)


def run(*arguments: str | Path) -> int:
    return main(["model", "optimize", *map(str, arguments)])


def test_written_and_told(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The result is there, is a model of fewer nodes, and what it brought is told; nothing else is left."""
    out = tmp_path / "out" / "slim.onnx"

    assert run(model, "--out", out) == ExitCode.OK
    said = capsys.readouterr().out
    assert "squares.onnx: equal after onnxslim" in said
    assert "same bit for bit, on noise and 2 pictures" in said
    assert f"written: {out}, {out.stat().st_size:,} bytes" in said
    assert len(onnx.load(str(out)).graph.node) < len(onnx.load(str(model)).graph.node)
    assert [path.name for path in out.parent.iterdir()] == ["slim.onnx"]


def test_pictures_of_ones_own(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the folder are asked, no more than the limit, and their boxes compared."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "notes.txt").write_text("no picture")
    for name in ("a.png", "b.png", "c.png"):
        cv2.imwrite(str(folder / name), square_frame().picture.scaled(640, 360))

    assert run(model, "--images", folder, "--limit", "2", "--json") == ExitCode.OK
    told = json.loads(capsys.readouterr().out)
    pictures = {check["question"]: check["boxes"] for check in told["checks"] if "noise" not in check["question"]}
    assert set(pictures) == {"a.png", "b.png"}
    assert all(boxes.startswith("2 boxes") for boxes in pictures.values())
    assert told["after"]["nodes"] < told["before"]["nodes"]
    assert (told["out"], told["refused"]) == (None, None)


def test_what_differs_is_not_written(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The original is to be kept, and why is told; what stood at the place of the result still does."""

    def wrongly(proto: onnx.ModelProto) -> onnx.ModelProto:
        found = simplify(proto)
        for tensor in found.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT:
                array = onnx.numpy_helper.to_array(tensor) + np.float32(1)
                tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
        return found

    monkeypatch.setattr(optimizing, "simplify", wrongly)
    out = tmp_path / "slim.onnx"
    out.write_text("before")

    assert run(model, "--out", out) == ExitCode.DATAERR
    said = capsys.readouterr()
    assert said.err.startswith(f"sitewatch: {model}: keep it; noise 1, ONNX Runtime's optimisations off: output0 ")
    assert said.err.endswith("nothing was written\n")
    assert out.read_text() == "before"


BAD_CALLS = {
    "the model itself": (["--out", "squares.onnx"], "is the model itself", ExitCode.DATAERR),
    "no folder": (["--images", "nowhere"], "no such folder", ExitCode.DATAERR),
    "no pictures": (["--images", "."], "no pictures in it", ExitCode.DATAERR),
    "a folder that is a file": (["--out", "squares.onnx/slim.onnx"], "cannot be written", ExitCode.CANTCREAT),
}


@pytest.mark.parametrize("call", BAD_CALLS)
def test_bad_calls(model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """One line, and no traceback."""
    monkeypatch.chdir(model.parent)
    options, sentence, code = BAD_CALLS[call]

    assert run("squares.onnx", *options) == code
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1


@pytest.mark.mounts
def test_a_full_disk(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told, and nothing half written is left."""
    with SmallDisk(tmp_path / "disk", 1) as disk:
        disk.fill()

        assert run(model, "--out", disk.folder / "slim.onnx") == ExitCode.CANTCREAT
        assert "No space left on device" in capsys.readouterr().err
        assert not list(disk.folder.glob("*slim*"))


def test_without_its_package(model: Path, tmp_path: Path) -> None:
    """Where onnxslim is not installed, it is told how to get it."""
    (tmp_path / "onnxslim.py").write_text("raise ImportError('No module named onnxslim')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from agent.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", code, "model", "optimize", str(model)], capture_output=True, text=True, check=False
    )

    assert done.returncode == ExitCode.UNAVAILABLE
    assert "onnxslim cannot be imported" in done.stderr
    assert "pip install 'sitewatch[tools]'" in done.stderr
