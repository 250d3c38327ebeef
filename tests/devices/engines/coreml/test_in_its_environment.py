"""Core ML's tests run where coremltools is, in an environment of its own: the files `inside_*.py` beside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers.environments import REPOSITORY, locked_environment

from devices.engines.coreml.engine import load
from devices.engines.engine import EngineRequest
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind

HERE = Path(__file__).parent
ENGINE = Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, "Apple M2 Neural Engine")


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("inside_*.py")))
def test_inside(name: str, tmp_path: Path) -> None:
    """Every test of the file passes there."""
    python = locked_environment("coreml")
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--import-mode=importlib",
               f"--rootdir={HERE}", f"--basetemp={tmp_path / 'inside'}", str(HERE / name)]  # fmt: skip
    paths = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests")))
    surroundings = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=180, check=False)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_without_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where coremltools is not installed, the engine says so."""
    monkeypatch.setitem(sys.modules, "coremltools", None)

    with pytest.raises(EngineUnavailable, match="coremltools cannot be imported"):
        load(EngineRequest(tmp_path / "model.mlpackage", ENGINE))


def test_an_onnx_model(tmp_path: Path) -> None:
    """An ONNX model is not Core ML's, and the sentence says who runs it."""
    with pytest.raises(EngineUnavailable, match=r"model\.onnx is none; onnxruntime runs ONNX models"):
        load(EngineRequest(tmp_path / "model.onnx", ENGINE))


def test_another_accelerator(tmp_path: Path) -> None:
    """It runs on Apple's devices only."""
    gpu = Accelerator(AcceleratorKind.NVIDIA_GPU, "NVIDIA T4")

    with pytest.raises(EngineUnavailable, match="coreml drives Apple's devices only, not NVIDIA T4"):
        load(EngineRequest(tmp_path / "model.mlpackage", gpu))


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac can prove it")
def test_the_proof_needs_a_mac() -> None:
    """Elsewhere `scripts/prove-coreml` says so in one sentence, with a status of its own."""
    done = subprocess.run([str(REPOSITORY / "scripts" / "prove-coreml")], capture_output=True, text=True, check=False)

    assert done.returncode == 69
    assert done.stdout == ("prove-coreml: Core ML is a part of macOS, and this is another system; run this on a Mac\n")
