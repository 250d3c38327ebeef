"""A camera or encoder that sends an MPEG transport stream over HTTP without end, at its own pace."""

from __future__ import annotations

import itertools
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

PIECE_S = 0.1
WRAP_S = 2**33 / 90_000


def write_transport_stream(path: Path, clip: Path, *, begins_at_s: float = 0.0) -> Path:
    """A clip as a transport stream whose times begin there; beyond `WRAP_S` they begin anew at 0."""
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(clip), "-c", "copy", "-muxdelay", "0", "-output_ts_offset"]
    subprocess.run([*command, f"{begins_at_s:.3f}", "-f", "mpegts", str(path)], check=True, timeout=30)
    return path


class TransportStream:
    """Sends files one after the other, each within its own time, the last one for ever; to any number of clients."""

    def __init__(self, parts: Sequence[Path], seconds: float) -> None:
        """Each part lasts so many seconds."""
        self._parts = [part.read_bytes() for part in parts]
        self._seconds = seconds
        self._is_over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._send))
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, name="transport stream")

    @property
    def url(self) -> str:
        """Where it is watched."""
        return f"http://127.0.0.1:{self._server.server_port}/gate.ts"

    def __enter__(self) -> TransportStream:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _send(self, write: Callable[[bytes], object]) -> None:
        due_s = time.monotonic()
        for part in itertools.chain(self._parts[:-1], itertools.repeat(self._parts[-1])):
            size = max(1, round(len(part) * PIECE_S / self._seconds))
            for at in range(0, len(part), size):
                if self._is_over.wait(max(0.0, due_s - time.monotonic())):
                    return
                write(part[at : at + size])
                due_s += PIECE_S


def _handler(send: Callable[[Callable[[bytes], object]], None]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            with suppress(OSError):
                send(self.wfile.write)

        def log_message(self, *_: Any) -> None:
            """Silently."""

    return Handler
