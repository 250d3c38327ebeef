"""Every secret that a site's settings hold, so that the log can mask them."""

from __future__ import annotations

from collections.abc import Iterator

from agent.settings.models import Record, SiteSettings
from agent.settings.types import Secret, SourceAddress


def secrets_of(site: SiteSettings) -> Iterator[Secret]:
    """Passwords and tokens, those in addresses too."""
    yield from _secrets_in(site)


def _secrets_in(value: object) -> Iterator[Secret]:
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, SourceAddress):
        if value.password is not None:
            yield value.password
    elif isinstance(value, Record):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from _secrets_in(each)
