"""One thread that serves the pages on an address of this machine."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from agent.errors import PortInUseError, SettingsError
from agent.pipeline.channel import Beat, no_beat
from agent.web.answers import Answers
from agent.web.app import make_app
from agent.web.gate import is_loopback

BEAT_EVERY_S = 1.0
LOOK_EVERY_S = 0.1
# Pages take milliseconds; more open connections than this is somebody else's bug.
MAX_CONNECTIONS = 64
GRACE_S = 2
BACKLOG = 128


class WebServer:
    """Serves the pages between `open` and `stop`.

    `open` takes the address, `run` serves until `stop` and belongs to one thread, `stop` may come from any thread,
    before `run` too; `close` gives the address back where `run` never did, and may be called twice.
    """

    def __init__(self, host: str, port: int, answers: Answers, token: str | None = None) -> None:
        """A server not yet open.

        Args:
            host: address to serve on.
            port: 0 takes a free one.
            answers: what the pages tell.
            token: what every request must bear; None only on loopback.

        Raises:
            SettingsError: the address can be reached from other machines and there is no token.
        """
        if not token and not is_loopback(host):
            raise SettingsError(
                f"http.host: {host} can be reached from other machines, so http.token must be set; "
                "set it, or serve on 127.0.0.1"
            )
        self._host = host
        self._port = port
        self._answers = answers
        self._token = token or None
        self._socket: socket.socket | None = None
        self._is_stopped = threading.Event()

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
        self._socket = listen(self._host, self._port)
        self._port = self._socket.getsockname()[1]

    def run(self, beat: Beat = no_beat) -> None:
        """Serve until `stop`; beats about once a second while the event loop turns."""
        try:
            asyncio.run(self._serve(beat, self._is_stopped))
        finally:
            self.close()

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Serve from a thread of its own while the caller does something that takes long, before `run`."""
        is_over = threading.Event()
        thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(no_beat, is_over)), name="http-meanwhile", daemon=True
        )
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def stop(self) -> None:
        """Make `run` return soon: open requests get two seconds."""
        self._is_stopped.set()

    def close(self) -> None:
        """Give the address back."""
        if self._socket is not None:
            self._socket.close()

    async def _serve(self, beat: Beat, is_over: threading.Event) -> None:
        if self._socket is None:
            self.open()
        # A copy: uvicorn closes what it served on, and the address is to stay ours.
        listener = None if self._socket is None else self._socket.dup()
        server = uvicorn.Server(_config(make_app(self._answers, self._token)))
        serving = asyncio.ensure_future(server.serve(sockets=None if listener is None else [listener]))
        beaten_s = -BEAT_EVERY_S
        while not serving.done():
            server.should_exit = is_over.is_set()
            if time.monotonic() - beaten_s >= BEAT_EVERY_S:
                beaten_s = time.monotonic()
                beat()
            await asyncio.wait({serving}, timeout=LOOK_EVERY_S)
        await serving


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type] # FastAPI is an ASGI application; uvicorn's alias is stricter than Starlette's
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
    )


def listen(host: str, port: int, keys: tuple[str, str] = ("http.host", "http.port")) -> socket.socket:
    """A listening socket on an address of this machine.

    Args:
        host: name or address.
        port: 0 takes a free one.
        keys: what the operator calls the two, for errors.

    Raises:
        PortInUseError: another program has it.
        SettingsError: this machine has no such address, or we may not serve on it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise SettingsError(f"{keys[0]}: {host} is no address of this machine: {error.strerror}") from error
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # Listening, not only bound: two programs may bind one address with SO_REUSEADDR, but not both listen.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _refused(host, port, keys, error) from error
    return listener


def _refused(host: str, port: int, keys: tuple[str, str], error: OSError) -> SettingsError | PortInUseError:
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"{keys[1]}: {port} on {host} is in use by another program; stop that one, choose another port, "
            "or 0 for any free one"
        )
    if error.errno == errno.EACCES:
        return SettingsError(f"{keys[1]}: {port} on {host} is not ours to serve on; choose one of 1024 or above")
    return SettingsError(f"{keys[0]}: {host} cannot be served on: {error.strerror}")
