"""The TensorRT engine from request to answer, over fakes of TensorRT and CUDA that compute."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes.nvidia_machine import GPU, NvidiaMachine, nvidia_machine
from fakes.tensorrt_names import SINCE_10, VERSIONS, WEAK
from fakes.tiny_onnx import HALF, TinyModel, doubled, same_image, two_inputs

from devices.engines.engine import Engine, EngineRequest, ImageInput, Precision
from devices.errors import InferenceError
from devices.inventory import Accelerator, AcceleratorKind

NEWEST = VERSIONS[-1]
BGR = ImageInput("image", 8, 6, "rgb", (0.0, 0.0, 0.0), (1 / 255,) * 3)
SECOND = Accelerator(AcceleratorKind.NVIDIA_GPU, "Fake GPU", index=1)
X = {"x": np.ones((1, 3, 4, 5), np.float32)}


@pytest.fixture(params=[NEWEST])
def nvidia(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[NvidiaMachine]:
    with nvidia_machine(monkeypatch, request.param) as machine:
        yield machine
        gc.collect()
        machine.assert_clean()


every_version = pytest.mark.parametrize("nvidia", VERSIONS, indirect=True)


def make(nvidia: NvidiaMachine, folder: Path, tiny: TinyModel | None = None, **options: Any) -> Engine:
    request = EngineRequest((tiny or doubled()).write(folder), options.pop("accelerator", GPU), **options)
    return nvidia.load(request)


def answer(engine: Engine) -> float:
    """One inference of a session of its own: 2 x + 1 of ones."""
    session = engine.session()
    found = session.infer(X)["y"]
    session.close()
    assert (found == found.flat[0]).all()
    return float(found.flat[0])


@every_version
@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP16, Precision.AUTO])
def test_every_version_builds_and_answers(nvidia: NvidiaMachine, tmp_path: Path, precision: Precision) -> None:
    """8.6 to 11.4 build by what they have, run, tell what they compute with, and leave nothing behind."""
    engine = make(nvidia, tmp_path, precision=precision)
    (order, _), version = nvidia.orders[0], nvidia.trt.__version__

    assert answer(engine) == 3.0
    assert engine.spec.precision == ("fp32" if precision is Precision.FP32 else "fp16")
    assert engine.spec.runtime_version == version
    is_fp16 = precision is not Precision.FP32
    assert order.is_strong is (version not in WEAK)
    assert order.flags == (("FP16",) if is_fp16 and version in WEAK else ())
    assert order.convert == ("fp16" if is_fp16 and version not in WEAK else None)
    engine.close()


@every_version
def test_a_model_that_is_typed_already(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """float16 weights are built as they are typed where strong typing exists, by the flag where it does not."""
    engine = make(nvidia, tmp_path, TinyModel(half_weights(), dict, dict), precision=Precision.FP32)

    assert engine.spec.precision == "fp16"
    assert nvidia.orders[0][0].is_strong is (nvidia.trt.__version__ in SINCE_10)
    assert "the model's weights are float16: it runs in fp16" in engine.spec.notes
    engine.close()


def half_weights() -> Any:
    """Twice x, in float16."""
    proto = same_image(HALF, (1, 4))
    proto.graph.node[0].op_type = "Mul"
    proto.graph.node[0].input.append("two")
    two = proto.graph.initializer.add()
    two.CopyFrom(doubled().proto.graph.initializer[0])
    two.ClearField("raw_data")
    two.data_type, two.raw_data = HALF, np.float16(2).tobytes()
    return proto


@every_version
@pytest.mark.parametrize("kind", [AcceleratorKind.NVIDIA_GPU, AcceleratorKind.DLA])
def test_pictures_become_the_models_tensor(nvidia: NvidiaMachine, tmp_path: Path, kind: AcceleratorKind) -> None:
    """On the GPU in the graph, a Cast first; for a DLA on the processor; the model sees the same."""
    path = tmp_path / "model.onnx"
    path.write_bytes(same_image().SerializeToString())
    accelerator = Accelerator(kind, "Jetson AGX Orin", index=1)
    engine = nvidia.load(EngineRequest(path, accelerator, BGR, batch=2, precision=Precision.FP16))
    pixels = np.random.default_rng(1).integers(0, 256, (2, 6, 8, 3), dtype=np.uint8)

    seen = engine.session().infer({"image": pixels})["seen"]

    expected = (pixels[..., ::-1] / 255).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(seen, expected, atol=2e-3)
    assert [spec.dtype for spec in engine.spec.inputs] == ["uint8"]
    engine.close()


def test_the_cache_spares_the_second_build(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The second load takes the kept plan; timings go into the next build of another model."""
    cache = tmp_path / "cache"
    make(nvidia, tmp_path, cache_dir=cache).close()
    again = make(nvidia, tmp_path, cache_dir=cache)
    other = make(nvidia, tmp_path, two_inputs(), cache_dir=cache)

    assert again.spec.notes == ("taken from the engine cache",)
    assert answer(again) == 3.0
    assert [caches["timing"] for _, caches in nvidia.orders] == [None, f"timings {NEWEST}".encode()]
    again.close()
    other.close()


@pytest.mark.parametrize("change", [{"precision": Precision.FP32}, {"batch": 3}, {"accelerator": SECOND}])
def test_another_request_is_another_engine(nvidia: NvidiaMachine, tmp_path: Path, change: dict[str, Any]) -> None:
    """What shapes an engine is in its key."""
    make(nvidia, tmp_path, two_inputs(), cache_dir=tmp_path / "cache").close()

    make(nvidia, tmp_path, two_inputs(), cache_dir=tmp_path / "cache", **change).close()

    assert len(nvidia.orders) == 2


@pytest.mark.parametrize("damage", ["corrupt", "foreign"])
def test_a_plan_that_is_refused_is_built_anew(
    nvidia: NvidiaMachine, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept plan that TensorRT does not take, though its checksum fits, is replaced, and its reason told."""
    plan = b"no plan" if damage == "corrupt" else foreign_plan(nvidia, tmp_path)
    monkeypatch.setattr("devices.engines.cache.EngineCache.find", lambda _self, key: plan if key.model_sha256 else None)

    engine = make(nvidia, tmp_path, cache_dir=tmp_path / "cache")

    why = "magicTag failed" if damage == "corrupt" else "engine plan file is of version 8.6.1"
    assert why in engine.spec.notes[0]
    assert answer(engine) == 3.0
    engine.close()


def foreign_plan(nvidia: NvidiaMachine, folder: Path) -> bytes:
    """A whole plan of another TensorRT."""
    cache = folder / "foreign"
    real = nvidia.trt.__version__
    nvidia.trt.__version__ = "8.6.1"
    make(nvidia, folder, cache_dir=cache, precision=Precision.FP32).close()
    nvidia.trt.__version__ = real
    return max((path.read_bytes() for path in cache.rglob("*.engine")), key=len)


@pytest.mark.parametrize(("memory", "copies"), [("its own", 2), ("shared", 0)])
def test_jetson_copies_nothing(nvidia: NvidiaMachine, tmp_path: Path, memory: str, copies: int) -> None:
    """Where the GPU shares the processor's memory it reads and writes page-locked memory in place."""
    nvidia.cuda.is_integrated = memory == "shared"
    engine = make(nvidia, tmp_path)

    assert answer(engine) == 3.0
    assert nvidia.cuda.copies == copies
    engine.close()


def test_closing_under_load(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """The engine is closed while two workers infer: they finish what they do, and all is freed on the CUDA thread."""
    engine = make(nvidia, tmp_path, sessions=2)
    sessions = [engine.session() for _ in range(2)]
    answers: list[float] = []
    running = threading.Barrier(3)

    def work(session: Any) -> None:
        running.wait(10)
        answers.extend(float(session.infer(X)["y"].flat[0]) for _ in range(50))
        session.close()

    workers = [threading.Thread(target=work, args=(session,)) for session in sessions]
    for worker in workers:
        worker.start()
    running.wait(10)
    engine.close()
    for worker in workers:
        worker.join(30)

    assert answers == [3.0] * 100


def test_what_nobody_closed(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """An engine and a session that are dropped are freed all the same, on the CUDA thread."""
    session = make(nvidia, tmp_path).session()
    assert session.infer(X)["y"].flat[0] == 3.0

    del session
    gc.collect()

    nvidia.assert_clean()


def test_a_batch_larger_than_built_for(nvidia: NvidiaMachine, tmp_path: Path) -> None:
    """An open batch ends where the engine's profile ends, in a sentence."""
    engine = make(nvidia, tmp_path, two_inputs())
    tensors = {"images": np.zeros((17, 3, 4, 5), np.float32), "sizes": np.zeros((17, 2), np.int64)}

    with pytest.raises(InferenceError, match=r"built for at most \(16, 3, 4, 5\), got \(17, 3, 4, 5\)"):
        engine.session().infer(tensors)
    engine.close()
