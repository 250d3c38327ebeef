"""`sitewatch model verify`: what was checked, on which engine, with the greatest differences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models.bundles import make_bundle, parts_of, with_lie

from agent.cli import main
from agent.models.bundle.arrays import write_array
from agent.service.exit_codes import ExitCode


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    calibration = np.zeros((3, 160, 160, 3), np.uint8)
    path = tmp_path_factory.mktemp("bundle") / "squares.swmodel"
    return make_bundle(path, licence_text=b"Do what you like.\n", calibration=calibration).read_bytes()


@pytest.fixture
def bundle(packed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "squares.swmodel"
    path.write_bytes(packed)
    return path


def verify(*words: Any) -> int:
    """Run it."""
    return main(["model", "verify", *map(str, words)])


def test_a_good_bundle(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every subject has its line, and the engine its numbers."""
    assert verify(bundle) == ExitCode.OK
    told = capsys.readouterr().out

    for line in (
        "bundle       squares, sha256 ",
        "parts        6, each with the SHA-256 and size that the manifest says",
        "model        fp32; squares.onnx: family yolov8, 160x160 rgb, letterbox_centre, 2 labels from",
        "licence      Apache-2.0, with its text of 18 bytes",
        "thresholds   score 0.1, overlap 0.65, 300 detections at most",
        "calibration  3 pictures",
        "golden       1 pictures",
        "  + fp32 on onnxruntime ",
        "on cpu: 2 golden boxes: overlap at least 1.000, scores within 0.0000",
    ):
        assert line in told


def test_on_another_engine_for_a_program(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenVINO finds the same; the reference stands beside it, as always."""
    assert verify(bundle, "--engine", "openvino:cpu", "--json") == ExitCode.OK
    told = json.loads(capsys.readouterr().out)

    assert [each["engine"].split()[0] for each in told["engines"]] == ["onnxruntime", "openvino"]
    for each in told["engines"]:
        assert each["is_within"]
        assert each["computed_with"] == "fp32"
        assert (each["matches"], each["unmet"]) == (4, 0)
        assert each["least_iou"] > 0.99
        assert each["most_score"] < 0.001
        assert each["most_px"] < 0.5
    assert told["calibration"] == 3


def test_an_engine_that_is_not_here(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Told with the reason, before anything is run."""
    assert verify(bundle, "--engine", "coreml") == ExitCode.DATAERR
    assert "coreml: cannot run squares.swmodel on this machine" in capsys.readouterr().err


def _other_scores(bundle: Path) -> None:
    found = json.loads(parts_of(bundle)["golden/fp32.json"])
    found["pictures"][0]["scores"][0] = 0.8
    with_lie(bundle, {"golden/fp32.json": json.dumps(found).encode()})


def test_golden_outputs_that_the_model_does_not_give(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was found is printed all the same, and the exit status says that it is wrong."""
    _other_scores(bundle)

    assert verify(bundle) == ExitCode.DATAERR
    report = capsys.readouterr()
    assert "  - fp32 on onnxruntime" in report.out
    assert "scores within 0.1995, 2 of 4 without a match" in report.out
    assert "its model does not find what the bundle says" in report.err


def _short(bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-1])


def _flipped(bundle: Path) -> None:
    content = bytearray(bundle.read_bytes())
    content[5000] ^= 16
    bundle.write_bytes(content)


def _wide(bundle: Path) -> None:
    with_lie(bundle, {"calibration.npy": write_array(np.zeros((1, 8, 8, 3), np.uint8))})


def _no_pictures(bundle: Path) -> None:
    with_lie(bundle, {"calibration.npy": b"words"})


def _no_text(bundle: Path) -> None:
    with_lie(bundle, {"LICENSE": b"\xff\xfe"})


def _labels(bundle: Path) -> None:
    with_lie(bundle, {"labels.txt": b"red\n"})


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_short, "this is a zip archive, but no bundle, or it was cut short or changed"),
        (_flipped, "fp32/squares.onnx is not what was packed (its SHA-256 differs)"),
        (_wide, "the pictures of calibration.npy are 8x8, and the model is fed 160x160"),
        (_no_pictures, "calibration.npy is no NumPy file"),
        (_no_text, "LICENSE is no UTF-8 text"),
        (_labels, "found 1 labels, but the model has 2 classes"),
        (lambda path: path.write_bytes(b""), "this is no bundle"),
        (lambda path: path.unlink(), "cannot be read: No such file or directory"),
    ],
)
def test_bundles_that_are_none(spoil: Any, told: str, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence with the file's name, 65, and nothing on standard output."""
    spoil(bundle)

    assert verify(bundle) == ExitCode.DATAERR
    report = capsys.readouterr()
    assert report.out == ""
    assert report.err.startswith(f"sitewatch: {bundle}: ")
    assert told in report.err
    assert report.err.count("\n") == 1
