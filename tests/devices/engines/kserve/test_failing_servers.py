"""Servers that are not there, hang, die and come back."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from fakes.tiny_onnx import INT64, doubled, model
from onnx import helper
from servers.model_servers import SERVERS, ModelServer, RunningServers
from servers.ports import free_port

from devices.engines.engine import Engine, EngineRequest, RemoteUse, Session
from devices.engines.kserve import engine as kserve
from devices.errors import EngineUnavailable, InferenceError
from devices.inventory import Accelerator, AcceleratorKind

REMOTE = Accelerator(AcceleratorKind.REMOTE, "a model server of the tests")
ONES = {"x": np.ones((1, 3, 4, 5), np.float32)}
RICHEST = list(SERVERS)[-1]


def load(path: Path, *servers: str, name: str = "", timeout_s: float = 2.0) -> Engine:
    use = RemoteUse(servers, model=name, timeout_s=timeout_s)
    return kserve.load(EngineRequest(path, REMOTE, remote=use))


@contextmanager
def hanging() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]


def answers(session: Session) -> bool:
    try:
        return bool((session.infer(ONES)["y"] == 3.0).all())
    except InferenceError:
        return False


def answers_again(session: Session, deadline_s: float = 20.0) -> bool:
    end_s = time.monotonic() + deadline_s
    while not (is_back := answers(session)) and time.monotonic() < end_s:
        time.sleep(0.05)
    return is_back


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_nobody_is_there(tmp_path: Path, protocol: str) -> None:
    """A server that refuses the connection is named, without the password in its address."""
    port = free_port()

    with pytest.raises(EngineUnavailable, match=rf"no server can be used: {protocol}://127.0.0.1:{port}: ") as raised:
        load(doubled().write(tmp_path), f"{protocol}://agent:s3cret@127.0.0.1:{port}")

    assert "s3cret" not in f"{raised.value!r} {raised.value.__cause__!r}"
    assert "s3cret" not in repr(RemoteUse(("grpc://agent:s3cret@127.0.0.1",)))


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_server_that_hangs(tmp_path: Path, protocol: str) -> None:
    """A call ends at its deadline."""
    began_s = time.monotonic()

    with hanging() as port, pytest.raises(EngineUnavailable, match="no server can be used"):
        load(doubled().write(tmp_path), f"{protocol}://127.0.0.1:{port}", timeout_s=0.5)

    assert time.monotonic() - began_s < 5.0


@pytest.mark.parametrize(
    "address", ["ftp://host", "grpc://", "host:8001", "grpc://a:b@host:80x1", "grpc://host/path?q"]
)
def test_no_address(tmp_path: Path, address: str) -> None:
    """What is no address is refused with an example."""
    with pytest.raises(EngineUnavailable, match="it is like grpc://host:8001"):
        load(doubled().write(tmp_path), address)


def test_no_server_is_named(tmp_path: Path) -> None:
    """Without servers, or for another accelerator, there is no engine."""
    path = doubled().write(tmp_path)

    with pytest.raises(EngineUnavailable, match="no server is named"):
        load(path)
    with pytest.raises(EngineUnavailable, match="drives model servers only, not a processor"):
        kserve.load(EngineRequest(path, Accelerator(AcceleratorKind.CPU, "a processor")))


def test_a_model_that_is_not_there(tmp_path: Path, model_servers: RunningServers) -> None:
    """A server that lacks the model cannot be used, and says so."""
    with pytest.raises(EngineUnavailable, match=r"no server can be used: .*nowhere"):
        load(doubled().write(tmp_path), model_servers(RICHEST).grpc, name="nowhere")


def test_a_model_that_fails(tmp_path: Path, model_servers: RunningServers) -> None:
    """An inference that the server refuses is an error of that inference; the server stays in use."""
    shape = {"x": (1, ("n",)), "shape": (INT64, (1,))}
    path = tmp_path / "model.onnx"
    proto = model([helper.make_node("Reshape", ["x", "shape"], ["y"])], shape, {"y": (1, ("m",))})
    path.write_bytes(proto.SerializeToString())
    server = model_servers(RICHEST)
    engine = load(path, server.grpc, name=server.serve_once(path))
    session = engine.session()

    with pytest.raises(InferenceError, match=r"kserve: inference failed: grpc://127\.0\.0\.1"):
        session.infer({"x": np.zeros(4, np.float32), "shape": np.array([5])})

    assert (session.infer({"x": np.ones(4, np.float32), "shape": np.array([4])})["y"] == 1).all()
    engine.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ModelServer]:
    """A server that a test may kill."""
    with SERVERS[RICHEST](tmp_path / "own") as server:
        yield server


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_a_server_dies_and_comes_back(
    tmp_path: Path, model_servers: RunningServers, own_server: ModelServer, protocol: str
) -> None:
    """The other server takes over without an inference lost; alone, inferences fail at once; back, it works again."""
    path, steady = doubled().write(tmp_path), model_servers(RICHEST)
    name = steady.serve_once(path)
    own_server.serve_once(path)
    mortal = getattr(own_server, protocol)
    both, alone = load(path, mortal, steady.grpc, name=name), load(path, mortal, name=name)
    two, one = both.session(), alone.session()
    assert all((session.infer(ONES)["y"] == 3.0).all() for session in (two, one, two))

    own_server.kill()

    assert all((two.infer(ONES)["y"] == 3.0).all() for _ in range(10))
    with pytest.raises(InferenceError, match=f"no server can be used now: {mortal}"):
        one.infer(ONES)
    own_server.start()
    assert answers_again(one)
    both.close()
    alone.close()


def test_a_server_that_is_missing_at_first(tmp_path: Path, model_servers: RunningServers) -> None:
    """An engine loads with the servers that are there, and tells of the other."""
    path, server, port = doubled().write(tmp_path), model_servers(RICHEST), free_port()
    engine = load(path, f"grpc://127.0.0.1:{port}", server.grpc, name=server.serve_once(path))

    assert (engine.session().infer(ONES)["y"] == 3.0).all()
    assert any(note.startswith(f"left out for now: grpc://127.0.0.1:{port}") for note in engine.spec.notes)
    engine.close()


def test_closing_under_load(tmp_path: Path, model_servers: RunningServers) -> None:
    """Sessions at work finish when their engine is closed; nothing stays in the machine's shared memory."""
    path, server = doubled().write(tmp_path), model_servers(RICHEST)
    engine = load(path, server.grpc, server.http, name=server.serve_once(path))
    wrong: list[str] = []

    def work() -> None:
        session = engine.session()
        wrong.extend("a wrong answer" for _ in range(100) if not (session.infer(ONES)["y"] == 3.0).all())
        session.close()

    before = regions()
    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    time.sleep(0.05)
    engine.close()
    for worker in workers:
        worker.join(30)

    assert not wrong
    assert regions() <= before


def regions() -> set[str]:
    """What lies in shared memory of Python's making."""
    return {path.name for path in Path("/dev/shm").glob("psm_*")}
