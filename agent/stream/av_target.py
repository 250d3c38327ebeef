"""What FFmpeg is to open and how: address, credentials, transport, TLS and limits as its options."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import quote, urlsplit, urlunsplit

from agent.stream.limits import Limits


class Reach(str, Enum):
    """How a target is reached, which decides whether it can be a clip and whether it can block."""

    FILE = "file"
    HTTP = "http"
    RTSP = "rtsp"


PROBE_BYTES = 65_536
PROBE_US = 1_000_000


@dataclass(frozen=True)
class AvTarget:
    """One thing to open.

    Attributes:
        shown: the address as it may be printed, without credentials.
        url: as FFmpeg takes it, credentials and all: never printed.
        options: FFmpeg's, for demuxer and protocol; they may hold paths of keys, never printed either.
        open_timeout_s: for connecting and learning what is there, all together.
        reach: file, HTTP or RTSP.
        host, port: of a network address, for finding out why it cannot be opened.
        tls: how a secure one is verified; None where it is not secure.
    """

    shown: str
    url: str = field(repr=False)
    options: dict[str, str] = field(repr=False)
    open_timeout_s: float
    reach: Reach
    host: str = ""
    port: int = 0
    tls: TlsOptions | None = field(default=None, repr=False)

    @property
    def is_network(self) -> bool:
        """Whether opening and reading may block for long."""
        return self.reach is not Reach.FILE


@dataclass(frozen=True)
class TlsOptions:
    """How a secure connection is verified, and what we show of ourselves; paths of PEM files.

    Attributes:
        ca_file: the authorities to trust; None takes the system's.
        verifies: whether the server must prove who it is.
        client_cert_file, client_key_file: ours, where the server asks.
    """

    ca_file: str | None = None
    verifies: bool = True
    client_cert_file: str | None = None
    client_key_file: str | None = None

    def options(self) -> dict[str, str]:
        """As FFmpeg's TLS protocol takes them."""
        named = {
            "tls_verify": "1" if self.verifies else "0",
            "ca_file": self.ca_file or ssl.get_default_verify_paths().cafile,
            "cert_file": self.client_cert_file,
            "key_file": self.client_key_file,
        }
        return {key: value for key, value in named.items() if value is not None}

    def context(self) -> ssl.SSLContext:
        """The same for Python's own TLS."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if not self.verifies:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.client_cert_file:
            context.load_cert_chain(self.client_cert_file, self.client_key_file)
        return context


def file_target(path: str) -> AvTarget:
    """A clip on this machine."""
    # The protocol is named, so that a path with a colon in it is not taken for another one.
    return AvTarget(shown=path, url=f"file:{path}", options={}, open_timeout_s=0.0, reach=Reach.FILE)


def rtsp_target(
    location: str,
    limits: Limits,
    *,
    transport: str = "tcp",
    tls: TlsOptions | None = None,
    username: str | None = None,
    password: str | None = None,
    shown: str | None = None,
) -> AvTarget:
    """A camera that speaks RTSP or RTSPS; `transport` is tcp or udp."""
    options = {
        "rtsp_transport": transport,
        "timeout": str(int(limits.read_s * 1e6)),
        # Video alone: audio would delay opening and tie the stream's time to its own.
        "allowed_media_types": "video",
        # The session description tells enough; without these FFmpeg first collects seconds of frames.
        "probesize": str(PROBE_BYTES),
        "analyzeduration": str(PROBE_US),
        "fpsprobesize": "0",
    }
    return _network(location, limits, options, {"rtsp": 554, "rtsps": 322}, tls, (username, password), shown)


def http_target(
    location: str,
    limits: Limits,
    *,
    tls: TlsOptions | None = None,
    username: str | None = None,
    password: str | None = None,
    shown: str | None = None,
) -> AvTarget:
    """A clip or live stream over HTTP or HTTPS."""
    options = {"timeout": str(int(limits.read_s * 1e6)), "rw_timeout": str(int(limits.read_s * 1e6))}
    return _network(location, limits, options, {"http": 80, "https": 443}, tls, (username, password), shown)


def _network(
    location: str,
    limits: Limits,
    options: dict[str, str],
    ports: dict[str, int],
    tls: TlsOptions | None,
    credentials: tuple[str | None, str | None],
    shown: str | None,
) -> AvTarget:
    parts = urlsplit(location)
    is_secure = parts.scheme in {"rtsps", "https"}
    secured = (tls or TlsOptions()) if is_secure else None
    return AvTarget(
        shown=shown or location,
        url=urlunsplit(parts._replace(netloc=_user_info(*credentials) + parts.netloc)),
        options=options | (secured.options() if secured else {}),
        open_timeout_s=limits.open_s,
        reach=Reach.RTSP if parts.scheme.startswith("rtsp") else Reach.HTTP,
        host=parts.hostname or "",
        port=parts.port or ports[parts.scheme],
        tls=secured,
    )


def _user_info(username: str | None, password: str | None) -> str:
    if username is None and password is None:
        return ""
    return f"{quote(username or '', safe='')}:{quote(password or '', safe='')}@"
