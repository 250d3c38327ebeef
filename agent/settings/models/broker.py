"""The MQTT broker, and TLS towards it or a camera."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator

from agent.settings.models.choices import TlsVerification
from agent.settings.models.record import HostName, Port, Record, UserName
from agent.settings.types import Duration, Secret
from agent.settings.types.limits import Text, Within
from agent.settings.types.site_path import SitePath


def _protocol_as_text(written: object) -> object:
    """`protocol: 5` is what most people write; YAML reads a number."""
    return "5" if isinstance(written, int) and not isinstance(written, bool) and written == 5 else written


Protocol = Annotated[
    Literal["5", "3.1.1"], BeforeValidator(_protocol_as_text, json_schema_input_type=Literal["5", "3.1.1", 5])
]
ClientId = Annotated[str, Text("[0-9A-Za-z_.:@-]{1,128}", "1 to 128 letters, digits, _ . : @ and -")]
Keepalive = Annotated[Duration, Within(Duration(5.0), Duration(3600.0))]


class TlsSettings(Record):
    """TLS towards a broker or camera; `tls: {}` is enough where the system's authorities vouch for it."""

    ca_file: SitePath | None = None
    """Certificate authorities to trust, PEM; null trusts those of the system."""

    client_cert_file: SitePath | None = None
    """Our own certificate, PEM, where the server asks for one; needs client_key_file."""

    client_key_file: SitePath | None = None
    """The private key of client_cert_file, PEM, without a passphrase."""

    verify: TlsVerification = TlsVerification.FULL
    """full: certificate and host name must be right. off: encrypt, but trust anybody."""


class BrokerSettings(Record):
    """The MQTT broker events are published to."""

    host: HostName
    """Host name or IP address of the broker."""

    port: Port | None = None
    """TCP port; null means 8883 with tls, else 1883."""

    protocol: Protocol = "5"
    """MQTT version: 5 or 3.1.1."""

    username: UserName | None = None
    """User name at the broker."""

    password: Secret | None = None
    """Password at the broker: ${NAME} of the environment, !file PATH, or text."""

    tls: TlsSettings | None = None
    """Encrypt the connection; null means plain TCP."""

    client_id: ClientId | None = None
    """MQTT client id; null makes one that is unique for machine and site."""

    keepalive: Keepalive = Duration(30.0)
    """How long silence may last before either side takes the connection for dead: 5s to 1h."""
