"""`sitewatch model info` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from models.square_detectors import build_detector

from agent.cli import main
from agent.service.exit_codes import ExitCode


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return build_detector("yolov8", tmp_path / "squares.onnx", input_size=128)


def test_text(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Size, family, inputs, costs, operators, and a sign for every run-time."""
    assert main(["model", "info", str(model), "--layers", "2"]) == ExitCode.OK
    said = capsys.readouterr().out

    assert said.startswith("squares.onnx: ")
    for line in (
        "family: yolov8; 128x128 rgb",
        "input   images float32 (1 x 3 x 128 x 128)",
        "multiply-adds: ",
        "largest layers",
        "  + ONNX Runtime ",
        "NVIDIA DLA (Jetson Orin)",
    ):
        assert line in said


def test_json(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same for programs."""
    assert main(["model", "info", str(model), "--json"]) == ExitCode.OK
    told = json.loads(capsys.readouterr().out)

    assert told["family"] == "yolov8"
    assert told["inputs"] == [{"name": "images", "dtype": "float32", "shape": [1, 3, 128, 128]}]
    assert told["parameters"] == sum(layer["parameters"] for layer in told["layers"])
    assert sum(told["operators"].values()) > 100
    assert {"name", "verdict", "source", "stops"} <= set(told["targets"][0])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "no such file"),
        (b"", "the file is empty"),
        (b"PK\x03\x04" + bytes(60), "a zip archive"),
        (b"model: yolov8n\n", "a text file"),
        (bytes(500), "no ONNX model"),
    ],
)
def test_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, sentence: str) -> None:
    """One line that names the file and says what it is; both tools alike."""
    path = tmp_path / "some.onnx"
    if content is not None:
        path.write_bytes(content)
    for tool in ("info", "optimize"):
        assert main(["model", tool, str(path)]) == ExitCode.DATAERR
        said = capsys.readouterr()

        assert said.out == ""
        assert said.err.startswith(f"sitewatch: {path}: ")
        assert sentence in said.err
        assert said.err.count("\n") == 1


def test_a_truncated_model(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cut in half it is refused, by both tools, in one line."""
    model.write_bytes(model.read_bytes()[: model.stat().st_size // 2])
    for tool in ("info", "optimize"):
        assert main(["model", tool, str(model)]) == ExitCode.DATAERR
        assert "no ONNX model, or one that was cut short or damaged" in capsys.readouterr().err


def test_a_wrong_shape_option(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake on the command line is told before anything is read."""
    with pytest.raises(SystemExit) as ended:
        main(["model", "info", str(model), "--shape", "images=1x3xbig"])

    assert ended.value.code == ExitCode.USAGE
    assert "allowed is INPUT=1x3x640x640" in capsys.readouterr().err
