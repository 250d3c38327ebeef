"""Rules between keys: what each key allows alone, but not together."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.settings.broken_rule import BrokenRule
from agent.settings.camera_rules import broken_camera_rules, broken_tls_rules, password_without_username
from agent.settings.label_rules import unknown_labels
from agent.settings.models.choices import EMBEDDED_BROKER_PORT, SinkKind
from agent.settings.types import SourceKind

if TYPE_CHECKING:
    from agent.settings.models.site import SiteSettings


def broken_rules(site: SiteSettings) -> Iterator[BrokenRule]:
    """Every rule between keys that the site breaks."""
    yield from _broker(site)
    yield from _http(site)
    yield from _thresholds(site)
    yield from _labels(site)
    for camera_id, camera in site.cameras.items():
        yield from broken_camera_rules(("cameras", camera_id), camera)
    yield from _shared_usb(site)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what is served on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _broker(site: SiteSettings) -> Iterator[BrokenRule]:
    if site.broker is None and site.sink is SinkKind.MQTT:
        yield BrokenRule(
            ("broker",),
            "no broker, and sink is mqtt",
            "a broker, or sink: jsonl",
            "write broker: {host: ...}, or broker: embedded for trying out",
            also=(("sink",),),
        )
    if site.broker != "embedded" and site.embedded_broker_port != EMBEDDED_BROKER_PORT:
        yield BrokenRule(
            ("embedded_broker_port",),
            "a port for the embedded broker, but broker is not embedded",
            "this key only with broker: embedded",
            also=(("broker",),),
        )
    if site.broker == "embedded" and site.embedded_broker_port == site.http.port:
        yield BrokenRule(
            ("embedded_broker_port",),
            f"{site.http.port}, which is http.port too",
            "two different ports",
            also=(("http", "port"),),
        )
    if site.broker is not None and site.broker != "embedded":
        yield from broken_tls_rules(("broker", "tls"), site.broker.tls)
        if site.broker.password is not None and site.broker.username is None:
            yield password_without_username(("broker",))


def _http(site: SiteSettings) -> Iterator[BrokenRule]:
    if not is_loopback(site.http.host) and site.http.token is None:
        yield BrokenRule(
            ("http", "host"),
            f"{site.http.host}, which other machines may reach, and no http.token",
            "127.0.0.1, ::1 or localhost, or any address together with http.token",
            also=(("http", "token"),),
        )


def _thresholds(site: SiteSettings) -> Iterator[BrokenRule]:
    tracking = site.tracking
    low, high, new = ("tracking", "low_threshold"), ("tracking", "high_threshold"), ("tracking", "new_track_threshold")
    if not tracking.low_threshold < tracking.high_threshold:
        yield BrokenRule(
            low, f"{tracking.low_threshold:g}", f"less than high_threshold ({tracking.high_threshold:g})", also=(high,)
        )
    if not tracking.high_threshold <= tracking.new_track_threshold:
        yield BrokenRule(
            new,
            f"{tracking.new_track_threshold:g}",
            f"at least high_threshold ({tracking.high_threshold:g})",
            also=(high,),
        )


def _labels(site: SiteSettings) -> Iterator[BrokenRule]:
    """Only where the site file itself says which labels the model has."""
    known = ("motion",) if site.model == "motion" else site.model.labels
    if isinstance(known, tuple):
        yield from unknown_labels(site, known)


def _shared_usb(site: SiteSettings) -> Iterator[BrokenRule]:
    first: dict[str, str] = {}
    for camera_id, camera in site.cameras.items():
        if camera.source.kind is not SourceKind.USB:
            continue
        device = camera.source.location.removeprefix("/dev/video")
        owner = first.setdefault(device, camera_id)
        if owner != camera_id:
            yield BrokenRule(
                ("cameras", camera_id, "source"),
                f"the USB camera that {owner} already uses",
                "a device of its own for every camera",
                also=(("cameras", owner, "source"),),
            )
