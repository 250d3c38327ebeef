"""paho clients, made as we need them."""

from __future__ import annotations

import logging
import ssl

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from agent.errors import SettingsError
from agent.publish.message import Message
from agent.settings.models import BrokerSettings, TlsSettings, TlsVerification

TLS_PORT = 8883
PLAIN_PORT = 1883
CONNECT_TIMEOUT_S = 5.0


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails: paho lets go of it as it is, and warns at the next collection."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the library declares it
        try:
            super().do_handshake(block)
        except (OSError, ValueError):
            self.close()
            raise


def port_of(settings: BrokerSettings) -> int:
    """The port of the site file, or the one registered for MQTT with or without TLS."""
    return settings.port or (PLAIN_PORT if settings.tls is None else TLS_PORT)


def tls_context(settings: TlsSettings) -> ssl.SSLContext:
    """Read the certificates.

    Raises:
        SettingsError: a file cannot be read, or is not what it should be.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = _TidySocket
    try:
        if settings.ca_file is not None:
            context.load_verify_locations(settings.ca_file)
    except OSError as error:
        raise SettingsError(f"broker.tls.ca_file: {settings.ca_file}: {_words(error)}; PEM is expected") from error
    try:
        if settings.client_cert_file is not None:
            context.load_cert_chain(settings.client_cert_file, settings.client_key_file)
    except OSError as error:
        raise SettingsError(
            f"broker.tls.client_cert_file: {settings.client_cert_file} with key {settings.client_key_file}: "
            f"{_words(error)}; a certificate and its unencrypted key, both PEM, are expected"
        ) from error
    if settings.verify is TlsVerification.OFF:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def make_client(settings: BrokerSettings, client_id: str, tls: ssl.SSLContext | None, will: Message) -> paho.Client:
    """A client for one connection; it never connects again by itself.

    It keeps no session at the broker (clean start): we subscribe to nothing, and what is not acknowledged waits in
    our own outbox.
    """
    is_5 = settings.protocol == "5"
    client = paho.Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=None if is_5 else True,
        protocol=paho.MQTTv5 if is_5 else paho.MQTTv311,
        reconnect_on_failure=False,
    )
    client.connect_timeout = CONNECT_TIMEOUT_S
    client.enable_logger(logging.getLogger("paho"))
    client.max_inflight_messages_set(0)  # no limit there: the session keeps the window
    if settings.username is not None:
        client.username_pw_set(settings.username, settings.password.reveal() if settings.password else None)
    if tls is not None:
        client.tls_set_context(tls)
        client.tls_insecure_set(not tls.check_hostname)
    client.will_set(will.topic, will.payload, qos=1, retain=True)
    return client


def _words(error: OSError) -> str:
    return error.strerror or str(error)
