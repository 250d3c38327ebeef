"""Conversion to Core ML, where coremltools is: the files `inside_*.py` beside this one, and real models."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from servers.environments import REPOSITORY, locked_environment
from servers.inside import run_inside

HERE = Path(__file__).parent
MODELS = {
    "yolox_nano_416": "yolox",
    "yolox_nano_416_v5_layout": "yolov5",
    "yolox_nano_416_v8_layout": "yolov8",
    "yolox_nano_416_e2e_layout": "end2end",
    "deimv2_atto_320": "detr",
    "nanodet_m_320": "nanodet",
}


def test_inside(tmp_path: Path) -> None:
    """Every test of the files passes there."""
    run_inside("export", *sorted(HERE.glob("inside_*.py")), scratch=tmp_path)


@pytest.mark.assets
@pytest.mark.parametrize("name", MODELS)
def test_real_models(name: str, assets: Path, tmp_path: Path) -> None:
    """Half as large, in float16, the boxes in photographs those of ONNX Runtime; that no Mac was asked is told."""
    source, out = assets / "models" / f"{name}.onnx", tmp_path / "made.mlpackage"
    command = [str(locked_environment("export")), "-m", "agent", "model", "convert", str(source), "--to", "coreml"]
    surroundings = {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(out), "--json"], env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    pictures, noise = told["checks"][:2]

    assert told["family"] == MODELS[name]
    assert pictures["is_within"]
    assert noise["is_within"]
    assert "boxes: overlap at least" in pictures["text"]
    assert told["result_bytes"] < 0.6 * told["source_bytes"]
    assert done.stderr == ""
    if os.uname().sysname != "Darwin":
        assert "Core ML itself was not asked: coreml: Core ML is a part of macOS" in told["notes"][0]
