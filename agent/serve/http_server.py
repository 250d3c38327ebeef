"""One thread that serves the pages on an address of this machine, and ends only when what is open is answered."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from agent.errors import SettingsError
from agent.pipeline.channel import Beat, no_beat
from agent.serve.service import Served
from agent.web.gate import is_loopback
from agent.web.web_server import listen

BEAT_EVERY_S = 1.0
LOOK_EVERY_S = 0.1
# Connections beyond the open requests: idle ones, those that are refused, and who asks how we are.
SPARE_CONNECTIONS = 256


class HttpServer:
    """Serves between `open` and the end of a drain.

    `open` takes the address, `run` serves and belongs to one thread, `drain` may come from any thread; `close` gives
    the address back where `run` never did, and may be called twice.
    """

    def __init__(self, host: str, port: int, app: FastAPI, served: Served, *, requests: int) -> None:
        """A server not yet open.

        Args:
            host: address to serve on.
            port: 0 takes a free one.
            app: the pages.
            served: is told that it drains.
            requests: for detections, open at once.
        """
        self._host = host
        self._port = port
        self._app = app
        self._served = served
        self._connections = requests + SPARE_CONNECTIONS
        self._socket: socket.socket | None = None
        self._is_asked = threading.Event()
        self._drain_s = 0.0
        self._grace_s = 1.0

    @property
    def address(self) -> str:
        """`http://host:port` as it is open; the port is the real one where 0 was asked for."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def open(self) -> None:
        """Take the address, so that a taken one is told before anything else starts.

        Raises:
            PortInUseError: another program has it.
            SettingsError: this machine has no such address, or we may not serve on it.
        """
        self._socket = listen(self._host, self._port, ("--host", "--port"))
        self._port = self._socket.getsockname()[1]

    def run(self, beat: Beat = no_beat) -> None:
        """Serve until drained; beats about once a second while the event loop turns."""
        try:
            asyncio.run(self._serve(beat, self._is_asked))
        finally:
            self.close()

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Serve from a thread of its own while the caller does something that takes long, before `run`."""
        is_over = threading.Event()
        work = threading.Thread(target=lambda: asyncio.run(self._serve(no_beat, is_over)), name="http-meanwhile")
        work.start()
        try:
            yield
        finally:
            is_over.set()
            work.join()

    def drain(self, drain_s: float, grace_s: float) -> None:
        """End soon.

        Args:
            drain_s: still take new requests for so long, while /ready says 503, so that a load balancer can turn away.
            grace_s: then wait so long for the answers to those that are open.
        """
        self._drain_s, self._grace_s = drain_s, grace_s
        self._served.is_draining = True
        self._is_asked.set()

    def close(self) -> None:
        """Give the address back."""
        if self._socket is not None:
            self._socket.close()

    async def _serve(self, beat: Beat, is_over: threading.Event) -> None:
        if self._socket is None:
            self.open()
        # A copy: uvicorn closes what it served on, and the address is to stay ours.
        listener = None if self._socket is None else self._socket.dup()
        server = uvicorn.Server(_config(self._app, self._connections))
        serving = asyncio.ensure_future(server.serve(sockets=None if listener is None else [listener]))
        beaten_s, asked_s = -BEAT_EVERY_S, 0.0
        while not serving.done():
            now_s = time.monotonic()
            if is_over.is_set():
                asked_s = asked_s or now_s
                server.config.timeout_graceful_shutdown = max(1, round(self._grace_s))
                server.should_exit = now_s - asked_s >= self._patience_s()
            if now_s - beaten_s >= BEAT_EVERY_S:
                beaten_s = now_s
                beat()
            await asyncio.wait({serving}, timeout=LOOK_EVERY_S)
        await serving

    def _patience_s(self) -> float:
        """How long to take new requests still; who lost the engine has none to give."""
        service = self._served.service
        return 0.0 if service is None or service.queue.lost else self._drain_s


def refuse_open_door(host: str, token: str | None) -> None:
    """Raise SettingsError where other machines could ask without a token."""
    if not token and not is_loopback(host):
        raise SettingsError(
            f"--host: {host} can be reached from other machines, so a token is needed: --token-file FILE, or "
            "SITEWATCH_SERVE_TOKEN in the environment; or serve on 127.0.0.1"
        )


def _config(app: FastAPI, connections: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=connections,
        timeout_graceful_shutdown=1,
    )
