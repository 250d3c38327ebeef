"""An event as it waits in the outbox: its final bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class StoredEvent:
    """An event as it waits in the outbox; what is sent never changes between tries.

    Attributes:
        sequence: +1 per event of the site, across restarts; also its key in the outbox.
        event_id: for consumers to drop doubles by.
        camera_id: whose topic it goes to.
        payload: JSON, as it is sent.
    """

    sequence: int
    event_id: str
    camera_id: str
    payload: bytes
