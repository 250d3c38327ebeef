"""Several servers that hold the same model: they take turns, and one that fails is left out for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devices.engines.engine import Tensors
from devices.engines.kserve.connection import Connection, Sent, ServerFailure
from devices.errors import InferenceError

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


@dataclass(eq=False)
class PooledServer:
    """One server and how it fares.

    Attributes:
        name: for a person, without credentials.
        connection: to it.
        check: sees that it is ready and still holds the model; raises `ServerFailure` where not.
        failures: in a row.
        retry_at_s: monotonic time before which it is left out; 0 while it is well.
        reason: of the last failure.
    """

    name: str
    connection: Connection
    check: Callable[[], None]
    failures: int = 0
    retry_at_s: float = 0.0
    reason: str = ""


class ServerPool:
    """Gives every inference to the next server that is well. Any thread may call."""

    def __init__(self, servers: Sequence[PooledServer], now_s: Callable[[], float]) -> None:
        """Nothing is sent yet.

        Args:
            servers: at least one.
            now_s: monotonic time.
        """
        self._servers = tuple(servers)
        self._now_s = now_s
        self._lock = threading.Lock()
        self._turn = 0

    def infer(self, tensors: Sent, outputs: Sequence[str]) -> Tensors:
        """Run once, on the next server that does it; each is asked once at most.

        Raises:
            InferenceError: a server refuses the tensors, or none can be used now.
        """
        for server in self._in_turn():
            try:
                if server.failures:
                    server.check()
                answer = server.connection.infer(tensors, outputs)
            except ServerFailure as failure:
                if not failure.is_servers_fault:
                    raise InferenceError(f"kserve: inference failed: {failure}") from failure
                self._left_out(server, str(failure))
                continue
            self._is_well(server)
            return answer
        raise InferenceError(f"kserve: no server can be used now: {self._reasons()}")

    def well(self) -> tuple[str, ...]:
        """Names of the servers that are not left out."""
        with self._lock:
            return tuple(server.name for server in self._servers if not server.failures)

    def fail(self, name: str, reason: str) -> None:
        """Leave a server out that did not come up."""
        for server in self._servers:
            if server.name == name:
                self._left_out(server, reason)

    def close(self) -> None:
        """Let go of every connection; may be called twice."""
        for server in self._servers:
            server.connection.close()

    def _in_turn(self) -> list[PooledServer]:
        """Those that are well, the next first; then those whose time to be tried again has come."""
        with self._lock:
            now_s, self._turn = self._now_s(), self._turn + 1
            start = self._turn % len(self._servers)
            in_order = (*self._servers[start:], *self._servers[:start])
            due = [server for server in in_order if server.failures and now_s >= server.retry_at_s]
            for server in due:
                server.retry_at_s = now_s + _wait_s(server.failures)  # one thread tries it, not all of them
            return [*due[:1], *(server for server in in_order if not server.failures), *due[1:]]

    def _left_out(self, server: PooledServer, reason: str) -> None:
        with self._lock:
            server.failures += 1
            server.retry_at_s = self._now_s() + _wait_s(server.failures)
            server.reason = reason

    def _is_well(self, server: PooledServer) -> None:
        with self._lock:
            server.failures, server.retry_at_s, server.reason = 0, 0.0, ""

    def _reasons(self) -> str:
        with self._lock:
            return "; ".join(server.reason or f"{server.name}: left out" for server in self._servers)


def _wait_s(failures: int) -> float:
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - 1, 10)))
