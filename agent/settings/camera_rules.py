"""Rules between the keys of one camera, and those of TLS and logins wherever they stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.settings.broken_rule import BrokenRule
from agent.settings.ground_rules import broken_ground_rules
from agent.settings.mistake import KeyPath
from agent.settings.models.choices import RtspTransport
from agent.settings.types import SourceKind

if TYPE_CHECKING:
    from agent.settings.models.broker import TlsSettings
    from agent.settings.models.camera import CameraSettings

NETWORK_KINDS = (SourceKind.RTSP, SourceKind.HTTP)
KIND_WORDS = {
    SourceKind.FILE: "a file",
    SourceKind.USB: "a USB camera",
    SourceKind.GSTREAMER: "a GStreamer pipeline",
}


def broken_camera_rules(at: KeyPath, camera: CameraSettings) -> Iterator[BrokenRule]:
    """Every rule that one camera breaks."""
    if camera.retry_min > camera.retry_max:
        yield BrokenRule(
            (*at, "retry_min"),
            str(camera.retry_min),
            f"at most retry_max ({camera.retry_max})",
            also=((*at, "retry_max"),),
        )
    yield from _misplaced(at, camera)
    yield from _credentials(at, camera)
    yield from broken_ground_rules(at, camera)
    yield from broken_tls_rules((*at, "tls"), camera.tls)
    if camera.source.location.startswith("rtsps:") and camera.rtsp_transport is RtspTransport.UDP:
        yield BrokenRule(
            (*at, "rtsp_transport"),
            "udp, and the source is rtsps://",
            "tcp: rtsps:// encrypts a TCP connection",
            also=((*at, "source"),),
        )


def broken_tls_rules(at: KeyPath, tls: TlsSettings | None) -> Iterator[BrokenRule]:
    """A certificate goes with its key."""
    if tls is None or (tls.client_cert_file is None) == (tls.client_key_file is None):
        return
    given, absent = "client_cert_file", "client_key_file"
    if tls.client_cert_file is None:
        given, absent = absent, given
    yield BrokenRule((*at, given), f"{given} without {absent}", "both, or neither", also=((*at, absent),))


def password_without_username(at: KeyPath) -> BrokenRule:
    """Neither RTSP nor MQTT 3.1.1 can say a password alone."""
    return BrokenRule((*at, "password"), "a password without a username", "both, or neither", also=((*at, "username"),))


def _misplaced(at: KeyPath, camera: CameraSettings) -> Iterator[BrokenRule]:
    """Keys that mean nothing for the camera's kind of source."""
    kind = camera.source.kind
    kind_words = KIND_WORDS.get(kind) or camera.source.location.split(":", 1)[0] + "://"
    rows = (
        ("pace", kind is SourceKind.FILE, "files"),
        ("playback", kind is SourceKind.FILE, "files"),
        ("rtsp_transport", kind is SourceKind.RTSP, "rtsp:// sources"),
        ("tls", camera.source.is_encrypted, "rtsps:// and https:// sources"),
        ("username", kind in NETWORK_KINDS, "rtsp:// and http:// sources"),
        ("password", kind in NETWORK_KINDS, "rtsp:// and http:// sources"),
    )
    for key, fits, where in rows:
        if getattr(camera, key) != type(camera).model_fields[key].default and not fits:
            yield BrokenRule(
                (*at, key),
                f"this key, and a source that is {kind_words}",
                f"this key only for {where}",
                "take the key out",
                also=((*at, "source"),),
            )


def _credentials(at: KeyPath, camera: CameraSettings) -> Iterator[BrokenRule]:
    in_keys = camera.username is not None or camera.password is not None
    if camera.source.username is not None and in_keys:
        key = "username" if camera.username is not None else "password"
        yield BrokenRule(
            (*at, key),
            "credentials twice: in source and as keys",
            "one of the two",
            f"take them out of source, or {key} out",
            also=((*at, "source"),),
        )
    elif camera.password is not None and camera.username is None:
        yield password_without_username(at)
