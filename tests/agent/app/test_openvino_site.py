"""A site whose model is OpenVINO's own: checked, and run by OpenVINO and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from models.square_detectors import build_detector

from agent.cli import main
from devices.models.openvino_ir import write_ir


@pytest.fixture
def site(tmp_path: Path) -> Path:
    write_ir(build_detector("yolov8", tmp_path / "m.onnx", input_size=128), tmp_path / "m.xml", {}, is_half=True)
    path = tmp_path / "site.yaml"
    path.write_text(
        f"site: yard\nsink: jsonl\nmodel: {{path: {tmp_path / 'm.xml'}}}\nstate_dir: {tmp_path / 'state'}\n"
        "events_file: '-'\ncameras: {gate: {source: rtsp://127.0.0.1/x}}\n",
        encoding="utf-8",
    )
    return path


def test_checked(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its family and labels are told."""
    assert main(["check", str(site)]) == 0
    assert "m.xml: family yolov8, 128x128 rgb, letterbox_centre, 2 labels from the model's metadata" in (
        capsys.readouterr().out
    )


def test_built(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """OpenVINO is the only run-time that is tried."""
    assert main(["build", str(site)]) == 0
    told = capsys.readouterr().out

    assert "openvino" in told
    assert "onnxruntime" not in told


def test_without_its_weights(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line tells what is missing."""
    (site.parent / "m.bin").unlink()

    assert main(["check", str(site)]) == 78
    assert "its weights lie in m.bin, which is not beside it; copy both" in capsys.readouterr().err
