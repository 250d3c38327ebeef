"""Real run-times in the worker: the agent's own engines, and those of another Python."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.tiny_onnx import FLOAT, HALF, UINT8, doubled, open_size, same_image
from fakes.worker_bench import children, interpreter, open_descriptors

from devices.engines import onnxruntime_engine
from devices.engines.catalogue import ENGINES
from devices.engines.engine import EngineRequest, ImageInput, WorkerUse
from devices.engines.worker.foreign import MYRIAD, ONNXRUNTIME, OPENVINO, load_foreign, load_myriad
from devices.engines.worker.isolated_engine import IsolatedEngine
from devices.engines.worker.loading import if_isolated, load_own
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError, ModelFileError
from devices.inventory import Accelerator, AcceleratorKind

Load = Callable[[EngineRequest], IsolatedEngine]
STICK = Accelerator(AcceleratorKind.MYRIAD, "a stick")
# What a stick gets, computed where there is none.
LIKE_MYRIAD = replace(
    MYRIAD, drives=frozenset({AcceleratorKind.CPU}), options=lambda _: {"device": "CPU", "settings": {}}
)
LOADS: dict[str, Load] = {
    "onnxruntime, ours": lambda request: load_own("onnxruntime", "devices.engines.onnxruntime_engine", request),
    "openvino, ours": lambda request: load_own("openvino", "devices.engines.openvino.engine", request),
    "onnxruntime, foreign": lambda request: load_foreign(ONNXRUNTIME, request),
    "openvino, foreign": lambda request: load_foreign(OPENVINO, request),
    "as a stick": lambda request: load_foreign(LIKE_MYRIAD, request),
}
IN_WORKER = WorkerUse(interpreter=interpreter())
PICTURE = ImageInput("image", 8, 6, "rgb", (123.7, 116.3, 103.5), (0.017, 0.0175, 0.0174))


def resident_bytes(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
@pytest.mark.parametrize("kind", [FLOAT, HALF, UINT8])
def test_pictures_reach_the_model_alike(tmp_path: Path, load: Load, kind: int) -> None:
    """The model's image tensor is the same as in the agent's own process, wherever pictures are prepared."""
    path = tmp_path / "seen.onnx"
    path.write_bytes(same_image(kind).SerializeToString())
    image = PICTURE if kind != UINT8 else replace(PICTURE, mean=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))
    request = EngineRequest(path, CPU, image=image, worker=IN_WORKER, batch=1)
    pictures = {"image": np.random.default_rng(1).integers(0, 256, (1, 6, 8, 3), np.uint8)}
    here = ENGINES["onnxruntime"].load(request)

    engine = load(request)
    got = engine.session().infer(pictures)["seen"]
    engine.close()

    assert engine.spec.inputs == here.spec.inputs
    np.testing.assert_allclose(
        got, here.session().infer(pictures)["seen"], rtol=2e-3 if kind == HALF else 1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", ["onnxruntime, ours", "openvino, ours", "openvino, foreign"])
def test_a_real_run_time_killed(tmp_path: Path, name: str) -> None:
    """Kills under inferences of a real run-time: right or refused, then right again, nothing left."""
    tiny, before = doubled(), (open_descriptors(), children())
    engine = LOADS[name](EngineRequest(tiny.write(tmp_path), CPU, worker=IN_WORKER))
    session, values, refused = engine.session(), np.random.default_rng(3), 0
    for _ in range(3):
        pid = engine.worker_pid
        assert pid is not None
        timer = threading.Timer(0.01, os.kill, (pid, signal.SIGKILL))
        timer.start()
        while engine.worker_pid == pid:
            example = tiny.example(values)
            try:
                np.testing.assert_allclose(session.infer(example)["y"], tiny.answer(example)["y"], rtol=1e-5)
            except InferenceError:
                refused += 1
        timer.join()
        example = tiny.example(values)
        np.testing.assert_allclose(session.infer(example)["y"], tiny.answer(example)["y"], rtol=1e-5)
    session.close()
    engine.close()

    assert (refused, engine.restarts) == (3, 3)
    assert (open_descriptors(), children()) == before


def test_ten_thousand_inferences(tmp_path: Path) -> None:
    """Neither side grows, whatever the shapes."""
    tiny = open_size()
    engine = load_foreign(ONNXRUNTIME, EngineRequest(tiny.write(tmp_path), CPU, worker=IN_WORKER))
    session = engine.session()
    tensors = [{"x": np.full((1, 3, side, 8), side, np.float32)} for side in (4, 40, 80)]

    def infer(count: int) -> tuple[int, int]:
        for turn in range(count):
            session.infer(tensors[turn % 3])
        return resident_bytes("self"), resident_bytes(str(engine.worker_pid))

    before = infer(1000)
    after = infer(9000)
    session.close()
    engine.close()

    assert max(grown - was for grown, was in zip(after, before, strict=True)) < 2_000_000


def test_isolation_is_asked_for(tmp_path: Path) -> None:
    """The factory of the catalogue loads into a worker where the request says so, else in this process."""
    load = if_isolated("onnxruntime", onnxruntime_engine.load)
    path = doubled().write(tmp_path)
    inside = load(EngineRequest(path, CPU))
    isolated = load(EngineRequest(path, CPU, worker=WorkerUse(is_isolated=True)))

    assert isinstance(isolated, IsolatedEngine)
    assert not isinstance(inside, IsolatedEngine)
    assert isolated.spec == replace(inside.spec, notes=("in a worker, a process of its own",))
    isolated.close()


@pytest.mark.parametrize("name", ["onnxruntime, ours", "onnxruntime, foreign"])
def test_what_the_run_time_refuses(tmp_path: Path, name: str) -> None:
    """A file that is no model is refused as in the agent's own process."""
    path = tmp_path / "none.onnx"
    path.write_bytes(b"\x08\x07junk" * 50)

    with pytest.raises(ModelFileError, match=r"none\.onnx: no ONNX model"):
        LOADS[name](EngineRequest(path, CPU, worker=IN_WORKER))


def test_a_model_replaced_under_way(tmp_path: Path) -> None:
    """A worker lost after its model file was replaced is not replaced by one that computes something else."""
    path = doubled().write(tmp_path)
    engine = load_foreign(ONNXRUNTIME, EngineRequest(path, CPU, worker=IN_WORKER))
    session, pid = engine.session(), engine.worker_pid
    path.write_bytes(open_size().proto.SerializeToString())
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    example = doubled().example(np.random.default_rng(1))

    with pytest.raises(InferenceError, match="SIGKILL"):
        session.infer(example)
    with pytest.raises(InferenceError, match=r"cannot be started again: .*the file has changed"):
        session.infer(example)
    session.close()
    engine.close()


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        (EngineRequest(Path("x.onnx"), CPU, worker=IN_WORKER), "myriad drives myriad only, not a processor"),
        (EngineRequest(Path("x.onnx"), STICK), "myriad needs a Python of its own, and none is named"),
    ],
    ids=["elsewhere", "no interpreter"],
)
def test_a_stick_is_not_for_everyone(request_: EngineRequest, sentence: str) -> None:
    """The stick's engine never runs elsewhere, and never under this Python."""
    with pytest.raises(EngineUnavailable, match=sentence):
        load_myriad(request_)


def test_a_stick_that_is_not_there(tmp_path: Path) -> None:
    """An OpenVINO that does not list the stick says what it lists."""
    request = EngineRequest(doubled().write(tmp_path), STICK, worker=IN_WORKER)
    with pytest.raises(EngineUnavailable, match="does not list MYRIAD but CPU"):
        load_myriad(request)


def test_a_stick_takes_one_picture_of_a_known_size(tmp_path: Path) -> None:
    """Open axes but the batch, and any batch but one, are refused before a worker is started."""
    path = open_size().write(tmp_path)
    with pytest.raises(EngineLoadError, match=r"x is float32 \(1, 3, \?, \?\); myriad needs it fixed"):
        load_myriad(EngineRequest(path, STICK, worker=IN_WORKER))
    with pytest.raises(EngineLoadError, match=r"takes a batch of 4, myriad only 1"):
        load_myriad(EngineRequest(path, STICK, worker=IN_WORKER, batch=4, image=replace(PICTURE, name="x")))
