"""`sitewatch model convert --to coreml` of real models, one a family that the small detectors leave out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from agent.cli import main

MODELS = Path(os.environ["SITEWATCH_ASSETS"], "models")


@pytest.mark.parametrize(
    ("name", "family", "precision"),
    [
        ("yolox_nano_416_e2e_layout", "end2end", "fp16"),
        ("deimv2_atto_320", "detr", "fp32"),
        ("nanodet_m_320", "nanodet", "fp16"),
    ],
)
def test_smaller_and_the_same_boxes(
    name: str, family: str, precision: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Boxes of photographs as on ONNX Runtime; that no Mac was asked is told; nothing else is printed."""
    source, out = MODELS / f"{name}.onnx", tmp_path / "made.mlpackage"

    options = ["--precision", precision, "--out", str(out), "--json"]

    assert main(["model", "convert", str(source), "--to", "coreml", *options]) == 0
    said = capfd.readouterr()
    told = json.loads(said.out)
    pictures, noise = told["checks"][:2]
    assert told["family"] == family
    assert pictures["is_within"]
    assert noise["is_within"]
    assert "boxes: overlap at least" in pictures["text"]
    assert told["result_bytes"] < (0.6 if precision == "fp16" else 0.95) * told["source_bytes"]
    assert said.err == ""
    if sys.platform != "darwin":
        assert told["notes"][0].startswith("Core ML itself was not asked: coreml: Core ML is a part of macOS")
