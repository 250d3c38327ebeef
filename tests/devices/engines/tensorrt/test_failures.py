"""What fails in the TensorRT engine, in which words, and what stays usable after; over the fakes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.nvidia_machine import DLA, GPU, NvidiaMachine, nvidia_machine
from fakes.tensorrt_names import VERSIONS
from fakes.tiny_onnx import TinyModel, doubled, two_inputs

from devices.engines.engine import Engine, EngineRequest
from devices.engines.tensorrt.engine import Vendor, load
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError
from devices.inventory import Accelerator, AcceleratorKind

X = {"x": np.ones((1, 3, 4, 5), np.float32)}


@pytest.fixture
def nvidia(monkeypatch: pytest.MonkeyPatch) -> Iterator[NvidiaMachine]:
    with nvidia_machine(monkeypatch, VERSIONS[-1]) as machine:
        yield machine
        machine.assert_clean()


def make(nvidia: NvidiaMachine, folder: Path, tiny: TinyModel | None = None, **options: Any) -> Engine:
    request = EngineRequest((tiny or doubled()).write(folder), options.pop("accelerator", GPU), **options)
    return nvidia.load(request)


@pytest.mark.parametrize(
    ("behaviour", "error", "sentence"),
    [
        ("no_runtime", EngineUnavailable, "TensorRT does not start: TensorRT gave no reason"),
        ("no_start", EngineLoadError, "the builder does not start: CUDA initialization failure with error: 35"),
        ("build_none", EngineLoadError, "no engine was built: .*could not find any implementation for node y"),
        ("parse", EngineLoadError, "does not take the model: node Frobnicate_0: no importer registered"),
        ("no_context", EngineLoadError, "no execution context: too little memory"),
    ],
)
def test_what_fails_while_loading(
    nvidia: NvidiaMachine, tmp_path: Path, behaviour: str, error: type[Exception], sentence: str
) -> None:
    """None, False and TypeError become sentences with TensorRT's own last errors, and all is let go."""
    nvidia.trt.behaviour = behaviour

    with pytest.raises(error, match=sentence):
        make(nvidia, tmp_path)


def test_an_output_whose_size_depends_on_the_picture(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """It is refused while loading, with what to do."""
    nvidia.trt.behaviour = "data_dependent"

    with pytest.raises(EngineLoadError, match="depends on what is in the picture; export the model without"):
        make(nvidia, tmp_path, two_inputs())


@pytest.mark.parametrize(
    ("fail", "sentence"), [("alloc", "cuMemAlloc failed: out of memory"), ("pin", "cuMemHostAlloc failed")]
)
def test_no_memory_for_a_session(nvidia: NvidiaMachine, tmp_path: Path, fail: str, sentence: str) -> None:
    """The engine stays usable, and half a set of buffers is given back."""
    engine = make(nvidia, tmp_path)
    nvidia.cuda.fail = fail

    with pytest.raises(EngineUnavailable, match=sentence):
        engine.session()

    nvidia.cuda.fail = ""
    assert engine.session().infer(X)["y"].flat[0] == 3.0
    engine.close()


def test_an_inference_that_fails(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """False from TensorRT and an error of CUDA's are that inference's; the next may work."""
    engine = make(nvidia, tmp_path)
    session = engine.session()
    nvidia.trt.behaviour = "execute_false"
    with pytest.raises(InferenceError, match=r"Error Code 1: Cuda Runtime \(an illegal memory access\)"):
        session.infer(X)
    nvidia.trt.behaviour, nvidia.cuda.fail = "", "event"
    with pytest.raises(InferenceError, match="illegal memory access was encountered"):
        session.infer(X)
    nvidia.cuda.fail = ""

    assert session.infer(X)["y"].flat[0] == 3.0
    session.close()
    engine.close()


@pytest.mark.parametrize(
    ("accelerator", "sentence"),
    [
        (CPU, "drives NVIDIA GPUs and DLAs only, not a processor of the tests"),
        (Accelerator(AcceleratorKind.NVIDIA_GPU, "third GPU", index=2), "CUDA does not start on third GPU: device 2"),
    ],
)
def test_an_accelerator_it_cannot_drive(
    nvidia: NvidiaMachine, tmp_path: Path, accelerator: Accelerator, sentence: str
) -> None:
    """An engine never runs elsewhere than asked."""
    with pytest.raises(EngineUnavailable, match=sentence):
        make(nvidia, tmp_path, accelerator=accelerator)


def test_software_that_is_missing(tmp_path: Path) -> None:
    """The driver is asked before TensorRT, and TensorRT before pycuda."""
    request = EngineRequest(doubled().write(tmp_path), GPU)

    def refused() -> int:
        raise EngineUnavailable("no driver")

    asked: list[tuple[Callable[[], object], str]] = [(refused, "no driver"), (lambda: 1, "tensorrt cannot be imported")]
    for gate, sentence in asked:
        with pytest.raises(EngineUnavailable, match=sentence):
            load(request, vendor=Vendor(gate=gate))


def test_a_dla_that_is_not_driven(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """TensorRT's own count decides, before anything is built; the sentence has the likely cause."""
    nvidia.trt.behaviour = "no_dla"

    with pytest.raises(
        EngineUnavailable, match=r"TensorRT 11\.4\.0\.106 lists no DLA core, .* 11\.4\.1 does on AGX Orin"
    ):
        make(nvidia, tmp_path, accelerator=DLA)

    assert nvidia.orders == []


def test_a_child_interpreter_without_tensorrt(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The last line of what the build process complained of is told."""
    nvidia.monkeypatch.setenv("FAKE_TENSORRT", "")

    with pytest.raises(EngineLoadError, match=r"exit status 1 and no engine: .*make_tensorrt"):
        nvidia.load(EngineRequest(doubled().write(tmp_path), GPU), is_child=True)
