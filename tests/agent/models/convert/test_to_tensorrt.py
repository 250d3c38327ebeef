"""Conversion to a TensorRT plan, over fakes of TensorRT and CUDA that compute; built in a process of its own."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fakes.nvidia_machine import NvidiaMachine, nvidia_machine
from fakes.tensorrt_names import VERSIONS
from models.detecting import square_frame
from models.square_detectors import build_detector

from agent.errors import ToolUnavailableError
from agent.models.convert import converting
from agent.models.convert.conversion import Conversion, Order, Target
from agent.models.convert.converting import convert
from agent.models.convert.to_tensorrt import to_tensorrt
from agent.settings.models import ModelSettings
from devices.engines.tensorrt.build import build
from devices.engines.tensorrt.engine import Vendor
from devices.errors import EngineUnavailable

PICTURES = (square_frame().picture.scaled(640, 360),)


@pytest.fixture(params=[VERSIONS[0], VERSIONS[-1]])
def nvidia(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[NvidiaMachine]:
    with nvidia_machine(monkeypatch, request.param) as machine:
        vendor = Vendor(gate=lambda: 1, build=build)
        monkeypatch.setattr(converting, "to_tensorrt", partial(to_tensorrt, vendor=vendor))
        yield machine
        gc.collect()
        machine.assert_clean()


def made(folder: Path, *, is_half: bool = False, steps: list[str] | None = None) -> Conversion:
    source = build_detector("yolov8", folder / "squares.onnx", input_size=128, batch="dynamic")
    order = Order(ModelSettings(path=source), Target.TENSORRT, folder / "squares.engine", is_half=is_half)
    return convert(order, PICTURES, np.random.default_rng(0), (steps if steps is not None else []).append)


def test_a_plan_and_its_facts(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The plan is what TensorRT serialised, checked against ONNX Runtime; beside it lies what it does not say."""
    steps: list[str] = []
    done = made(tmp_path, steps=steps)
    facts = json.loads((tmp_path / "squares.engine.json").read_text())

    assert done.refusal == ""
    assert [path.name for path in done.written] == ["squares.engine", "squares.engine.json"]
    assert done.checks[0].witness == f"TensorRT {nvidia.trt.__version__} on NVIDIA GPU 0"
    assert done.checks[0].text.startswith("2 boxes: overlap at least 1.000")
    assert facts["tensorrt"] == nvidia.trt.__version__
    assert facts["inputs"] == [{"name": "images", "type": "float32", "shape": [1, 3, 128, 128]}]
    assert facts["metadata"]["names"] == "{0: 'red', 1: 'blue'}"
    assert "building the engine" in steps
    assert any("`sitewatch build`" in note for note in done.notes)


def test_the_plan_is_loaded_by_itself(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The file alone is what TensorRT deserialises."""
    made(tmp_path)
    runtime = nvidia.trt.Runtime(nvidia.trt.Logger())

    assert runtime.deserialize_cuda_engine((tmp_path / "squares.engine").read_bytes()) is not None


def test_without_nvidia(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the driver is not there, one sentence says what is needed, and nothing is written."""

    def gate() -> int:
        raise EngineUnavailable("tensorrt needs NVIDIA's driver: libcuda.so.1 cannot be loaded")

    monkeypatch.setattr(converting, "to_tensorrt", partial(to_tensorrt, vendor=Vendor(gate=gate)))

    with pytest.raises(ToolUnavailableError, match=r"libcuda.*; it needs: an NVIDIA GPU with its driver, TensorRT"):
        made(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["squares.onnx"]
