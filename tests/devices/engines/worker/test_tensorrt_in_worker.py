"""The worker's TensorRT, against a stand-in for 8.5 and pycuda: what it asks of them, and on which thread.

That the real ones do what is asked, no machine of ours can show.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fakes.worker_runtimes
import numpy as np
import pytest
from fakes.tiny_onnx import FLOAT, doubled, model, open_size
from onnx import helper

from devices.engines.engine import BuildProgress, BuildWatch, EngineRequest, ImageInput, Precision, WorkerUse
from devices.engines.worker.foreign import load_tensorrt
from devices.errors import EngineLoadError
from devices.inventory import Accelerator, AcceleratorKind

FAKES = Path(next(iter(fakes.worker_runtimes.__path__))) / "jetson"
GPU = Accelerator(AcceleratorKind.NVIDIA_GPU, "Xavier")
DLA = Accelerator(AcceleratorKind.DLA, "DLA core 1", index=1)
Ask = Callable[..., EngineRequest]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A request for the Python that has the stand-ins."""
    script = tmp_path / "python3.8"
    environment = f"PYTHONPATH={FAKES} PYTHONDONTWRITEBYTECODE=1 BUILDS={tmp_path / 'builds'}"
    script.write_text(f'#!/bin/sh\n{environment} exec {sys.executable} "$@"\n', encoding="utf-8")
    script.chmod(0o755)

    def request(accelerator: Accelerator = GPU, **options: object) -> EngineRequest:
        path = doubled().write(tmp_path)
        made = EngineRequest(path, accelerator, worker=WorkerUse(interpreter=script), cache_dir=tmp_path / "cache")
        return replace(made, **options)

    return request


def builds(folder: Path) -> list[str]:
    return (folder / "builds").read_text(encoding="utf-8").splitlines()


def test_it_is_built_once(tmp_path: Path, ask: Ask) -> None:
    """The first load builds in fp16 and tells so; the second takes the plan kept; a damaged plan is built anew."""
    told: list[BuildProgress] = []
    x = np.arange(60, dtype=np.float32).reshape(1, 3, 4, 5)
    notes = []
    for turn in range(3):
        engine = load_tensorrt(ask(build=BuildWatch(told.append, 20)))
        assert np.array_equal(engine.session().infer({"x": x})["y"], x * 2)
        notes.append(engine.spec.notes[0])
        engine.close()
        if turn == 1:
            (plan,) = (tmp_path / "cache").rglob("*.plan")
            plan.write_bytes(plan.read_bytes()[:-1])

    built = "built and kept in the engine cache"
    assert notes == [built, "taken from the engine cache", built]
    assert builds(tmp_path) == ["['FP16'] -1"] * 2
    assert len(told) == 2


def test_a_dla_core(tmp_path: Path, ask: Ask) -> None:
    """The core asked for is built for, with the GPU to fall back on; fp32 sets no flag of its own."""
    load_tensorrt(ask(DLA)).close()
    load_tensorrt(ask(precision=Precision.FP32)).close()

    assert builds(tmp_path) == ["['FP16', 'GPU_FALLBACK'] 1", "[] -1"]


def test_many_callers(ask: Ask) -> None:
    """Whatever thread asks, the one that has the context computes."""
    engine = load_tensorrt(ask(sessions=3))
    wrong: list[int] = []

    def infer(seed: int) -> None:
        session, values = engine.session(), np.random.default_rng(seed)
        for _ in range(50):
            x = values.random((1, 3, 4, 5), np.float32)
            if not np.array_equal(session.infer({"x": x})["y"], x * 2):
                wrong.append(seed)
        session.close()

    callers = [threading.Thread(target=infer, args=(seed,)) for seed in range(3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(20)
    engine.close()

    assert not wrong
    assert not any(caller.is_alive() for caller in callers)


def test_pictures_of_a_size(tmp_path: Path, ask: Ask) -> None:
    """Height, width and batch that the model leaves open are fixed for the build; pictures become its tensor here."""
    image = ImageInput("x", 4, 2, "bgr", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    (tmp_path / "open").mkdir()
    engine = load_tensorrt(ask(model=open_size().write(tmp_path / "open"), image=image))
    pictures = np.arange(24, dtype=np.uint8).reshape(1, 2, 4, 3)

    got = engine.session().infer({"x": pictures})["y"]
    engine.close()

    assert np.array_equal(got, pictures.transpose(0, 3, 1, 2) * np.float32(2))


def test_what_it_refuses(tmp_path: Path, ask: Ask) -> None:
    """An operator it does not know and a precision that needs calibrating are refused in its words and ours."""
    path = tmp_path / "model.onnx"
    node = helper.make_node("Frobnicate", ["x"], ["y"])
    path.write_bytes(model([node], {"x": (FLOAT, (1, 2))}, {"y": (FLOAT, (1, 2))}).SerializeToString())

    with pytest.raises(EngineLoadError, match="refuses the model: no importer for Frobnicate"):
        load_tensorrt(ask(model=path))
    with pytest.raises(EngineLoadError, match="computes fp32 or fp16, not int8"):
        load_tensorrt(ask(precision=Precision.INT8))
