"""OpenVINO's real devices on a machine without an Intel GPU or NPU: the processor by every name, and real refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.tiny_onnx import doubled

from devices.engines.engine import EngineRequest, EngineSpec, Precision
from devices.engines.openvino.engine import load
from devices.engines.openvino.runtime import import_runtime, make_core
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind

openvino = import_runtime()  # as the engine does it: without its telemetry

HAS = frozenset(each.partition(".")[0] for each in make_core(openvino).available_devices)
GPU = Accelerator(AcceleratorKind.INTEL_GPU, "Intel Arc", index=7)
NPU = Accelerator(AcceleratorKind.INTEL_NPU, "Intel AI Boost")


def spec_of(folder: Path, accelerator: Accelerator = CPU, **options: object) -> EngineSpec:
    """Of an engine that answers right."""
    engine = load(EngineRequest(doubled().write(folder), accelerator, **options))
    session = engine.session()
    answer = session.infer({"x": np.ones((1, 3, 4, 5), np.float32)})["y"]
    session.close()
    engine.close()
    np.testing.assert_allclose(answer, 3.0, rtol=1e-2)
    return engine.spec


@pytest.mark.parametrize("device", ["CPU", "HETERO:CPU", "AUTO:CPU"])
def test_the_processor_by_every_name(tmp_path: Path, device: str) -> None:
    """However it is named, the processor runs, computes with float32, and is told."""
    spec = spec_of(tmp_path, device=device)

    assert spec.accelerator == CPU
    assert spec.precision == "fp32"
    assert spec.notes == (() if device == "CPU" else (f"{device} runs on CPU",))


def test_a_processor_in_place_of_another_accelerator(tmp_path: Path) -> None:
    """The device named goes before the accelerator asked for, and the spec says what runs."""
    spec = spec_of(tmp_path, accelerator=GPU, device="CPU")

    assert spec.accelerator.kind is AcceleratorKind.CPU
    assert spec.accelerator.name == make_core(openvino).get_property("CPU", "FULL_DEVICE_NAME")


def test_the_processor_and_something_that_is_not_there(tmp_path: Path) -> None:
    """AUTO goes on without, and says what is missing and what to do."""
    spec = spec_of(tmp_path, device="AUTO:GPU.7,CPU")

    assert spec.accelerator == CPU
    assert spec.notes[0].startswith("openvino lists ")
    assert ", not GPU.7: " in spec.notes[0]
    assert spec.notes[1] == "AUTO:CPU runs on CPU"


@pytest.mark.parametrize(
    ("accelerator", "device", "sentence"),
    [
        (GPU, None, r"openvino lists .*CPU.*, not GPU\.7: "),
        (CPU, "HETERO:GPU.7,CPU", r"openvino lists .*CPU.*, not GPU\.7: "),
        (CPU, "AUTO:GPU.7", r"openvino lists .*CPU.*, not GPU\.7: "),
        (CPU, "MYRIAD", "openvino has no device 'MYRIAD'; it is written CPU, GPU, GPU.1, NPU, HETERO:NPU,CPU or AUTO"),
        (CPU, "GPU,CPU", "no device 'GPU,CPU'"),
        (CPU, "HETERO", "no device 'HETERO'"),
        (CPU, "MULTI:GPU,CPU", "no device 'MULTI:GPU,CPU'"),
        (CPU, ":CPU", "no device ':CPU'"),
        (CPU, "", "no device ''"),
    ],
)
def test_a_device_that_is_not_there(
    tmp_path: Path, accelerator: Accelerator, device: str | None, sentence: str
) -> None:
    """It is refused with what there is, and what to do or how devices are written."""
    with pytest.raises(EngineUnavailable, match=sentence):
        load(EngineRequest(doubled().write(tmp_path), accelerator, device=device))


@pytest.mark.parametrize(("accelerator", "remedy"), [(GPU, "compute runtime"), (NPU, "firmware of Intel's NPU")])
def test_the_remedy_for_a_missing_driver(tmp_path: Path, accelerator: Accelerator, remedy: str) -> None:
    """Where OpenVINO lists none of a family, the refusal says what to install and which group to join."""
    family = {AcceleratorKind.INTEL_GPU: "GPU", AcceleratorKind.INTEL_NPU: "NPU"}[accelerator.kind]
    words = "it numbers them" if family in HAS else f"{remedy} .*group render"

    with pytest.raises(EngineUnavailable, match=words):
        load(EngineRequest(doubled().write(tmp_path), accelerator, device=None if accelerator is NPU else "GPU.7"))


def test_every_precision_is_told_as_computed(tmp_path: Path) -> None:
    """float16 on a processor is bfloat16 or float32, whatever it has; the spec tells when it is not what was asked."""
    spec = spec_of(tmp_path, precision=Precision.FP16)
    told = [note for note in spec.notes if note.startswith("CPU computes with ")]

    assert (spec.precision, len(told)) in {("fp16", 0), ("fp16", 1), ("fp32", 1)}
    assert spec_of(tmp_path, precision=Precision.FP32).notes == ()
    assert spec_of(tmp_path, precision=Precision.INT8).notes == (
        "int8 was asked for, but the model is fp32: quantise it first",
    )


@pytest.mark.parametrize("device", ["HETERO:CPU", "CPU"])
def test_what_can_be_given_out_is_kept(tmp_path: Path, device: str) -> None:
    """The second load is from the cache; another name of the same processor is another engine."""
    cache = tmp_path / "cache"
    first, second = (spec_of(tmp_path, device=device, cache_dir=cache) for _ in range(2))

    assert first.notes[-1] == "kept in the engine cache"
    assert second.notes[-1] == "taken from the engine cache"


def test_what_cannot_be_given_out_is_told(tmp_path: Path) -> None:
    """AUTO keeps its model to itself: nothing is written, and the spec says so."""
    spec = spec_of(tmp_path, device="AUTO:CPU", cache_dir=tmp_path / "cache")

    assert spec.notes[-1] == "compiled at every start: AUTO:CPU cannot give it out to keep"
    assert not (tmp_path / "cache").exists()
