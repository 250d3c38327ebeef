"""What GPUs and NPUs are given, and how they are told, on a machine that has them by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.openvino_devices import Machine
from fakes.tiny_onnx import doubled, open_size, two_inputs

from devices.engines.engine import BuildWatch, EngineRequest, Precision
from devices.engines.openvino.engine import load
from devices.errors import EngineLoadError, EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind

GPU = Accelerator(AcceleratorKind.INTEL_GPU, "Intel Arc", driver="24.1")
SECOND_GPU = Accelerator(AcceleratorKind.INTEL_GPU, "Intel Arc too", index=1)
NPU = Accelerator(AcceleratorKind.INTEL_NPU, "Intel AI Boost")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(("CPU", "GPU.0", "GPU.1", "NPU"))
    monkeypatch.setattr("openvino.Core", machine.core)
    return machine


@pytest.mark.parametrize(("accelerator", "device"), [(CPU, "CPU"), (GPU, "GPU"), (SECOND_GPU, "GPU.1"), (NPU, "NPU")])
def test_the_accelerator_is_the_device(tmp_path: Path, machine: Machine, accelerator: Accelerator, device: str) -> None:
    """Kind and number of the accelerator choose the device, which is told as what runs."""
    spec = load(EngineRequest(doubled().write(tmp_path), accelerator)).spec

    assert [each for each, _ in machine.compiled] == [device]
    assert spec.accelerator == accelerator
    assert spec.notes == ()


def test_a_lone_gpu(tmp_path: Path, machine: Machine) -> None:
    """It is listed without a number and also found as GPU.0; a second one is not there."""
    machine.devices = ("CPU", "GPU")

    assert load(EngineRequest(doubled().write(tmp_path), CPU, device="GPU.0")).spec.accelerator.name.startswith("Intel")
    with pytest.raises(EngineUnavailable, match=r"lists CPU, GPU, not GPU\.1: it numbers them GPU"):
        load(EngineRequest(doubled().write(tmp_path), SECOND_GPU))


def test_each_family_gets_its_settings(tmp_path: Path, machine: Machine) -> None:
    """A stream for each session, float16 beside the processor, and nothing that the plug-in does not know."""
    for accelerator in (CPU, GPU, NPU):
        load(EngineRequest(doubled().write(tmp_path), accelerator, threads=3, sessions=2))

    assert dict(machine.compiled) == {
        "CPU": {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": 6,
            "ENABLE_CPU_PINNING": False,
            "NUM_STREAMS": 2,
        },
        "GPU": {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f16", "NUM_STREAMS": 2},
        "NPU": {"PERFORMANCE_HINT": "THROUGHPUT", "PERFORMANCE_HINT_NUM_REQUESTS": 2},
    }


def test_one_session_is_for_latency(tmp_path: Path, machine: Machine) -> None:
    """Nobody else waits: the run-time is told that one answer soon is what counts."""
    load(EngineRequest(doubled().write(tmp_path), GPU))

    assert machine.compiled[0][1]["PERFORMANCE_HINT"] == "LATENCY"


@pytest.mark.parametrize(
    ("accelerator", "asked", "computed"),
    [
        (GPU, Precision.AUTO, "fp16"),
        (GPU, Precision.FP32, "fp32"),
        (GPU, Precision.INT8, "fp16"),
        (NPU, Precision.AUTO, "fp16"),
        (CPU, Precision.AUTO, "fp32"),
    ],
)
def test_the_precision_is_the_computations(
    tmp_path: Path, machine: Machine, accelerator: Accelerator, asked: Precision, computed: str
) -> None:
    """Floats of a float32 model are told as what the device computes with."""
    assert load(EngineRequest(doubled().write(tmp_path), accelerator, precision=asked)).spec.precision == computed
    assert machine.compiled


def test_an_npu_gets_fixed_shapes(tmp_path: Path, machine: Machine) -> None:
    """An open batch becomes the largest that is asked for; another open axis is refused with what to do."""
    spec = load(EngineRequest(two_inputs().write(tmp_path), NPU, largest_batch=2)).spec

    assert [each.shape for each in spec.inputs] == [(2, 3, 4, 5), (2, 2)]
    with pytest.raises(EngineLoadError, match=r"NPU takes fixed shapes only, .* \(1, 3, \?, \?\): export the model"):
        load(EngineRequest(open_size().write(tmp_path), NPU))
    assert len(machine.compiled) == 1


def test_several_as_one(tmp_path: Path, machine: Machine) -> None:
    """HETERO is given every device's settings, runs on both, and is told by its first."""
    request = EngineRequest(doubled().write(tmp_path), NPU, device="HETERO:NPU,CPU", cache_dir=tmp_path / "cache")
    first, second = load(request).spec, load(request).spec

    ((place, settings),) = machine.compiled
    assert place == "HETERO:NPU,CPU"
    assert set(settings["DEVICE_PROPERTIES"]) == {"NPU", "CPU"}
    assert first.accelerator == NPU
    assert first.notes == ("HETERO:NPU,CPU runs on NPU, CPU", "kept in the engine cache")
    assert second.notes == ("HETERO:NPU,CPU runs on NPU, CPU", "taken from the engine cache")


def test_several_as_one_without_the_first(tmp_path: Path, machine: Machine) -> None:
    """HETERO that left everything to the processor is not what was asked for."""
    machine.runs_on = {"HETERO:GPU.1,CPU": ("CPU",)}

    with pytest.raises(EngineUnavailable, match=r"HETERO:GPU\.1,CPU was asked for, CPU would run"):
        load(EngineRequest(doubled().write(tmp_path), GPU, device="HETERO:GPU.1,CPU"))


def test_a_single_device_that_runs_elsewhere(tmp_path: Path, machine: Machine) -> None:
    """The same holds for one device."""
    machine.runs_on = {"GPU": ("CPU",)}

    with pytest.raises(EngineUnavailable, match="GPU was asked for, CPU would run"):
        load(EngineRequest(doubled().write(tmp_path), GPU))


def test_auto_is_waited_for(tmp_path: Path, machine: Machine) -> None:
    """The stand-in is not told as what runs; what does is, and may not be replaced behind our back."""
    machine.stand_ins = 3

    spec = load(EngineRequest(doubled().write(tmp_path), GPU, device="AUTO:GPU,CPU")).spec

    assert spec.accelerator == GPU
    assert spec.notes == ("AUTO:GPU,CPU runs on GPU",)
    assert machine.compiled[0][1]["ENABLE_RUNTIME_FALLBACK"] is False


def test_a_stand_in_that_stays(tmp_path: Path, machine: Machine) -> None:
    """After the deadline of the build it is refused."""
    machine.stand_ins = 10**9
    watch = BuildWatch(deadline_s=0.05)

    with pytest.raises(EngineUnavailable, match=r"still runs on a stand-in, \(CPU\)"):
        load(EngineRequest(doubled().write(tmp_path), GPU, device="AUTO:GPU,CPU", build=watch))


def test_auto_alone_prefers_what_is_fast(tmp_path: Path, machine: Machine) -> None:
    """Without a list it means every device, GPUs first and the processor last."""
    load(EngineRequest(doubled().write(tmp_path), GPU, device="AUTO"))

    assert machine.compiled[0][0] == "AUTO:GPU.0,GPU.1,NPU,CPU"


def test_the_cache_knows_devices_and_drivers_apart(tmp_path: Path, machine: Machine) -> None:
    """Two GPUs do not share an engine, and what a device cannot give out is compiled every time."""
    notes = [
        load(EngineRequest(doubled().write(tmp_path), each, cache_dir=tmp_path / "cache")).spec.notes
        for each in (GPU, SECOND_GPU, GPU)
    ]
    machine.cannot_export = ("NPU",)
    alone = load(EngineRequest(doubled().write(tmp_path), NPU, cache_dir=tmp_path / "cache"))

    assert notes == [("kept in the engine cache",), ("kept in the engine cache",), ("taken from the engine cache",)]
    assert alone.spec.notes == ("compiled at every start: NPU cannot give it out to keep",)


def test_it_answers_on_all(tmp_path: Path, machine: Machine) -> None:
    """What is behind the name answers."""
    engine = load(EngineRequest(doubled().write(tmp_path), SECOND_GPU))

    assert (engine.session().infer({"x": np.ones((1, 3, 4, 5), np.float32)})["y"] == 3.0).all()
    assert machine.compiled
