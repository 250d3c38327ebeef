"""A bell that a thread waiting on sockets can hear."""

from __future__ import annotations

import contextlib
import select
import socket


class Wake:
    """Rung by any thread, heard by the one that waits; made without effects, opened and closed by its owner."""

    def __init__(self) -> None:
        self._ends: tuple[socket.socket, socket.socket] | None = None

    def open(self) -> None:
        """Make the socket pair."""
        ear, bell = socket.socketpair()
        ear.settimeout(0.0)
        bell.settimeout(0.0)
        self._ends = (ear, bell)

    def ring(self) -> None:
        """End the wait that is on, or the next; nothing when it is not open."""
        ends = self._ends
        if ends is not None:
            # Full: it rings already. Closed meanwhile: nobody waits any more.
            with contextlib.suppress(OSError):
                ends[1].send(b"\0")

    def wait(self, also: socket.socket | None, timeout_s: float, *, for_writing: bool = False) -> tuple[bool, bool]:
        """Wait for the bell or for `also`, at most so long; whether `also` can be read and written."""
        if self._ends is None:
            raise RuntimeError("wait before open")
        ear = self._ends[0]
        readers = [ear] if also is None else [ear, also]
        writers = [also] if also is not None and for_writing else []
        readable, writable, _ = select.select(readers, writers, [], timeout_s)
        if ear in readable:
            with contextlib.suppress(OSError):
                ear.recv(4096)
        return also in readable, also in writable

    def close(self) -> None:
        """Close both ends; may be called twice."""
        ends, self._ends = self._ends, None
        for end in ends or ():
            end.close()
