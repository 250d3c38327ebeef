"""Which objects the outside takes for present: those of which it was told since, and not yet their `end`.

Kept in the outbox's file and changed in the same transaction that stores the events, so that it is right after any
crash: the next run ends what it does not go on with.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from agent.events.event import Box, Event, EventKind
from agent.stream.frame import ClockSource

LAYOUT = "CREATE TABLE IF NOT EXISTS open_object (id TEXT PRIMARY KEY, payload BLOB NOT NULL) WITHOUT ROWID"
# The event up to which the table is right. Another one means that a run in between did not follow it.
MARK = "open_objects_at"


def prepare(connection: sqlite3.Connection, last_sequence: int) -> None:
    """Make the table; one that was not followed to the last event is emptied. In no transaction."""
    connection.execute(LAYOUT)
    connection.execute("DELETE FROM open_object WHERE typeof(id) <> 'text' OR typeof(payload) <> 'blob'")  # damage
    marks = connection.execute("SELECT value FROM counter WHERE name = ?", (MARK,)).fetchall()
    if marks != [(last_sequence,)]:
        connection.execute("DELETE FROM open_object")


def follow(connection: sqlite3.Connection, payloads: Iterable[bytes], last_sequence: int) -> None:
    """Take in a batch of events, oldest first; in the transaction that stores them."""
    for payload in payloads:
        event = json.loads(payload)
        if event["type"] == EventKind.END.value:
            connection.execute("DELETE FROM open_object WHERE id = ?", (event["id"],))
        else:
            connection.execute("INSERT OR REPLACE INTO open_object VALUES (?, ?)", (event["id"], payload))
    connection.execute("INSERT OR REPLACE INTO counter VALUES (?, ?)", (MARK, last_sequence))


def told_events(payloads: Iterable[bytes]) -> list[Event]:
    """The events of these payloads; one that a failing disk has changed is left out."""
    events = []
    for payload in payloads:
        with suppress(ValueError, LookupError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
            events.append(told_event(payload))
    return events


def told_event(payload: bytes) -> Event:
    """The event that `event_payload` told, as exactly as it was told."""
    told: dict[str, Any] = json.loads(payload)
    tail = f"-{told['camera']}-{told['track_id']}"
    width_px, height_px = told["frame_size"]
    end_time = told["end_time"]
    return Event(
        event_id=told["event_id"],
        kind=EventKind(told["type"]),
        site_id=told["site"],
        camera_id=told["camera"],
        run_id=told["run_id"],
        track_id=told["track_id"],
        label=told["label"],
        occurred_at=_moment(told["frame_time"]),
        started_at=_moment(told["start_time"]),
        ended_at=None if end_time is None else _moment(end_time),
        clock_source=ClockSource(told["clock_source"]),
        box=_box(told["box"]),
        box_fraction=_box(told["box_fraction"]),
        score=told["score"],
        top_score=told["top_score"],
        frame_size=(width_px, height_px),
        frame_sequence=told["frame_sequence"],
        captured_monotonic_s=None,
        track_run_id=told["id"].removesuffix(tail),
    )


def _moment(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, timezone.utc)


def _box(sides: list[float]) -> Box:
    x1, y1, x2, y2 = sides
    return x1, y1, x2, y2
