"""Whether what stands in an outbox's file can be events: SQLite checks its own pages, and not what they hold."""

from __future__ import annotations

import sqlite3

# RFC 8259, section 6: beyond it readers of JSON no longer agree on a whole number.
MOST_SEQUENCE = 2**53 - 1

_DAMAGED_EVENT = """
    SELECT sequence FROM event WHERE typeof(sequence) <> 'integer' OR sequence NOT BETWEEN 1 AND :most
    OR typeof(event_id) <> 'text' OR typeof(camera_id) <> 'text' OR typeof(payload) <> 'blob'
    OR typeof(stored_at) <> 'real' OR typeof(cost) <> 'integer'
    OR cost <> length(payload) + length(event_id) + length(camera_id) + :row LIMIT 1
"""
_DAMAGED_COUNTER = "SELECT name FROM counter WHERE typeof(value) <> 'integer' OR value NOT BETWEEN 0 AND :most LIMIT 1"


def damage_in(connection: sqlite3.Connection, row_bytes: int) -> str | None:
    """What is wrong with the rows, in words; None where nothing is.

    Args:
        connection: to a file with the outbox's tables.
        row_bytes: what a row costs beside its texts.
    """
    bounds = {"most": MOST_SEQUENCE, "row": row_bytes}
    for what, question in (("an event", _DAMAGED_EVENT), ("a counter", _DAMAGED_COUNTER)):
        if connection.execute(question, bounds).fetchall():
            return f"{what} in it is damaged"
    return None
