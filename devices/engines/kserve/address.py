"""Addresses of model servers, whose credentials never show."""

from __future__ import annotations

import base64
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from devices.errors import EngineUnavailable

_PORTS = {"grpc": 8001, "grpcs": 8001, "http": 8000, "https": 8000}


@dataclass(frozen=True)
class ServerAddress:
    """Where a server is and how it is spoken to.

    Attributes:
        protocol: "grpc" or "http".
        is_secure: whether over TLS.
        host, port: of the server.
        authorization: value of the header of that name, or None.
    """

    protocol: str
    is_secure: bool
    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @property
    def target(self) -> str:
        """Host and port as the clients want them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def text(self) -> str:
        """For a person: "grpc://host:8001", without credentials."""
        return f"{self.protocol}{'s' if self.is_secure else ''}://{self.target}"

    @property
    def headers(self) -> dict[str, str]:
        """What goes along with every call."""
        return {} if self.authorization is None else {"authorization": self.authorization}

    @property
    def is_here(self) -> bool:
        """Whether it is this machine by its name."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_address(text: str) -> ServerAddress:
    """The address of `RemoteUse`.

    Raises:
        EngineUnavailable: it is none.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise EngineUnavailable("kserve: a server's address cannot be read; it is like grpc://host:8001") from error
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise EngineUnavailable(
            f"kserve: {parts.scheme or 'no'}://{parts.hostname or ''} is no server's address; "
            "it is like grpc://host:8001 or http://host:8000"
        )
    return ServerAddress(
        protocol=parts.scheme.rstrip("s"),
        is_secure=parts.scheme.endswith("s"),
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        authorization=_basic(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
    )


def _basic(user: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
