"""The connection to the broker that is made again for ever: a thread that runs one session after the other."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from agent.clock import Clock
from agent.errors import SettingsError
from agent.publish.backoff import Backoff
from agent.publish.certificate_watch import CertificateWatch
from agent.publish.message import Message
from agent.publish.mqtt_client import make_client, port_of, tls_context
from agent.publish.mqtt_failure import (
    HOPELESS,
    BrokerFailure,
    Failure,
    own_certificate_expired,
    thrown_out,
)
from agent.publish.mqtt_session import BrokerAddress, MqttSession
from agent.publish.outgoing import Outgoing
from agent.publish.wake import Wake
from agent.settings.models import BrokerSettings
from agent.telemetry.publish import PublishHappenings

RETRY_MIN_S = 1.0
RETRY_MAX_S = 30.0
# A connection that ends sooner than this did not work: a broker that accepts and throws out is not tried in a loop.
STEADY_AFTER_S = 10.0
# So many of these in a row, and no failed attempt between them: the broker is up, and somebody else has our place.
SUSPICIOUS_ENDS = 3


class MqttConnection:
    """Keeps a broker connected while it runs. `start` and `stop` belong to one thread; any may put messages in.

    An absent broker is no error, at the start as later: it is tried again with doubling pauses and jitter. Every
    session begins with the will and with all retained statuses.

    Attributes:
        outgoing: what waits to be sent; call `wake` after putting something in.
        error: what ended the thread although nobody asked it to: a bug. None while all is well.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client_id: str,
        will: Callable[[], Message],
        clock: Clock,
        chance: random.Random,
        happened: PublishHappenings,
        backoff: Backoff | None = None,
    ) -> None:
        self.outgoing = Outgoing()
        self.error: Exception | None = None
        self._settings = settings
        self._address = BrokerAddress(settings.host, port_of(settings), round(settings.keepalive))
        self._client_id = client_id
        self._will = will
        self._clock = clock
        self._happened = happened
        self._backoff = backoff or Backoff(RETRY_MIN_S, RETRY_MAX_S, chance)
        self._bell = Wake()
        self._stopping = threading.Event()
        self._short_sessions = 0
        self._session: MqttSession | None = None
        self._certificates = CertificateWatch(settings.tls, clock, happened)
        self._thread: threading.Thread | None = None

    @property
    def is_connected(self) -> bool:
        """Whether the broker has accepted us, now."""
        session = self._session
        return session is not None and session.is_connected

    def start(self) -> None:
        """Read the certificates and begin to connect; does not wait for the broker.

        Raises:
            SettingsError: a certificate or key cannot be used.
        """
        if self._settings.tls is not None:
            tls_context(self._settings.tls)  # what is wrong with it is to be seen now
            self._certificates.look()
        self._bell.open()
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was put into `outgoing`."""
        self._bell.ring()

    def stop(self, timeout_s: float) -> bool:
        """Say goodbye, end the thread and wait for it at most so long; whether it ended. May be called twice."""
        self._stopping.set()
        session = self._session
        if session is not None:
            session.leave()
        if self._thread is not None:
            self._thread.join(timeout_s)
            if self._thread.is_alive():
                self._happened.broker_given_up(timeout_s)
                return False
        self._bell.close()
        return True

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                failure = self._run_session()
                if not self._stopping.is_set():
                    self._pause(failure)
        except Exception as error:  # noqa: BLE001 - the thread's outermost loop: `send` raises it in its own thread
            self.error = error
        finally:
            self._happened.broker_left()

    def _run_session(self) -> Failure:
        try:
            # Read anew for every connection: certificates are renewed while we run.
            tls = None if self._settings.tls is None else tls_context(self._settings.tls)
        except SettingsError as error:
            return Failure(BrokerFailure.TLS, str(error))
        client = make_client(self._settings, self._client_id, tls, self._will())
        session = MqttSession(
            client, self._address, self.outgoing, self._bell, self._clock, self._happened, self._certificates
        )
        self._session = session
        if self._stopping.is_set():
            session.leave()
        return self._judged(session, session.run())

    def _judged(self, session: MqttSession, failure: Failure) -> Failure:
        """What the end of a session means in the light of those before it."""
        expired_at = self._certificates.own_expired()
        if session.connected_at_s is None:
            self._short_sessions = 0
            if expired_at is not None and failure.kind in {BrokerFailure.TLS, BrokerFailure.LOST}:
                file = "" if self._settings.tls is None else str(self._settings.tls.client_cert_file)
                return own_certificate_expired(failure, file, expired_at)
        elif self._clock.monotonic_s() - session.connected_at_s >= STEADY_AFTER_S:
            self._short_sessions = 0
            self._backoff.reset()
        elif failure.kind is BrokerFailure.LOST:
            self._short_sessions += 1
            if self._short_sessions >= SUSPICIOUS_ENDS:
                return thrown_out(failure, self._short_sessions)
        return failure

    def _pause(self, failure: Failure) -> None:
        pause_s = self._backoff.pause_s(is_hopeless=failure.kind in HOPELESS)
        self._happened.broker_lost(str(self._address), failure.kind.value, failure.detail, pause_s)
        self._stopping.wait(pause_s)
