"""What goes wrong with a broker, in a few kinds."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from paho.mqtt.reasoncodes import ReasonCode

# MQTT 5, section 2.4: the reason codes that have a meaning of their own here.
BAD_LOGIN = frozenset({0x86, 0x87, 0x8C})
KEEP_ALIVE_TIMEOUT = 0x8D
SESSION_TAKEN_OVER = 0x8E
# Malformed topic, packet too large, bad payload: sending the same bytes again cannot help.
NEVER_TAKEN = frozenset({0x90, 0x95, 0x99})

# OpenSSL's x509_vfy.h: X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED.
OUT_OF_DATE = frozenset({9, 10})

_RIGHT_FOR_PORT = "is broker.tls in the site file right for this port?"


class BrokerFailure(str, Enum):
    """Why there is no connection. Bounded: these are metric labels."""

    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    TLS = "tls"
    UNAUTHORISED = "unauthorised"
    REJECTED = "rejected"
    TAKEN_OVER = "taken_over"
    LOST = "lost"


# What time alone does not mend; tried again slowly.
HOPELESS = frozenset({BrokerFailure.UNAUTHORISED, BrokerFailure.REJECTED, BrokerFailure.TAKEN_OVER, BrokerFailure.TLS})


class Failure(NamedTuple):
    """Why a connection ended or could not be made: a kind, and a clause for people."""

    kind: BrokerFailure
    detail: str


class Verdict(Enum):
    """What the broker's acknowledgement of an event says."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    REJECTED = "rejected"


def connecting_failed(error: Exception) -> Failure:
    """Of what opening the connection raised."""
    if isinstance(error, ssl.SSLError):
        return Failure(BrokerFailure.TLS, _tls_failed(error))
    if isinstance(error, TimeoutError):
        return Failure(BrokerFailure.TIMEOUT, "no answer in time")
    if isinstance(error, ConnectionRefusedError):
        return Failure(BrokerFailure.REFUSED, "connection refused; nothing listens there")
    if isinstance(error, socket.gaierror):
        return Failure(BrokerFailure.UNREACHABLE, f"its name cannot be resolved: {error.strerror}")
    if isinstance(error, ConnectionResetError):
        return Failure(BrokerFailure.UNREACHABLE, f"it ends the connection at once; {_RIGHT_FOR_PORT}")
    words = error.strerror if isinstance(error, OSError) else str(error)
    return Failure(BrokerFailure.UNREACHABLE, words or str(error) or type(error).__name__)


def login_refused(reason: ReasonCode) -> Failure:
    """Of a CONNACK that says no."""
    if reason.value in BAD_LOGIN:
        return Failure(
            BrokerFailure.UNAUTHORISED,
            f"it refuses our user name, password or certificate ({reason}); "
            "broker.username, broker.password and broker.tls.client_cert_file in the site file say who we are",
        )
    return Failure(BrokerFailure.REJECTED, f"it refuses the connection ({reason})")


def disconnected(reason: ReasonCode, *, by_broker: bool) -> Failure:
    """Of a connection that was up."""
    if reason.value == SESSION_TAKEN_OVER:
        return Failure(
            BrokerFailure.TAKEN_OVER,
            "another client with our client id took over; give each its own (broker.client_id in the site file)",
        )
    if reason.value == KEEP_ALIVE_TIMEOUT:
        return Failure(BrokerFailure.TIMEOUT, "it fell silent")
    why = f"the broker ended the connection ({reason})" if by_broker else "the connection broke"
    return Failure(BrokerFailure.LOST, why)


def thrown_out(failure: Failure, times: int) -> Failure:
    """Of a broker that accepted us and let us go at once, so many times in a row.

    Many brokers end the older of two connections with one client id without a word, in MQTT 3.1.1 all of them.
    """
    return Failure(
        BrokerFailure.TAKEN_OVER,
        f"it accepted us {times} times and let us go each time soon after ({failure.detail}); most often another "
        "client with our client id is the reason: give each its own (broker.client_id in the site file)",
    )


def own_certificate_expired(failure: Failure, file: str, at: datetime) -> Failure:
    """Of a connection that ended while our own certificate is no longer valid: what the broker says is less clear."""
    return Failure(
        BrokerFailure.TLS,
        f"our certificate, {file} of broker.tls.client_cert_file, expired at {at:%Y-%m-%d %H:%M} UTC "
        f"({failure.detail})",
    )


def _tls_failed(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError) and error.verify_code in OUT_OF_DATE:
        return f"the dates of its certificate do not fit: {error.verify_message}; renew it, or set this machine's clock"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {error.verify_message}; "
            "broker.tls.ca_file in the site file names the authorities to trust"
        )
    return f"no TLS with it: {error.reason or error}; {_RIGHT_FOR_PORT}"


def verdict_of(reason: ReasonCode) -> Verdict:
    """Of a PUBACK. `No matching subscribers` is an acceptance; what may work later is a refusal."""
    if not reason.is_failure:
        return Verdict.ACCEPTED
    return Verdict.REJECTED if reason.value in NEVER_TAKEN else Verdict.REFUSED
