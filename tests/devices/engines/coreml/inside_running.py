"""The engine over the real coremltools, only Apple's compiled part of which is a stand-in."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.coreml_proxy import Mac, forget, install

MAC = Mac()
install(MAC)

from fakes import tiny_coreml  # noqa: E402 - it imports coremltools, over the stand-in

from devices.engines.coreml.engine import load  # noqa: E402 - as above
from devices.engines.engine import BuildWatch, EngineRequest, ImageInput  # noqa: E402 - as above
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError  # noqa: E402 - as above
from devices.inventory import Accelerator, AcceleratorKind  # noqa: E402 - as above

ENGINE = Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, "Apple M2 Neural Engine")
GPU = Accelerator(AcceleratorKind.APPLE_GPU, "Apple M2 GPU")
X = np.random.default_rng(1).random((1, 3, 4, 5), np.float32)
PIXELS = np.random.default_rng(2).integers(0, 256, (1, 6, 8, 3), dtype=np.uint8)
PLAIN = ImageInput("image", 8, 6, "rgb", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def seen_picture(data: dict[str, Any]) -> dict[str, Any]:
    """As Core ML with a scale of 1/255: the picture in RGB."""
    assert data["image"].mode == "RGB"
    return {"seen": (np.asarray(data["image"], np.float32) / 255).transpose(2, 0, 1)[None]}


@pytest.fixture(autouse=True)
def mac() -> Mac:
    MAC.__dict__.update({**Mac().__dict__, "made": MAC.made})
    MAC.answers = {
        "doubled": lambda data: {"y": data["x"] * 2 + 1},
        "picture": seen_picture,
        "tensor": lambda data: {"seen": data["image"]},
        "made": lambda _: {"y": X},
    }
    return MAC


@pytest.mark.parametrize(("device", "units"), [(ENGINE, "CPU_AND_NE"), (GPU, "CPU_AND_GPU")])
def test_units_follow_the_accelerator(tmp_path: Path, mac: Mac, device: Accelerator, units: str) -> None:
    """The model computes, on the units of the accelerator asked for."""
    engine = load(EngineRequest(tiny_coreml.doubled(tmp_path), device))

    np.testing.assert_allclose(engine.session().infer({"x": X})["y"], X * 2 + 1)
    assert mac.opened == [units]
    assert (engine.spec.runtime, engine.spec.runtime_version) == ("coreml", "9.0")


def test_a_device_that_is_not_listed(tmp_path: Path, mac: Mac) -> None:
    """A virtual Mac without a Neural Engine is told so; nothing runs elsewhere."""
    mac.devices = ["cpu", "gpu"]

    with pytest.raises(EngineUnavailable, match="MLNeuralEngineComputeDevice was asked for, Core ML lists MLCPU"):
        load(EngineRequest(tiny_coreml.doubled(tmp_path), ENGINE))
    assert not mac.opened


def test_where_operations_go(tmp_path: Path, mac: Mac) -> None:
    """The share of the Neural Engine is told; constants do not count."""
    mac.plan = {"mul": "engine", "add": "engine", "cast": "cpu", "relu": "engine"}

    notes = load(EngineRequest(tiny_coreml.doubled(tmp_path), ENGINE)).spec.notes

    assert notes == ("75% of 4 operations on the Neural Engine, 25% of 4 operations on the processor",)


def test_it_is_compiled_once(tmp_path: Path, mac: Mac) -> None:
    """The second start takes the compiled model from the cache; a damaged one is made anew."""
    request = EngineRequest(tiny_coreml.doubled(tmp_path), ENGINE, cache_dir=tmp_path / "cache")

    assert load(request).spec.notes == ("kept in the engine cache",)
    assert load(request).spec.notes == ("taken from the engine cache",)
    assert mac.compiled == 1
    (kept,) = (tmp_path / "cache").iterdir()
    forget(kept)
    assert load(request).spec.notes == ("kept in the engine cache",)
    assert mac.compiled == 2
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [kept.name]


def test_a_compiler_that_takes_too_long(tmp_path: Path, mac: Mac) -> None:
    """After the deadline the engine counts as unusable, with the reason; nothing else runs in its place."""
    mac.compiler_s = 1.0
    request = EngineRequest(tiny_coreml.doubled(tmp_path), ENGINE, build=BuildWatch(deadline_s=0.1))
    began_s = time.monotonic()

    with pytest.raises(EngineUnavailable, match=r"Apple M2 Neural Engine is still compiling the model after 0\.1 s"):
        load(request)

    assert time.monotonic() - began_s < 0.9
    for thread in threading.enumerate():
        if thread.name == "coreml-load":
            thread.join(5)


def test_a_model_that_core_ml_refuses(tmp_path: Path, mac: Mac) -> None:
    """What Core ML says is in the error."""
    mac.answers.clear()

    with pytest.raises(EngineLoadError, match="doubled is damaged"):
        load(EngineRequest(tiny_coreml.doubled(tmp_path), ENGINE))


def test_pictures_to_an_image_input(tmp_path: Path) -> None:
    """Core ML is given the agent's BGR picture in RGB, whatever order its model computes in."""
    path = tiny_coreml.seen(tmp_path, as_picture=True)

    engine = load(EngineRequest(path, GPU, PLAIN))

    expected = (PIXELS[..., ::-1].astype(np.float32) / 255).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(engine.session().infer({"image": PIXELS})["seen"], expected, rtol=1e-6)
    with pytest.raises(EngineLoadError, match="takes uint8, so mean must be 0 0 0"):
        load(EngineRequest(path, GPU, replace(PLAIN, scale=(0.1, 0.1, 0.1))))


def test_pictures_to_a_tensor_input(tmp_path: Path) -> None:
    """A model of tensors gets the scaled tensor."""
    image = ImageInput("image", 8, 6, "rgb", (1.0, 2.0, 3.0), (0.1, 0.2, 0.3))

    engine = load(EngineRequest(tiny_coreml.seen(tmp_path, as_picture=False), GPU, image))

    scaled = (PIXELS[..., ::-1] - np.float32(image.mean)) * np.float32(image.scale)
    np.testing.assert_allclose(
        engine.session().infer({"image": PIXELS})["seen"], scaled.transpose(0, 3, 1, 2), rtol=1e-5
    )


def test_open_shapes_are_refused(tmp_path: Path) -> None:
    """They would keep the model off the Neural Engine in silence."""
    with pytest.raises(EngineLoadError, match=r"input image is float32 \(\?, 3, 6, 8\); export the model with fixed"):
        load(EngineRequest(tiny_coreml.open_batch(tmp_path), ENGINE))


def test_a_compiled_model_is_loaded_as_it_is(tmp_path: Path, mac: Mac) -> None:
    """A .mlmodelc needs no compiler."""
    engine = load(EngineRequest(tiny_coreml.compiled(tmp_path), GPU, PLAIN))

    np.testing.assert_array_equal(engine.session().infer({"image": PIXELS})["y"], X)
    assert mac.compiled == 0


def test_failures_are_ours(tmp_path: Path) -> None:
    """A failed inference, a lacking output and a closed session are told in our words."""
    engine = load(EngineRequest(tiny_coreml.doubled(tmp_path), GPU))
    session = engine.session()

    with pytest.raises(InferenceError, match=r"takes float32 \(1, 3, 4, 5\)"):
        session.infer({"x": X[:, :2]})
    engine._loaded.model._proxy._answer = lambda _: {"z": X}
    with pytest.raises(InferenceError, match="the answer lacks the output 'y'"):
        session.infer({"x": X})
    engine._loaded.model._proxy._answer = lambda _: 1 / 0
    with pytest.raises(InferenceError, match="coreml: inference failed: division by zero"):
        session.infer({"x": X})
    for _ in range(2):
        session.close()
        engine.close()
    with pytest.raises(InferenceError, match="closed"):
        session.infer({"x": X})
    with pytest.raises(EngineUnavailable, match="closed"):
        engine.session()
