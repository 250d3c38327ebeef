"""A model on servers that speak KServe v2: the agent sends pictures and gets tensors back."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from devices.engines.engine import Engine, EngineRequest, EngineSpec, RemoteUse, Tensors
from devices.engines.kserve.address import ServerAddress, parse_address
from devices.engines.kserve.connection import SHARED_MEMORY, Connection, ModelOnServer, ServerFacts, ServerFailure
from devices.engines.kserve.fitting import Fit, fit, same_model
from devices.engines.kserve.grpc_connection import GrpcConnection
from devices.engines.kserve.http_connection import HttpConnection
from devices.engines.kserve.server_pool import PooledServer, ServerPool
from devices.engines.kserve.shared_memory import SharedMemoryConnection
from devices.engines.model_file import ModelFile, read_model
from devices.engines.tensor_check import as_float32, check_outputs, check_tensors
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError
from devices.inventory import AcceleratorKind

NAME = "kserve"


def load(request: EngineRequest) -> Engine:
    """Find the servers that hold the model; those that do not answer now are tried again while others work.

    Raises:
        ModelFileError: the file is no ONNX model.
        EngineUnavailable: no servers are named, the client is not installed, or no server can be used.
        EngineLoadError: a server holds another model.
    """
    if request.accelerator.kind is not AcceleratorKind.REMOTE:
        raise EngineUnavailable(f"{NAME} drives model servers only, not {request.accelerator.name}")
    if request.remote is None or not request.remote.servers:
        raise EngineUnavailable(f"{NAME}: no server is named")
    model = read_model(request.model)
    opened: list[_Server] = []
    try:
        addresses = [parse_address(text) for text in request.remote.servers]
        opened.extend(_opened(address, request.remote, model) for address in addresses)
        return _engine(opened, model, request)
    except BaseException:
        for server in opened:
            server.connection.close()
        raise


class KServeEngine:
    """A model on servers. Any thread may ask for a session."""

    def __init__(self, spec: EngineSpec, fitting: Fit, pool: ServerPool) -> None:
        self._spec = spec
        self._fit = fitting
        self._users = _Users(pool)
        self._leave = weakref.finalize(self, self._users.leave)

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""
        return self._spec

    def session(self) -> KServeSession:
        """A session of its own for one worker.

        Raises:
            EngineUnavailable: the engine is closed.
        """
        if not self._leave.alive:
            raise EngineUnavailable(f"{NAME}: this engine is closed")
        self._users.enter()
        return KServeSession(self._spec, self._fit, self._users)

    def close(self) -> None:
        """Let go of the servers; the last session to close hangs up."""
        self._leave()


class KServeSession:
    """One worker's way to the servers, which all sessions share; dropped without `close`, it is closed all the same."""

    def __init__(self, spec: EngineSpec, fitting: Fit, users: _Users) -> None:
        self._spec = spec
        self._fit = fitting
        self._pool: ServerPool | None = users.pool
        self._leave = weakref.finalize(self, users.leave)
        self._outputs = [spec.name for spec in spec.outputs]

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once, on the next server that can.

        Raises:
            InferenceError: the tensors are not what the model takes, the server refused, or none can be used now.
        """
        if self._pool is None:
            raise InferenceError(f"{NAME}: this session is closed")
        check_tensors(self._spec.inputs, tensors)
        answer = self._pool.infer(self._fit.send(tensors), self._outputs)
        given = {name: as_float32(answer[name]) for name in self._outputs}
        check_outputs(self._spec.outputs, given)
        return given

    def close(self) -> None:
        """Let go of the servers; may be called twice."""
        self._pool = None
        self._leave()


class _Users:
    """Hangs up once the engine and all of its sessions are closed."""

    def __init__(self, pool: ServerPool) -> None:
        self.pool = pool
        self._count = 1
        self._lock = threading.Lock()

    def enter(self) -> None:
        with self._lock:
            self._count += 1

    def leave(self) -> None:
        with self._lock:
            self._count -= 1
            is_last = self._count == 0
        if is_last:
            self.pool.close()


@dataclass(eq=False)
class _Server:
    """A server while the engine is being loaded."""

    address: ServerAddress
    connection: Connection
    facts: ServerFacts | None
    reason: str = ""
    note: str = ""


def _opened(address: ServerAddress, remote: RemoteUse, model: ModelFile) -> _Server:
    meant = ModelOnServer(remote.model or model.path.stem, remote.version)
    kind = GrpcConnection if address.protocol == "grpc" else HttpConnection
    connection: Connection = kind(address, meant, remote.timeout_s)
    try:
        facts = _ready_facts(connection, address, meant.name)
    except ServerFailure as failure:
        return _Server(address, connection, None, reason=str(failure))
    except BaseException:
        connection.close()
        raise
    if not (remote.shares_memory and address.is_here and SHARED_MEMORY in facts.extensions):
        return _Server(address, connection, facts)
    sharing = SharedMemoryConnection(connection)
    if why_not := sharing.can_share():
        return _Server(address, connection, facts, note=f"no shared memory with {address.text}: {why_not}")
    return _Server(address, sharing, facts, note=f"inputs in shared memory with {address.text}")


def _ready_facts(connection: Connection, address: ServerAddress, name: str) -> ServerFacts:
    facts = connection.facts()
    if not connection.is_ready():
        raise ServerFailure(f"{address.text}: the model {name} is not ready", is_servers_fault=True)
    return facts


def _engine(opened: list[_Server], model: ModelFile, request: EngineRequest) -> KServeEngine:
    well = [(server, server.facts) for server in opened if server.facts is not None]
    if not well:
        reasons = "; ".join(server.reason for server in opened)
        raise EngineUnavailable(f"{NAME}: no server can be used: {reasons}")
    first, facts = well[0]
    fitting = fit(model, request, facts, first.address.text)
    for server, other in well[1:]:
        if not _is_same(facts, other):
            raise EngineLoadError(f"{NAME}: {server.address.text} holds another model than {first.address.text}")
    servers = [PooledServer(each.address.text, each.connection, _checker(each, facts, request)) for each in opened]
    pool = ServerPool(servers, time.monotonic)
    for server in opened:
        if server.facts is None:
            pool.fail(server.address.text, server.reason)
    spec = EngineSpec(
        runtime=NAME,
        runtime_version=facts.version or "0",
        accelerator=request.accelerator,
        precision=model.precision,
        inputs=fitting.inputs,
        outputs=fitting.outputs,
        model_sha256=model.sha256,
        notes=_notes(opened, facts, fitting),
    )
    return KServeEngine(spec, fitting, pool)


def _checker(server: _Server, expected: ServerFacts, request: EngineRequest) -> Callable[[], None]:
    name = (request.remote and request.remote.model) or request.model.stem

    def check() -> None:
        found = _ready_facts(server.connection, server.address, name)
        if not _is_same(expected, found):
            raise ServerFailure(f"{server.address.text}: holds another model now", is_servers_fault=True)

    return check


def _is_same(first: ServerFacts, second: ServerFacts) -> bool:
    return same_model(first.inputs, second.inputs) and same_model(first.outputs, second.outputs)


def _notes(opened: list[_Server], facts: ServerFacts, fitting: Fit) -> tuple[str, ...]:
    held = ", ".join(server.address.text for server in opened if server.facts is not None)
    left_out = tuple(f"left out for now: {server.reason}" for server in opened if server.facts is None)
    shared = tuple(server.note for server in opened if server.note)
    return tuple(filter(None, (f"{facts.name} at {held}", fitting.note, *shared, *left_out)))
