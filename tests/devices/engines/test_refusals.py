"""What the real run-times refuse, and in which words."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU, CPU_ENGINES
from fakes.tiny_onnx import FLOAT, INT64, doubled, model
from onnx import helper

from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineRequest, TensorSpec
from devices.engines.tensor_check import check_outputs
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError
from devices.inventory import Accelerator, AcceleratorKind


@pytest.fixture(params=CPU_ENGINES)
def runtime(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_run_time_that_is_not_installed(tmp_path: Path, runtime: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its factory says that it cannot be imported, and why."""
    monkeypatch.setitem(sys.modules, runtime, None)

    with pytest.raises(EngineUnavailable, match=f"{runtime} cannot be imported: .*{runtime}"):
        ENGINES[runtime].load(EngineRequest(doubled().write(tmp_path), CPU))


def test_an_accelerator_it_does_not_drive(tmp_path: Path, runtime: str) -> None:
    """An engine never runs elsewhere than asked."""
    stick = Accelerator(AcceleratorKind.MYRIAD, "a MYRIAD stick")

    with pytest.raises(EngineUnavailable, match=r"drives .* only, not a MYRIAD stick"):
        ENGINES[runtime].load(EngineRequest(doubled().write(tmp_path), stick))


def test_an_operator_it_does_not_know(tmp_path: Path, runtime: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A well-formed model of unknown operators is refused with the operator's name, nothing spilled."""
    node = helper.make_node("Frobnicate", ["x"], ["y"])
    path = tmp_path / "model.onnx"
    path.write_bytes(model([node], {"x": (FLOAT, (1, 2))}, {"y": (FLOAT, (1, 2))}).SerializeToString())

    with pytest.raises(EngineLoadError, match=rf"{runtime} refuses {path}: .*Frobnicate"):
        ENGINES[runtime].load(EngineRequest(path, CPU))

    assert capfd.readouterr().err == ""


def test_a_model_that_fails_while_it_runs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What only the run shows (four numbers put into a shape of five) is an error of that inference.

    OpenVINO has no such error where shapes are open: it answers with other shapes.
    """
    node = helper.make_node("Reshape", ["x", "shape"], ["y"])
    inputs = {"x": (FLOAT, ("n",)), "shape": (INT64, (1,))}
    path = tmp_path / "model.onnx"
    path.write_bytes(model([node], inputs, {"y": (FLOAT, ("m",))}).SerializeToString())
    session = ENGINES["onnxruntime"].load(EngineRequest(path, CPU)).session()

    with pytest.raises(InferenceError, match="onnxruntime: inference failed: "):
        session.infer({"x": np.zeros(4, np.float32), "shape": np.array([5])})

    assert (session.infer({"x": np.ones(4, np.float32), "shape": np.array([4])})["y"] == 1).all()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("shape", [(0, 100, 4), (2, 0, 4), (2, 100)])
def test_outputs_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """Only an axis that the spec leaves open may vary."""
    spec = TensorSpec("boxes", "float32", (2, 100, None))
    check_outputs([spec], {"boxes": np.zeros((2, 100, 7), np.float32)})

    with pytest.raises(InferenceError, match=r"output boxes should be float32 \(2, 100, \?\), it came as"):
        check_outputs([spec], {"boxes": np.zeros(shape, np.float32)})


def test_openvino_reports_to_nobody(tmp_path: Path) -> None:
    """Loading OpenVINO starts no reporting thread: its telemetry is kept from being imported."""
    ENGINES["openvino"].load(EngineRequest(doubled().write(tmp_path), CPU)).close()

    assert sys.modules.get("openvino_telemetry") is None
    assert not any(thread.name.startswith("ThreadPoolExecutor") for thread in threading.enumerate())
