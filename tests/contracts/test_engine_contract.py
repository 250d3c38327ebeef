"""What every engine promises, held by the fake and by every real one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU, CPU_ENGINES, FakeEngine
from fakes.tiny_onnx import TINY_MODELS, TinyModel, doubled, two_inputs
from servers.model_servers import SERVERS, RunningServers

from devices.engines.catalogue import ENGINES
from devices.engines.engine import Engine, EngineRequest, EngineSpec, RemoteUse, Tensors, WorkerUse
from devices.engines.image_input import engine_inputs
from devices.engines.kserve import engine as kserve
from devices.engines.model_file import read_model
from devices.errors import DevicesError, EngineUnavailable, InferenceError
from devices.inventory import Accelerator, AcceleratorKind

ISOLATED = WorkerUse(is_isolated=True)
Loader = Callable[[TinyModel, EngineRequest], Engine]


def load_fake(tiny: TinyModel, request: EngineRequest) -> Engine:
    file = read_model(request.model)
    inputs = engine_inputs(file, request)
    spec = EngineSpec("fake", "1", request.accelerator, file.precision, inputs, file.outputs, file.sha256)
    return FakeEngine(spec, tiny.answer)


LOADERS: dict[str, Loader] = {
    "fake": load_fake,
    **{name: lambda _, request, each=runtime: each.load(request) for name, runtime in CPU_ENGINES.items()},
    "onnxruntime in a worker": lambda _, request: ENGINES["onnxruntime"].load(replace(request, worker=ISOLATED)),
    "openvino in a worker": lambda _, request: ENGINES["openvino"].load(replace(request, worker=ISOLATED)),
}
REMOTE = Accelerator(AcceleratorKind.REMOTE, "a model server of the tests")
# The server that knows every extension of the protocol over gRPC, the one that knows none over HTTP.
REMOTES = {
    **({"kserve over grpc": ("triton", "grpc")} if "triton" in SERVERS else {}),
    "kserve over http": ("mlserver", "http"),
}


def load_remote(servers: RunningServers, name: str, request: EngineRequest) -> Engine:
    kind, protocol = REMOTES[name]
    read_model(request.model)  # no server is given what is no model
    server = servers(kind)
    use = RemoteUse((getattr(server, protocol),), model=server.serve_once(request.model))
    return kserve.load(replace(request, accelerator=REMOTE, remote=use))


@dataclass(frozen=True)
class Bench:
    """Loads tiny models on one engine and closes everything after."""

    load: Callable[..., Engine]

    def __call__(self, tiny: TinyModel, **options: object) -> Engine:
        return self.load(tiny, **options)


@pytest.fixture(params=[*LOADERS, *REMOTES])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    opened: list[Engine] = []

    def load(tiny: TinyModel, **options: object) -> Engine:
        wanted = EngineRequest(model=tiny.write(tmp_path), accelerator=CPU, **options)
        if request.param in REMOTES:
            opened.append(load_remote(request.getfixturevalue("model_servers"), request.param, wanted))
        else:
            opened.append(LOADERS[request.param](tiny, wanted))
        return opened[-1]

    yield Bench(load)
    for engine in opened:
        engine.close()


def assert_same(got: Tensors, expected: Tensors) -> None:
    assert list(got) == list(expected)
    for name, array in expected.items():
        assert got[name].dtype == array.dtype
        np.testing.assert_allclose(got[name], array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", TINY_MODELS)
def test_it_computes_the_model(bench: Bench, kind: str) -> None:
    """Every output comes under its name, in the file's order, with the model's values; float16 as float32."""
    tiny = TINY_MODELS[kind]()
    example = tiny.example(np.random.default_rng(1))

    got = bench(tiny).session().infer(example)

    assert_same(got, tiny.answer(example))


@pytest.mark.parametrize("kind", TINY_MODELS)
def test_the_spec_fits_what_goes_in_and_out(bench: Bench, kind: str) -> None:
    """What the spec says of names, dtypes and shapes is what an inference takes and gives."""
    tiny = TINY_MODELS[kind]()
    example = tiny.example(np.random.default_rng(2))
    engine = bench(tiny)

    got = engine.session().infer(example)

    for specs, tensors in ((engine.spec.inputs, example), (engine.spec.outputs, got)):
        assert [spec.name for spec in specs] == list(tensors)
        for spec in specs:
            array = tensors[spec.name]
            assert all(axis in (None, size) for axis, size in zip(spec.shape, array.shape, strict=True))
    assert [spec.dtype for spec in engine.spec.inputs] == [array.dtype.name for array in example.values()]


def test_the_spec_tells_what_runs_where(bench: Bench) -> None:
    """Run-time, version, accelerator and the model's digest are in the spec."""
    spec = bench(doubled()).spec

    assert spec.runtime in {*LOADERS, "kserve"}
    assert spec.runtime_version[0].isdigit()
    assert spec.accelerator == (REMOTE if spec.runtime == "kserve" else CPU)
    assert len(spec.model_sha256) == 64


def test_an_open_batch_takes_any(bench: Bench) -> None:
    """A session of a model with an open batch takes one picture, then three, then two."""
    tiny = two_inputs()
    session = bench(tiny).session()

    for count in (1, 3, 2):
        tensors = {"images": np.full((count, 3, 4, 5), count, np.float32), "sizes": np.full((count, 2), count)}
        assert_same(session.infer(tensors), tiny.answer(tensors))


def test_a_batch_can_be_fixed(bench: Bench) -> None:
    """With a batch asked for, the open axis is fixed and another batch is refused."""
    tiny = two_inputs()
    engine = bench(tiny, batch=2)
    example = tiny.example(np.random.default_rng(3))

    assert [spec.shape[0] for spec in engine.spec.inputs] == [2, 2]
    assert_same(engine.session().infer(example), tiny.answer(example))
    with pytest.raises(InferenceError, match=r"images takes float32 \(2, 3, 4, 5\)"):
        engine.session().infer({"images": np.zeros((1, 3, 4, 5), np.float32), "sizes": np.zeros((1, 2), np.int64)})


def test_results_are_the_callers(bench: Bench) -> None:
    """The next inference does not touch the arrays of the one before, and they may be written."""
    session = bench(doubled()).session()

    first = session.infer({"x": np.zeros((1, 3, 4, 5), np.float32)})["y"]
    session.infer({"x": np.ones((1, 3, 4, 5), np.float32)})

    assert (first == 1.0).all()
    first[:] = 7.0


def test_inputs_may_be_read_only_or_strided(bench: Bench) -> None:
    """A view that is neither writeable nor contiguous is read as it is, and stays unchanged."""
    tiny = doubled()
    backing = np.arange(120, dtype=np.float32).reshape(1, 3, 4, 10)
    view = backing[..., ::2]
    view.flags.writeable = False

    assert_same(bench(tiny).session().infer({"x": view}), tiny.answer({"x": view}))
    assert (backing == np.arange(120, dtype=np.float32).reshape(1, 3, 4, 10)).all()


@pytest.mark.parametrize(
    ("tensors", "sentence"),
    [
        ({}, r"input x is missing; it takes float32 \(1, 3, 4, 5\)"),
        ({"x": np.zeros((1, 3, 4, 6), np.float32)}, r"takes float32 \(1, 3, 4, 5\), got float32 \(1, 3, 4, 6\)"),
        ({"x": np.zeros((3, 4, 5), np.float32)}, r"got float32 \(3, 4, 5\)"),
        ({"x": np.zeros((1, 3, 4, 5), np.float64)}, r"got float64 \(1, 3, 4, 5\)"),
        ({"x": [[1.0]]}, "got a list"),
        ({"x": np.zeros((1, 3, 4, 5), np.float32), "z": np.zeros(1)}, "unknown input z; the model takes x"),
    ],
    ids=["missing", "shape", "rank", "dtype", "no array", "unknown"],
)
def test_wrong_tensors_are_refused(bench: Bench, tensors: Tensors, sentence: str) -> None:
    """What the model does not take is refused in a sentence, and the session works on."""
    tiny = doubled()
    session = bench(tiny).session()
    example = tiny.example(np.random.default_rng(4))

    with pytest.raises(InferenceError, match=sentence):
        session.infer(tensors)

    assert_same(session.infer(example), tiny.answer(example))


def test_two_sessions_at_once(bench: Bench) -> None:
    """Two workers with a session each get their own answers."""
    tiny = doubled()
    engine = bench(tiny, sessions=2)
    wrong: list[str] = []

    def work(seed: int) -> None:
        session = engine.session()
        random = np.random.default_rng(seed)
        for _ in range(200):
            example = tiny.example(random)
            if not np.allclose(session.infer(example)["y"], tiny.answer(example)["y"]):
                wrong.append(f"worker {seed}")
        session.close()

    workers = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)

    assert not wrong
    assert not any(worker.is_alive() for worker in workers)


def test_closing_twice(bench: Bench) -> None:
    """Session and engine may be closed twice; afterwards both refuse in our words."""
    engine = bench(doubled())
    session = engine.session()

    for _ in range(2):
        session.close()
        engine.close()

    with pytest.raises(InferenceError, match="closed"):
        session.infer({"x": np.zeros((1, 3, 4, 5), np.float32)})
    with pytest.raises(EngineUnavailable, match="closed"):
        engine.session()


def test_a_session_outlives_its_engines_close(bench: Bench) -> None:
    """A session that is still open when its engine is closed finishes its work."""
    tiny = doubled()
    engine = bench(tiny)
    session = engine.session()
    example = tiny.example(np.random.default_rng(5))

    engine.close()

    assert_same(session.infer(example), tiny.answer(example))


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html>", b"\x08\x07junk" * 50], ids=["empty", "web", "junk"])
def test_no_model_is_refused(bench: Bench, content: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    """A file that is no model is refused as ours, and nothing is spilled on standard error."""

    class NoModel:
        def write(self, folder: Path) -> Path:
            path = folder / "none.onnx"
            path.write_bytes(content)
            return path

    with pytest.raises(DevicesError, match=r"none\.onnx"):
        bench(NoModel())

    assert capfd.readouterr().err == ""


def test_a_missing_file_is_refused(bench: Bench) -> None:
    """A path where nothing is says so."""

    class Nowhere:
        def write(self, folder: Path) -> Path:
            return folder / "nowhere.onnx"

    with pytest.raises(DevicesError, match=r"nowhere\.onnx: no such file"):
        bench(Nowhere())
