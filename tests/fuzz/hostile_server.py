"""A TCP server that answers whatever it is told to, and never what it should."""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

ACCEPT_TURN_S = 0.2
READ_WITHIN_S = 0.1
MOST_READ_BYTES = 65_536


class HostileServer:
    """Answers each thing that is said to it with the next of its answers, and then hangs up; one client at a time.

    Attributes:
        answers: what to say, the next time somebody connects; set it before they do.
        visits: how many clients were served.
    """

    def __init__(self, port: int = 0) -> None:
        self.answers: Sequence[bytes] = ()
        self.visits = 0
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.settimeout(ACCEPT_TURN_S)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hostile")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> HostileServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        while not self._is_over.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                self._serve(connection)
                self.visits += 1

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(READ_WITHIN_S)
            for answer in self.answers:
                if not connection.recv(MOST_READ_BYTES):
                    return
                connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(MOST_READ_BYTES):
                pass
