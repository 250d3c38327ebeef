"""A small MQTT 3.1.1 broker on this machine, for trying sitewatch out without one."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any

from agent.errors import PortInUseError, SettingsError, SinkError

LOOPBACK = "127.0.0.1"
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 5.0


class EmbeddedBroker:
    """amqtt in a thread with an event loop of its own; anybody on this machine may connect, nobody else.

    It keeps nothing on disk. `start` and `stop` belong to one thread.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leaving: asyncio.Event | None = None
        self._started = threading.Event()
        self._error: BaseException | None = None

    def start(self) -> None:
        """Start it; it serves when this returns.

        Raises:
            SettingsError: the package amqtt is not installed.
            PortInUseError: the port is taken.
            SinkError: it does not start for another reason.
        """
        _require_package()
        self._require_port()
        self._thread = threading.Thread(target=self._run, name="embedded-broker", daemon=True)
        self._thread.start()
        if not self._started.wait(START_TIMEOUT_S) or self._error is not None:
            self.stop()
            why = self._error or f"no answer within {START_TIMEOUT_S:.0f} s"
            raise SinkError(f"the embedded broker does not start: {why}") from self._error

    def stop(self) -> None:
        """End every connection and the thread; may be called twice."""
        loop, leaving = self._loop, self._leaving
        if loop is not None and leaving is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed already
                loop.call_soon_threadsafe(leaving.set)
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:  # noqa: BLE001 - the thread's outermost loop: the starter raises it
            self._error = error
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._leaving = asyncio.Event()
        broker = _broker_class()(self._configuration())
        await broker.start()
        self._started.set()
        await self._leaving.wait()
        await broker.shutdown()

    def _configuration(self) -> dict[str, Any]:
        return {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }

    def _require_port(self) -> None:
        """See that the port is free: the library tells it in a way that cannot be told from its other troubles."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, self.port))
            except OSError as error:
                raise self._in_use() from error

    def _in_use(self) -> PortInUseError:
        return PortInUseError(
            f"the embedded broker cannot listen on {LOOPBACK}:{self.port}: another program does, perhaps a broker that "
            "you could use instead (broker: {host: 127.0.0.1}); or choose another embedded_broker_port in the site file"
        )


def _broker_class() -> Any:  # noqa: ANN401 - a class of a package that may not be there
    """The broker of amqtt, made to close every connection it lets go of; by itself it leaves some to the collector."""
    from amqtt.broker import Broker  # noqa: PLC0415 - an extra: only who asks for it needs it

    class TidyBroker(Broker):  # type: ignore[misc]  # amqtt is an extra: untyped where it is not installed
        async def stream_connected(
            self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
        ) -> None:
            try:
                await super().stream_connected(reader, writer, listener_name)
            finally:
                writer.close()

    return TidyBroker


def _require_package() -> None:
    """Import it here, in the starter's thread, so that its absence is the starter's error."""
    try:
        import amqtt.broker  # noqa: F401, PLC0415 - see above
    except ImportError as error:
        raise SettingsError(
            "broker: embedded needs the package amqtt, which is not installed; "
            "install sitewatch with its extra `demo` (pip install 'sitewatch[demo]'), or name a broker"
        ) from error
