"""Why FFmpeg could not open or read something, as one of our reasons and a sentence.

FFmpeg's errors name most reasons; its log would name the rest, but logs of several threads mix, and turning them on
puts addresses into them. What an error leaves open is found out by looking ourselves: the name, the port, the TLS
handshake. No message of FFmpeg's is passed on, since it may quote the address with its password.
"""

from __future__ import annotations

import errno
import socket
import ssl

import av.error

from agent.errors import SourceFailure
from agent.stream.av_target import AvTarget

LOOK_S = 3.0
TIMED_OUT_PART = 0.9

Reason = tuple[SourceFailure, str]

_UNAUTHORISED = "the server refuses user and password, or asks for them: set `username` and `password`"
_BY_TYPE: tuple[tuple[type[BaseException], SourceFailure, str], ...] = (
    (av.error.HTTPUnauthorizedError, SourceFailure.UNAUTHORISED, f"{_UNAUTHORISED} (401)"),
    (av.error.HTTPForbiddenError, SourceFailure.UNAUTHORISED, "the server forbids this address to this user (403)"),
    (av.error.HTTPNotFoundError, SourceFailure.NOT_FOUND, "the server has nothing at this path (404)"),
    (av.error.HTTPServerError, SourceFailure.OTHER, "the server reports an error of its own (5xx)"),
    (av.error.HTTPClientError, SourceFailure.OTHER, "the server refuses the request (4xx)"),
    (av.error.ConnectionRefusedError, SourceFailure.REFUSED, "nobody listens at this host and port"),
    (av.error.FileNotFoundError, SourceFailure.NOT_FOUND, "there is no such file"),
    (av.error.IsADirectoryError, SourceFailure.UNSUPPORTED, "this is a folder, not a video"),
    (av.error.PermissionError, SourceFailure.UNAUTHORISED, "this user may not read it: change its permissions"),
    (av.error.DecoderNotFoundError, SourceFailure.CODEC, "there is no decoder for this video"),
    (av.error.ProtocolNotFoundError, SourceFailure.UNSUPPORTED, "this FFmpeg does not know the protocol"),
    (av.error.TimeoutError, SourceFailure.TIMEOUT, "the server does not answer in time"),
    (av.error.ExitError, SourceFailure.TIMEOUT, "the server does not answer in time"),
    (av.error.ConnectionResetError, SourceFailure.ENDED, "the server closed the connection"),
    (av.error.BrokenPipeError, SourceFailure.ENDED, "the server closed the connection"),
)
_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN, errno.EADDRNOTAVAIL}


def why_not_opened(error: av.error.FFmpegError, target: AvTarget, took_s: float) -> Reason:
    """Say why `target` could not be opened after so many seconds; may look at the network for a few more."""
    if reason := _told_by_type(error, target):
        return reason
    if not target.is_network:
        return SourceFailure.UNSUPPORTED, "this is no video FFmpeg can read, or it is damaged or not whole"
    if took_s >= TIMED_OUT_PART * target.open_timeout_s or took_s >= TIMED_OUT_PART * _read_timeout_s(target):
        return SourceFailure.TIMEOUT, f"the server took the connection and does not answer within {took_s:.1f} s"
    return _look(target) or (SourceFailure.OTHER, "the server does not answer as one that plays video")


def why_not_read(error: av.error.FFmpegError, target: AvTarget) -> Reason:
    """Say why reading from an open `target` failed."""
    if isinstance(error, (av.error.TimeoutError, av.error.ExitError)):
        return SourceFailure.TIMEOUT, f"nothing received for {_read_timeout_s(target):g} s"
    if isinstance(error, av.error.InvalidDataError):
        return SourceFailure.ENDED, "the stream broke off: what came is damaged, or the server cannot seek in it"
    return _told_by_type(error, target) or (SourceFailure.ENDED, "the stream broke off")


def _told_by_type(error: av.error.FFmpegError, target: AvTarget) -> Reason | None:
    if target.is_network and isinstance(error, av.error.PermissionError):
        return None  # FFmpeg's network code gives a bare -1 where it has no better number: that is not EPERM
    for kind, failure, sentence in _BY_TYPE:
        if isinstance(error, kind):
            return failure, sentence
    if error.errno in _UNREACHABLE:
        return SourceFailure.UNREACHABLE, "there is no way to this host"
    return None


def _read_timeout_s(target: AvTarget) -> float:
    return int(target.options.get("timeout", "0")) / 1e6 or float("inf")


def _look(target: AvTarget) -> Reason | None:
    """Connect by hand and tell what fails; None when nothing does."""
    try:
        _connect(target)
    except socket.gaierror:
        return SourceFailure.UNREACHABLE, f"the name {target.host} cannot be resolved"
    except ssl.SSLCertVerificationError as error:
        return SourceFailure.TLS, f"the server's certificate is not trusted: {error.verify_message}"
    except ssl.SSLError as error:
        return SourceFailure.TLS, f"no TLS with this server: {error.reason or 'handshake failed'}"
    except ConnectionRefusedError:
        return SourceFailure.REFUSED, "nobody listens at this host and port"
    except TimeoutError:
        return SourceFailure.TIMEOUT, "the host does not answer"
    except OSError as error:
        return _not_connected(error, is_tls=target.tls is not None)
    return None


def _connect(target: AvTarget) -> None:
    with socket.create_connection((target.host, target.port), LOOK_S) as connection:
        if target.tls is not None:
            target.tls.context().wrap_socket(connection, server_hostname=target.host).close()


def _not_connected(error: OSError, *, is_tls: bool) -> Reason:
    if isinstance(error, FileNotFoundError):
        return SourceFailure.TLS, "a certificate or key file named under `tls` cannot be read"
    if isinstance(error, ConnectionResetError) and is_tls:
        return SourceFailure.TLS, "the server closed the connection during the TLS handshake"
    return SourceFailure.UNREACHABLE, f"no connection to the host: {error.strerror or 'unknown reason'}"
