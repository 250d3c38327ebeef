"""An address behind which nobody answers: connecting to it neither succeeds nor fails."""

from __future__ import annotations

import select
import socket
from types import TracebackType

LOOPBACK = "127.0.0.1"
MOST_CALLERS = 64
HANGS_S = 0.2


class BlackHole:
    """A listener whose queue is full, so that the kernel drops every further caller's packets, as a dead host does."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=0)
        self._callers: list[socket.socket] = []

    @property
    def port(self) -> int:
        """On the loopback."""
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> BlackHole:
        while self._call():
            assert len(self._callers) < MOST_CALLERS, "the queue does not fill"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for caller in self._callers:
            caller.close()
        self._listener.close()

    def _call(self) -> bool:
        """Take one more place in the queue; whether there was one."""
        caller = socket.socket()
        self._callers.append(caller)
        caller.settimeout(0.0)
        caller.connect_ex((LOOPBACK, self.port))
        return bool(select.select([], [caller], [], HANGS_S)[1])
