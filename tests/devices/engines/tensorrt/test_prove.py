"""`scripts/prove-tensorrt`, run over the fakes: its table, what it calls different, and its exit status."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.nvidia_machine import NvidiaMachine, nvidia_machine
from hardware import prove_tensorrt
from models.square_detectors import build_detector

from devices.engines.engine import Engine, EngineRequest

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def nvidia(monkeypatch: pytest.MonkeyPatch) -> Iterator[NvidiaMachine]:
    with nvidia_machine(monkeypatch, "10.3.0") as machine:
        yield machine
        machine.assert_clean()


def prove(nvidia: NvidiaMachine, model: Path, *arguments: str, **options: Any) -> int:
    command = [str(model), "--inferences", "2", *arguments]
    return prove_tensorrt.main(command, load=options.get("load", nvidia.load), gate=lambda: 1)


def test_all_is_the_same(nvidia: NvidiaMachine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every proof has its line, damaged plans are refused and built anew, and the status is 0."""
    model = build_detector("yolov8", tmp_path / "squares.onnx", input_size=64, batch="dynamic")
    (tmp_path / "other.plan").write_bytes(b"a plan of another GPU")

    status = prove(nvidia, model, "--foreign-plan", str(tmp_path / "other.plan"))

    said = capsys.readouterr().out
    assert status == 0, said
    for line in ("fp32", "fp16", "int8", "from the cache", "batch open: 4 as 1", "two sessions at once"):
        assert f"tensorrt, {line}" in said
    assert said.count("the engine in the cache was refused") == 3
    assert "0 differ, 1 not tried" in said


def test_what_differs_is_told(nvidia: NvidiaMachine, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An engine that answers something else, or cannot be built, makes the status 1."""
    model = build_detector("yolov8", tmp_path / "squares.onnx", input_size=64, batch="dynamic")
    nvidia.trt.behaviour = "build_none"

    assert prove(nvidia, model) == 1

    said = capsys.readouterr().out
    assert "DIFFERS" in said
    assert "could not find any implementation for node y" in said


def test_it_closes_what_it_opens(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """Engines are closed by the proofs themselves, not by chance."""
    opened: list[Engine] = []

    def load(request: EngineRequest, **options: Any) -> Engine:
        opened.append(nvidia.load(request, **options))
        return opened[-1]

    prove(nvidia, build_detector("yolov8", tmp_path / "squares.onnx", input_size=64), load=load)

    assert len(opened) >= 6
    nvidia.assert_clean()


def test_a_machine_without_nvidia() -> None:
    """It says so in one sentence, with a status of its own."""
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        done = subprocess.run(
            [str(ROOT / "scripts" / "prove-tensorrt"), "model.onnx"], capture_output=True, text=True, check=False
        )
        assert done.returncode == prove_tensorrt.NO_NVIDIA
        assert "needs NVIDIA's driver" in done.stdout
        assert len(done.stdout.splitlines()) == 1
