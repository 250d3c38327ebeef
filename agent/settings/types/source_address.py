"""Where a camera's pictures come from, told from what the operator wrote."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from agent.settings.types.masking import mask
from agent.settings.types.refused import RefusedError
from agent.settings.types.secret import Secret
from agent.settings.types.site_path import folder_of, resolve

ALLOWED = (
    "rtsp://, rtsps://, http:// or https:// with a host, a path to a file, "
    "a camera's number or /dev/videoN, or a GStreamer pipeline that ends in appsink"
)
LARGEST_USB_INDEX = 255
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PIPELINE = re.compile(r"\s!\s")
_ENCODE_HINT = "write username and password as keys of their own, or percent-encode @ : / ? # in them"


class SourceKind(str, Enum):
    """What opens the source."""

    RTSP = "rtsp"
    HTTP = "http"
    FILE = "file"
    USB = "usb"
    GSTREAMER = "gstreamer"


NETWORK_SCHEMES = {
    "rtsp": SourceKind.RTSP,
    "rtsps": SourceKind.RTSP,
    "http": SourceKind.HTTP,
    "https": SourceKind.HTTP,
}


@dataclass(frozen=True, repr=False)
class SourceAddress:
    """One source; prints itself without credentials.

    Attributes:
        kind: what opens it.
        location: URL without user info; path; camera number or /dev/videoN; or pipeline. A pipeline or a
            query may itself hold a password, so print the address, never this.
        username, password: percent-decoded, if they stood in the URL.
    """

    kind: SourceKind
    location: str
    username: str | None = None
    password: Secret | None = None

    @classmethod
    def parse(cls, written: object, folder: Path | None = None) -> SourceAddress:
        """Read what the operator wrote; a relative path starts at `folder`.

        Raises:
            RefusedError: nothing that can be opened.
        """
        if isinstance(written, SourceAddress):
            return written
        if isinstance(written, int) and not isinstance(written, bool):
            return _usb(written)
        if not isinstance(written, str) or not written.strip() or not written.isprintable():
            raise RefusedError(ALLOWED)
        return _from_text(written.strip(), folder)

    @property
    def is_encrypted(self) -> bool:
        """Whether the address asks for TLS."""
        return self.location.startswith(("rtsps:", "https:"))

    def __str__(self) -> str:
        if self.username is None and self.password is None:
            return mask(self.location)
        scheme, rest = self.location.split("://", 1)
        return mask(f"{scheme}://***@{rest}")

    def __repr__(self) -> str:
        return f"SourceAddress({str(self)!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_plain_validator_function(
            _validate, serialization=core_schema.to_string_ser_schema(when_used="json")
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "integer", "minimum": 0, "maximum": LARGEST_USB_INDEX},
            ],
            "examples": ["rtsp://192.168.1.20/stream1", "clips/street.mp4", 0, "/dev/video0"],
        }


def _validate(written: object, info: ValidationInfo) -> SourceAddress:
    return SourceAddress.parse(written, folder_of(info))


def _from_text(text: str, folder: Path | None) -> SourceAddress:
    if _PIPELINE.search(text):
        return _pipeline(text)
    scheme = _SCHEME.match(text)
    if scheme:
        return _from_url(text, scheme[1].lower(), folder)
    if text.isascii() and text.isdigit():
        return _usb(int(text))
    if re.fullmatch(r"/dev/video[0-9]+", text):
        return SourceAddress(SourceKind.USB, text)
    return SourceAddress(SourceKind.FILE, str(resolve(text, folder)))


def _usb(index: int) -> SourceAddress:
    if not 0 <= index <= LARGEST_USB_INDEX:
        raise RefusedError(f"a camera's number from 0 to {LARGEST_USB_INDEX}")
    return SourceAddress(SourceKind.USB, str(index))


def _pipeline(text: str) -> SourceAddress:
    if "appsink" not in text:
        raise RefusedError(ALLOWED, "end the pipeline in: ! appsink")
    return SourceAddress(SourceKind.GSTREAMER, text)


def _from_url(text: str, scheme: str, folder: Path | None) -> SourceAddress:
    if scheme == "file":
        return SourceAddress(SourceKind.FILE, str(resolve(unquote(text[len("file://") :]), folder)))
    kind = NETWORK_SCHEMES.get(scheme)
    if kind is None:
        close = difflib.get_close_matches(scheme, NETWORK_SCHEMES, n=1)
        raise RefusedError(ALLOWED, f"did you mean {close[0]}://?" if close else "")
    parts = _split(text)
    user_info, at, host_port = parts.netloc.rpartition("@")
    username, colon, password = user_info.partition(":")
    return SourceAddress(
        kind=kind,
        location=urlunsplit(parts._replace(netloc=host_port)),
        username=unquote(username) if at else None,
        password=Secret(unquote(password)) if colon else None,
    )


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        complete = bool(parts.hostname) and parts.port != 0 and not _has_lost_user_info(parts)
    except ValueError:
        complete = False
    if not complete or re.search(r"\s", text) or "@" in parts.netloc.rpartition("@")[0]:
        raise RefusedError(ALLOWED, _ENCODE_HINT if "@" in text else "")
    return parts


def _has_lost_user_info(parts: SplitResult) -> bool:
    """Whether a / ? or # in a password ended the host too early: rtsp://admin:12/34@camera."""
    behind_host = parts.path + parts.query + parts.fragment
    return bool(parts.fragment) or ("@" in behind_host and "@" not in parts.netloc and parts.port is not None)
