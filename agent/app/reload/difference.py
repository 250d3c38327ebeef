"""What differs between two site files, and what of the running site each difference touches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from agent.settings.mistake import KeyPath, dotted
from agent.settings.models import CameraSettings, Record, SiteSettings


class Effect(Enum):
    """What a changed key touches."""

    IN_PLACE = "applies at once"
    RECONNECT = "the camera is opened anew, its tracks go on"
    VIEW = "the camera starts anew, its tracks end"
    TRACKS = "the camera's tracks end"
    MODEL = "another engine is made ready, then takes over"
    OUTGOING = "the connection to the outside is made anew"
    SERVICE = "needs a restart of the service"


# Every key of a site file; the longest that fits wins. A test holds it against the models.
SITE_EFFECTS: dict[str, Effect] = {
    "site": Effect.SERVICE,
    "state_dir": Effect.SERVICE,
    "http": Effect.SERVICE,
    "tracking.keep_over_restart": Effect.SERVICE,
    "model": Effect.MODEL,
    "broker": Effect.OUTGOING,
    "embedded_broker_port": Effect.OUTGOING,
    "sink": Effect.OUTGOING,
    "events_file": Effect.OUTGOING,
    "base_topic": Effect.OUTGOING,
    "detection": Effect.IN_PLACE,
    "tracking": Effect.IN_PLACE,
    "events": Effect.IN_PLACE,
    "outbox": Effect.IN_PLACE,
    "log": Effect.IN_PLACE,
}
CAMERA_EFFECTS: dict[str, Effect] = {
    "source": Effect.VIEW,
    "pace": Effect.VIEW,
    "playback": Effect.VIEW,
    "ground_points": Effect.TRACKS,
    "detect_fps": Effect.IN_PLACE,
    "keep_labels": Effect.IN_PLACE,
    "camera_motion": Effect.IN_PLACE,
    "username": Effect.RECONNECT,
    "password": Effect.RECONNECT,
    "rtsp_transport": Effect.RECONNECT,
    "tls": Effect.RECONNECT,
    "max_frame_age": Effect.IN_PLACE,
    "open_timeout": Effect.RECONNECT,
    "read_timeout": Effect.RECONNECT,
    "stall_timeout": Effect.RECONNECT,
    "retry_min": Effect.RECONNECT,
    "retry_max": Effect.RECONNECT,
}
# Sections that hold together: a mixture of old and new could be unsafe, such as an open address without its token.
WHOLE_SECTIONS = ("http",)


@dataclass(frozen=True)
class Changes:
    """What a new site file asks for.

    Attributes:
        keys: every key that differs, with what it touches, in the order of the settings.
        added, removed: cameras.
        restarted: of the cameras that start anew, whether their tracks end.
    """

    keys: tuple[tuple[KeyPath, Effect], ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    restarted: dict[str, bool]

    def __bool__(self) -> bool:
        return bool(self.keys or self.added or self.removed)

    def has(self, *effects: Effect) -> bool:
        """Whether anything has one of these effects."""
        return any(effect in effects for _, effect in self.keys)

    @property
    def refused_keys(self) -> tuple[str, ...]:
        """The keys that keep their old value until the service is restarted."""
        return tuple(dotted(key) for key, effect in self.keys if effect is Effect.SERVICE)

    @property
    def ended_cameras(self) -> frozenset[str]:
        """Cameras that stay, and whose tracks end without their being started anew."""
        return frozenset(str(key[1]) for key, effect in self.keys if effect is Effect.TRACKS) - set(self.restarted)

    def told(self) -> str:
        """All of it in a sentence."""
        parts = [f"{', '.join(names)} {what}" for names, what in ((self.added, "added"), (self.removed, "removed"))
                 if names]  # fmt: skip
        for effect in Effect:
            keys = [dotted(key) for key, found in self.keys if found is effect]
            if keys:
                parts.append(f"{', '.join(keys)}: {effect.value}")
        return "; ".join(parts)


def difference(old: SiteSettings, new: SiteSettings) -> Changes:
    """What must be done to make a site that runs by `old` run by `new`."""
    keys = [(path, _site_effect(path)) for path in _differing(old, new, ()) if path[0] != "cameras"]
    both = [name for name in old.cameras if name in new.cameras]
    for name in both:
        before, after = old.cameras[name], new.cameras[name]
        found = dict.fromkeys(path[0] for path in _differing(before, after, ()))
        keys += [(("cameras", name, key), _camera_effect(str(key), before, after)) for key in found]
    restarting = {
        name: [effect for path, effect in keys if path[:2] == ("cameras", name)] for name in both
    }  # fmt: skip
    return Changes(
        tuple(keys),
        added=tuple(name for name in new.cameras if name not in old.cameras),
        removed=tuple(name for name in old.cameras if name not in new.cameras),
        restarted={
            name: bool({Effect.VIEW, Effect.TRACKS} & set(effects))
            for name, effects in restarting.items()
            if {Effect.VIEW, Effect.RECONNECT} & set(effects)
        },
    )


def applicable(old: SiteSettings, new: SiteSettings) -> SiteSettings:
    """The new settings, with the old values of those that need a restart of the service."""
    kept = {path for path, effect in difference(old, new).keys if effect is Effect.SERVICE}
    update: dict[str, object] = {str(path[0]): getattr(old, str(path[0])) for path in kept if len(path) == 1}
    for section in {str(path[0]) for path in kept if len(path) > 1}:
        before = getattr(old, section)
        fields = {str(path[1]): getattr(before, str(path[1])) for path in kept if path[0] == section}
        update[section] = before if section in WHOLE_SECTIONS else getattr(new, section).model_copy(update=fields)
    return new.model_copy(update=update)


def _site_effect(path: KeyPath) -> Effect:
    return SITE_EFFECTS.get(dotted(path[:2])) or SITE_EFFECTS[str(path[0])]


def _camera_effect(key: str, before: CameraSettings, after: CameraSettings) -> Effect:
    if key == "source" and str(before.source) == str(after.source):
        return Effect.RECONNECT  # shown without credentials: the same view with another password
    return CAMERA_EFFECTS[key]


def _differing(old: Record, new: Record, at: KeyPath) -> Iterator[KeyPath]:
    """The path of every value that differs; sections of one kind are entered, lists and tables are not."""
    for name in type(old).model_fields:
        before, after = getattr(old, name), getattr(new, name)
        if isinstance(before, Record) and type(before) is type(after):
            yield from _differing(before, after, (*at, name))
        elif before != after:
            yield (*at, name)
