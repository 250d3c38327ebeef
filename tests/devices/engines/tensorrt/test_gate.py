"""The driver is asked before TensorRT: in this process, and in the child that asks for the run-time."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes.nvidia_machine import GPU

from devices.engines.tensorrt.gate import check_driver
from devices.engines.tensorrt.question import QUESTION
from devices.errors import EngineUnavailable
from devices.probes.root import CommandResult, this_machine
from devices.probes.runtimes import ask

NVIDIA = Path(__file__).resolve().parents[3] / "fakes" / "nvidia"
DRIVER = "int cuInit(unsigned f) {{ return {code}; }} int cuDeviceGetCount(int *n) {{ *n = {count}; return 0; }}"


class Driver:
    """libcuda, as far as the gate asks."""

    def __init__(self, code: int, count: int) -> None:
        self._code, self._count = code, count

    def cuInit(self, _flags: int) -> int:  # noqa: N802 - CUDA's name
        return self._code

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802 - CUDA's name
        count._obj.value = self._count
        return 0


@pytest.mark.parametrize(
    ("code", "count", "sentence"),
    [(100, 1, r"it is there and does not start \(cuInit: 100\)"), (0, 0, "the driver lists no CUDA device")],
)
def test_a_driver_that_does_not_work(code: int, count: int, sentence: str) -> None:
    """Each way a driver fails has its sentence."""
    with pytest.raises(EngineUnavailable, match=sentence):
        check_driver(lambda _: Driver(code, count))  # type: ignore[arg-type,return-value]  # it looks like a library


def test_a_driver_that_works() -> None:
    """It tells how many devices there are."""
    assert check_driver(lambda _: Driver(0, 2)) == 2  # type: ignore[arg-type,return-value]  # as above


def test_no_driver() -> None:
    """The loader's own words are in the sentence."""

    def missing(name: str) -> ctypes.CDLL:
        raise OSError(f"{name}: cannot open shared object file")

    with pytest.raises(EngineUnavailable, match=r"needs NVIDIA's driver: libcuda\.so\.1 cannot be loaded"):
        check_driver(missing)


@pytest.mark.tensorrt_bindings
@pytest.mark.parametrize(
    ("code", "count", "reason"),
    [
        (0, 2, "lists GPU 0, GPU 1, DLA 0, DLA 1"),
        (35, 0, "needs a working NVIDIA driver: it answers 35 and lists 0 devices"),
        (0, 0, "needs a working NVIDIA driver: it answers 0 and lists 0 devices"),
    ],
)
def test_the_question_of_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, count: int, reason: str
) -> None:
    """With a driver that works the child imports TensorRT and lists GPUs and DLA cores; else it never imports it."""
    source, library = tmp_path / "cuda.c", tmp_path / "libcuda.so.1"
    source.write_text(DRIVER.format(code=code, count=count))
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setenv("FAKE_TENSORRT", "10.3.0")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(NVIDIA), str(NVIDIA.parents[1]), str(NVIDIA.parents[2]))))

    status = ask(QUESTION, this_machine(sys.executable))

    assert status.availability.reason == reason
    assert status.availability.usable is (count == 2)
    assert status.version == ("10.3.0" if count else None)


def test_without_tensorrt_the_question_names_the_package() -> None:
    """The gate open, TensorRT not installed: what to install."""
    status = ask(replace(QUESTION, gate="", module="no_such_tensorrt"), this_machine(sys.executable))

    assert status.availability.reason == "not installed in this Python: pip install 'sitewatch[nvidia]'"


def test_a_closed_gate_is_the_reason() -> None:
    """The last line the gate wrote is the whole reason."""
    root = replace(this_machine(sys.executable), run=lambda *_: CommandResult(4, "", "noise\nno driver here\n"))

    assert ask(QUESTION, root).availability.reason == "no driver here"
    assert GPU.kind.value == "nvidia_gpu"
