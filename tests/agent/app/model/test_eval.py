"""`sitewatch model eval`, as it is called."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from models.square_detectors import build_detector
from models.square_folder import write_square_folder

from agent.app.model.evaluate.report import as_text
from agent.app.model.evaluate.verb import refuse_bad
from agent.cli import main
from agent.detect.detection_plan import plan_model
from agent.errors import RefusedResultError, ToolUnavailableError
from agent.models.evaluate.answers import FOR_SCORING
from agent.models.evaluate.coco_folder import read_coco_folder
from agent.models.evaluate.comparing import EngineOutcome, evaluate_on
from agent.models.evaluate.engine_use import REFERENCE, EngineUse
from agent.models.evaluate.parity import compare_found
from agent.service.exit_codes import ExitCode
from agent.settings.models import ModelSettings
from trackers import Detections

WIDTH = 82


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures of squares."""
    return write_square_folder(tmp_path_factory.mktemp("eval") / "set", pictures=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that finds them."""
    return build_detector("yolov8", tmp_path_factory.mktemp("eval") / "squares.onnx")


@pytest.mark.parametrize("tool", ["eval", "bench"])
def test_help_fits_a_terminal(tool: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The page says what it does, with examples and exit statuses."""
    with pytest.raises(SystemExit) as ended:
        main(["model", tool, "--help"])

    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "examples:" in text
    assert "exit status:" in text


def test_scores_of_one_model(model: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On ONNX Runtime where nothing is said: what was read, a row, and every class when asked."""
    assert main(["model", "eval", str(model), "--dataset", str(folder), "--classes"]) == ExitCode.OK

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("set: 3 pictures, 6 boxes, 2 categories, from instances.json")
    row = next(line for line in lines if line.startswith("squares.onnx  "))
    assert row.split()[1:5] == ["onnxruntime", "on", "cpu", "fp32"]
    assert float(row.split()[6]) == 1.0
    assert not any("matched" in line for line in lines)
    assert [line.split()[:2] for line in lines if line.startswith(("  red", "  Blue"))] == [["red", "3"], ["Blue", "3"]]


def test_parity_of_two_engines(model: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reference runs beside the engine asked for, and boxes are compared with it."""
    command = ["model", "eval", str(model), "--dataset", str(folder), "--engine", "openvino:cpu", "--json"]

    assert main(command) == ExitCode.OK

    told = json.loads(capsys.readouterr().out)
    reference, other = told["results"]
    assert [each["engine"] for each in told["results"]] == ["onnxruntime on cpu", "openvino on cpu"]
    assert reference["parity"] is None
    assert (other["parity"]["matched"], other["parity"]["missing"], other["parity"]["extra"]) == (6, 0, 0)
    assert other["parity"]["is_within"] is True
    assert reference["score"]["ap50"] == other["score"]["ap50"] == 1.0
    assert told["dataset"]["boxes"] == 6


def test_engines_that_differ_end_badly() -> None:
    """Whoever scripts it sees it: boxes that are not there, and engines of which none gave a score."""
    there = Detections(np.array([[0, 0, 9, 9]]), np.array([0.8]), np.array([0]))
    same, other = (compare_found({1: there}, {1: found}, "fp32") for found in (there, Detections.empty()))
    good = EngineOutcome("m.onnx", EngineUse("openvino"), parity=same)
    failed = EngineOutcome("m.onnx", EngineUse("tensorrt"), failure="gone")

    refuse_bad([good, failed])
    with pytest.raises(RefusedResultError, match=r"m\.onnx on openvino on cpu: not the same: 0 of 1 boxes matched"):
        refuse_bad([good, replace(good, parity=other)])
    with pytest.raises(ToolUnavailableError, match="no engine could run it: tensorrt on cpu: gone"):
        refuse_bad([failed])


def test_an_engine_that_fails_is_a_line(model: Path, folder: Path) -> None:
    """The others are scored all the same."""
    settings = ModelSettings(path=model)
    plan = plan_model(model, settings, FOR_SCORING)
    uses = (REFERENCE, EngineUse("tensorrt"), EngineUse("openvino"))

    outcomes = evaluate_on(plan, settings, uses, read_coco_folder(folder), 0.01)

    assert [each.failure != "" for each in outcomes] == [False, True, False]
    text = as_text(read_coco_folder(folder), outcomes, has_classes=False)
    assert f"squares.onnx on tensorrt on cpu: {outcomes[1].failure}" in text
    assert "same 6 of 6 0 0" in " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["MODEL", "--dataset", "none"], ExitCode.DATAERR, "none: there is no such folder"),
        (["MODEL", "--dataset", "FOLDER", "--engine", "fast"], ExitCode.DATAERR, "no run-time is called 'fast'"),
        (
            ["MODEL", "--dataset", "FOLDER", "--engine", "openvino:tpu"],
            ExitCode.DATAERR,
            "no accelerator is called 'tpu'",
        ),
        (["MODEL", "--dataset", "FOLDER", "--engine", "tensorrt"], ExitCode.DATAERR, "tensorrt: cannot run"),
        (["MODEL", "--dataset", "FOLDER", "--input-size", "4x4"], ExitCode.DATAERR, "--input-size: allowed: width x"),
        (["MODEL", "--dataset", "FOLDER", "--score-threshold", "7"], ExitCode.DATAERR, "--score-threshold: found 7.0"),
        (["none.onnx", "--dataset", "FOLDER"], ExitCode.CONFIG, "none.onnx"),
        (["EMPTY", "--dataset", "FOLDER"], ExitCode.CONFIG, "empty.onnx"),
    ],
)
def test_what_cannot_be_used_is_one_line(
    arguments: list[str], code: int, told: str, model: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on standard output, one sentence on standard error, and a status."""
    empty = model.with_name("empty.onnx")
    empty.write_bytes(b"")
    places = {"MODEL": str(model), "FOLDER": str(folder), "EMPTY": str(empty)}

    assert main(["model", "eval", *(places.get(word, word) for word in arguments)]) == code

    output = capsys.readouterr()
    assert output.out == ""
    assert told in output.err
    assert len(output.err.splitlines()) == 1
