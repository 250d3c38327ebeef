"""Tells the service manager how we are: the protocol of sd_notify(3), which is one datagram a message."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Mapping

_MICROSECONDS = 1_000_000
_MOST_STATUS_LETTERS = 500


class Notifier:
    """Speaks to the service manager where there is one, and does nothing where there is none; any thread may use it.

    A manager that does not listen is its own trouble: nothing here raises or waits.
    """

    def __init__(self, environ: Mapping[str, str], pid: int) -> None:
        """A notifier; nothing is sent yet.

        Args:
            environ: holds `NOTIFY_SOCKET`, `WATCHDOG_USEC`, `WATCHDOG_PID` under a manager.
            pid: ours; a watchdog meant for another process is not ours to feed.
        """
        self._path = environ.get("NOTIFY_SOCKET", "")
        self._environ = environ
        self._pid = pid

    @property
    def is_managed(self) -> bool:
        """Whether a manager wants to hear from us."""
        return self._path[:1] in {"/", "@"}

    @property
    def watchdog_interval_s(self) -> float | None:
        """Seconds within which the manager wants a sign of life, or None. Give one at least twice as often."""
        microseconds = self._environ.get("WATCHDOG_USEC", "")
        if not microseconds.isascii() or not microseconds.isdigit() or int(microseconds) == 0:
            return None
        if self._environ.get("WATCHDOG_PID", str(self._pid)) != str(self._pid):
            return None
        return int(microseconds) / _MICROSECONDS

    def ready(self, status: str) -> None:
        """Start-up is over; `status` is shown by `systemctl status`."""
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def reloading(self, status: str, at_s: float) -> None:
        """The configuration is read anew; `ready` ends it. `at_s`: now, seconds of the machine's monotonic clock."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={int(at_s * _MICROSECONDS)}\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """What we do now, in a sentence."""
        self._send(f"STATUS={_one_line(status)}")

    def watchdog(self) -> None:
        """A sign of life."""
        self._send("WATCHDOG=1")

    def stopping(self, status: str) -> None:
        """Stopping began."""
        self._send(f"STOPPING=1\nSTATUS={_one_line(status)}")

    def extend_timeout(self, seconds: float) -> None:
        """Starting or stopping takes this much longer from now; repeat before it is over."""
        self._send(f"EXTEND_TIMEOUT_USEC={int(seconds * _MICROSECONDS)}")

    def _send(self, message: str) -> None:
        if not self.is_managed:
            return
        # A leading @ stands for the zero byte of Linux's abstract names.
        address = "\0" + self._path[1:] if self._path.startswith("@") else self._path
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.settimeout(0)
            datagrams.sendto(message.encode(), address)


def _one_line(text: str) -> str:
    """A line end would begin a new message field."""
    return " ".join(text.split())[:_MOST_STATUS_LETTERS]
