"""Which keys there are, read off the records: for suggestions and for telling secrets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args, get_origin

from agent.settings.mistake import KeyPath
from agent.settings.models.record import Record
from agent.settings.models.site import SiteSettings
from agent.settings.types import Secret


def secret_keys() -> frozenset[str]:
    """Names of the keys that hold secrets, wherever they stand."""
    return frozenset(key for record in _records(SiteSettings) for key in _secrets_of(record))


def keys_at(key_path: KeyPath) -> tuple[str, ...]:
    """The keys that may stand in the mapping at this path, or none if it is no record."""
    record = _record_at(key_path)
    return tuple(record.model_fields) if record else ()


def help_of(key_path: KeyPath) -> str:
    """What the record says about a key, in one line."""
    record = _record_at(key_path[:-1])
    text = record.model_fields[str(key_path[-1])].description if record else None
    return " ".join((text or "a value").split()).rstrip(".")


def _record_at(key_path: KeyPath) -> type[Record] | None:
    record: type[Record] | None = SiteSettings
    steps = iter(key_path)
    for key in steps:
        field = record.model_fields.get(str(key)) if record else None
        if field is None:
            return None
        record = next((kind for kind in _classes(field.annotation) if issubclass(kind, Record)), None)
        if get_origin(field.annotation) is dict:
            next(steps, None)
    return record


def _records(record: type[Record]) -> Iterator[type[Record]]:
    yield record
    for field in record.model_fields.values():
        for kind in _classes(field.annotation):
            if issubclass(kind, Record):
                yield from _records(kind)


def _secrets_of(record: type[Record]) -> Iterator[str]:
    for key, field in record.model_fields.items():
        if any(issubclass(kind, Secret) for kind in _classes(field.annotation)):
            yield key


def _classes(annotation: object) -> Iterator[type]:
    """Every plain class in an annotation such as Annotated[A, ...] | dict[str, B] | None."""
    if get_origin(annotation) is None and isinstance(annotation, type):
        yield annotation
    for part in get_args(annotation):
        yield from _classes(part)
