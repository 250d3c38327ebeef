"""Watches when the certificates of the connection to the broker expire."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from agent.clock import Clock
from agent.publish.certificate_expiry import CertificateError, pem_certificates, valid_until
from agent.settings.models import TlsSettings
from agent.telemetry.publish import CertificateOf, PublishHappenings

LOOK_EVERY_S = 6 * 3600.0


class CertificateWatch:
    """Tells the expiry of the authorities', our own and the broker's certificate; used by the connection's thread.

    Files are read anew each time: who renews them does not have to restart the agent.
    """

    def __init__(self, settings: TlsSettings | None, clock: Clock, happened: PublishHappenings) -> None:
        """Nothing is looked at yet; without TLS nothing ever is."""
        self._settings = settings
        self._clock = clock
        self._happened = happened
        self._broker: bytes | None = None
        self._looked_at_s: float | None = None

    def look(self) -> None:
        """Look at the files, and at the broker's certificate where it is known."""
        settings = self._settings
        if settings is None:
            return
        self._looked_at_s = self._clock.monotonic_s()
        # One authority of several is enough, so the one that lasts longest counts; in our own file ours is first.
        self._tell("ca", max(_expiries(_of_file(settings.ca_file)), default=None), settings.ca_file)
        own = _expiries(_of_file(settings.client_cert_file)[:1])
        self._tell("client", own[0] if own else None, settings.client_cert_file)
        broker = _expiries([] if self._broker is None else [self._broker])
        self._tell("broker", broker[0] if broker else None, None)

    def connected(self, broker: bytes | None) -> None:
        """A connection is up; what the broker showed, in DER."""
        self._broker = broker
        self.look()

    def turn(self) -> None:
        """Look again a few times a day; called by the connection's loop."""
        if self._looked_at_s is not None and self._clock.monotonic_s() - self._looked_at_s >= LOOK_EVERY_S:
            self.look()

    def own_expired(self) -> datetime | None:
        """When our own certificate expired, if it has."""
        own = [] if self._settings is None else _expiries(_of_file(self._settings.client_cert_file)[:1])
        return own[0] if own and own[0] < self._clock.now() else None

    def _tell(self, which: CertificateOf, expiry: datetime | None, file: Path | None) -> None:
        if expiry is None:
            return
        left_s = (expiry - self._clock.now()).total_seconds()
        self._happened.certificate_expires(which, expiry, left_s, None if file is None else str(file))


def _of_file(path: Path | None) -> list[bytes]:
    """The certificates in a file; none where there is no such file: using it tells what is wrong."""
    try:
        return [] if path is None else pem_certificates(Path(path).read_bytes())
    except OSError:
        return []


def _expiries(certificates: Sequence[bytes]) -> list[datetime]:
    return [expiry for expiry in map(_expiry, certificates) if expiry is not None]


def _expiry(certificate: bytes) -> datetime | None:
    try:
        return valid_until(certificate)
    except CertificateError:
        return None
