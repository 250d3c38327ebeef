"""A site file without its wrong keys, so that the right ones can be judged in the same report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.settings.mistake import KeyPath

STAND_IN = "stand-in"


def without(value: dict[str, object], wrong: Iterable[KeyPath]) -> dict[str, object]:
    """A copy without the wrong keys, with a stand-in for every required one that is absent."""
    copy = _copied(value)
    for key_path in wrong:
        _remove(copy, _up_to_list(key_path))
    _stand_in(copy)
    return copy


def _copied(value: dict[str, object]) -> dict[str, object]:
    return {key: _copied(inner) if isinstance(inner, dict) else inner for key, inner in value.items()}


def _up_to_list(key_path: KeyPath) -> Sequence[str]:
    """A list with a wrong item goes as a whole."""
    keys: list[str] = []
    for key in key_path:
        if isinstance(key, int):
            break
        keys.append(key)
    return keys


def _remove(mapping: dict[str, object], keys: Sequence[str]) -> None:
    inner: object = mapping
    for key in keys[:-1]:
        inner = inner.get(key) if isinstance(inner, dict) else None
    if keys and isinstance(inner, dict):
        inner.pop(keys[-1], None)


def _stand_in(site: dict[str, object]) -> None:
    site.setdefault("site", STAND_IN)
    site.setdefault("model", "motion")
    if not site.get("cameras"):
        site["cameras"] = {STAND_IN: {}}
    for section, key in (("broker", "host"), ("model", "path")):
        _fill(site.get(section), key, STAND_IN)
    cameras = site["cameras"]
    for camera in cameras.values() if isinstance(cameras, dict) else ():
        _fill(camera, "source", f"rtsp://{STAND_IN}/")


def _fill(mapping: object, key: str, value: str) -> None:
    if isinstance(mapping, dict):
        mapping.setdefault(key, value)
