"""The outbox's file: SQLite in WAL mode with one table of waiting events and one counter."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import OutboxError
from agent.publish import open_objects
from agent.publish.outbox_soundness import MOST_SEQUENCE, damage_in
from agent.publish.stored import StoredEvent

LAYOUT_VERSION = 1
BUSY_TIMEOUT_S = 1.0
WAL_LIMIT_BYTES = 4 * 1024**2
FREE_PAGES_KEPT = 1024
SET_ASIDE_KEPT = 3
# What a row takes beside its texts: key, times, headers, its share of the page.
ROW_BYTES = 48
# The number at its end is LAYOUT_VERSION.
LAYOUT = """
    PRAGMA auto_vacuum = INCREMENTAL;
    BEGIN IMMEDIATE;
    CREATE TABLE event (
        sequence INTEGER PRIMARY KEY,
        event_id TEXT NOT NULL,
        camera_id TEXT NOT NULL,
        stored_at REAL NOT NULL,
        cost INTEGER NOT NULL,
        payload BLOB NOT NULL
    );
    CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    INSERT INTO counter VALUES ('last_sequence', 0);
    PRAGMA user_version = 1;
    COMMIT;
"""
TABLES = {"event", "counter"}
# What SQLite says of a disk or folder; everything else that it refuses is the file's own fault.
OF_THE_PLACE = ("disk I/O error", "unable to open", "out of memory", "interrupted")


class CorruptOutboxError(OutboxError):
    """The file is no outbox, or no longer one; it can be set aside."""


class FullDiskError(OutboxError):
    """There is no room; there may be some later."""


class HeldOutboxError(OutboxError):
    """Another process has it open."""


class Waiting(NamedTuple):
    """An event with the Unix time it was stored at."""

    event: StoredEvent
    stored_at: float


def cost(event: StoredEvent) -> int:
    """About what an event takes on disk, bytes."""
    return len(event.payload) + len(event.event_id) + len(event.camera_id) + ROW_BYTES


class OutboxFile:
    """The rows on disk. Used by one thread at a time, between `open` and `close`.

    Every method may raise OutboxError (read-only, gone), FullDiskError or CorruptOutboxError. Inserts are synced to the
    disk before they return (`synchronous = FULL`): what was stored survives not only `kill -9` but a pulled plug, and
    one sync a batch is cheap. Deletes are not (`NORMAL`): a delete lost with the power means that an event is sent
    twice, which consumers see by its id. The file is held exclusively: a second agent on it is refused.

    Attributes:
        events, bytes: what is in it.
    """

    def __init__(self, path: Path, *, follows_objects: bool = False) -> None:
        """Not yet open; with `follows_objects` it also knows which objects the outside takes for present."""
        self.path = path
        self._follows_objects = follows_objects
        self.events = self.bytes = 0
        self._connection: sqlite3.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is a file to work with."""
        return self._connection is not None

    def open(self, known: int = 0) -> int:
        """Open it, or make it, and check all of it; the last sequence that it knows of.

        Args:
            known: the last sequence ever given, where somebody else knows more; then objects were not followed to it.
        """
        try:
            with _translated(self.path):
                self._connection = sqlite3.connect(
                    self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
                )
                self._run("PRAGMA locking_mode = EXCLUSIVE")
                self._prepare()
                self.events, self.bytes = self._run("SELECT COUNT(*), COALESCE(SUM(cost), 0) FROM event")[0]
                last_sequence = self._last_sequence()
                if self._follows_objects:
                    open_objects.prepare(self._live(), max(last_sequence, known))
                return last_sequence
        except OutboxError:
            self.close()  # half open it would be no use: the next attempt begins at the beginning
            raise

    def insert(self, waiting: Sequence[Waiting], last_sequence: int) -> None:
        """Store a batch and the counter, both or neither."""
        rows = [(e.sequence, e.event_id, e.camera_id, stored_at, cost(e), e.payload) for e, stored_at in waiting]
        with self._transaction("FULL") as connection:
            connection.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO counter VALUES ('last_sequence', ?)", (last_sequence,))
            if self._follows_objects:
                open_objects.follow(connection, [event.payload for event, _ in waiting], last_sequence)
        self.events += len(waiting)
        self.bytes += sum(cost(event) for event, _ in waiting)

    def delete(self, sequences: Iterable[int]) -> None:
        """Remove events; those that are not there are no matter."""
        events = freed = 0
        with self._transaction("NORMAL") as connection:
            for sequence in sequences:
                for (size,) in connection.execute("SELECT cost FROM event WHERE sequence = ?", (sequence,)):
                    connection.execute("DELETE FROM event WHERE sequence = ?", (sequence,))
                    events, freed = events + 1, freed + size
        self.events -= events
        self.bytes -= freed
        with _translated(self.path):
            if self._run("PRAGMA freelist_count")[0][0] > FREE_PAGES_KEPT:
                self._run(f"PRAGMA incremental_vacuum({FREE_PAGES_KEPT})")

    def oldest(self, limit: int) -> list[Waiting]:
        """The first events in sequence."""
        with _translated(self.path):
            rows = self._run(
                "SELECT sequence, event_id, camera_id, payload, stored_at FROM event ORDER BY sequence LIMIT ?", limit
            )
        return [Waiting(StoredEvent(*row[:4]), row[4]) for row in rows]

    def objects(self) -> list[bytes]:
        """The last event of every object that the outside takes for present, where they are followed."""
        if not self._follows_objects:
            return []
        with _translated(self.path):
            return [bytes(row[0]) for row in self._run("SELECT payload FROM open_object ORDER BY id")]

    def shift_times(self, seconds: float) -> None:
        """Move every stored time: somebody set the clock, and ages shall stay as they are."""
        with self._transaction("NORMAL") as connection:
            connection.execute("UPDATE event SET stored_at = stored_at + ?", (seconds,))

    def close(self) -> None:
        """Let go of the file; never raises, may be called twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def set_aside(self, now: datetime) -> Path:
        """Close it and rename it with all that belongs to it; the new name.

        Of earlier ones only the newest few are kept: a failing disk must not fill itself.
        """
        self.close()
        self.events = self.bytes = 0
        aside = self.path.with_name(f"{self.path.name}.corrupt-{now:%Y%m%dT%H%M%S%f}Z")
        with _translated(self.path):
            for suffix in ("", "-wal", "-shm"):
                part = self.path.with_name(self.path.name + suffix)
                if part.exists():
                    part.rename(aside.with_name(aside.name + suffix))
            asides = sorted(self.path.parent.glob(f"{self.path.name}.corrupt-*Z"))
            for old in asides[:-SET_ASIDE_KEPT]:
                for part in old.parent.glob(f"{old.name}*"):
                    part.unlink()
        return aside

    def _prepare(self) -> None:
        version = self._run("PRAGMA user_version")[0][0]
        if version == 0 and not self._run("SELECT 1 FROM sqlite_master LIMIT 1"):
            self._live().executescript(LAYOUT)
        elif version != LAYOUT_VERSION:
            raise CorruptOutboxError(f"outbox {self.path}: layout {version}; this version reads {LAYOUT_VERSION}")
        tables = {row[0] for row in self._run("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables.issuperset(TABLES):
            raise CorruptOutboxError(f"outbox {self.path}: it lacks tables that belong in it")
        self._run("PRAGMA journal_mode = WAL")
        self._run(f"PRAGMA journal_size_limit = {WAL_LIMIT_BYTES}")
        found = self._run("PRAGMA quick_check(1)")[0][0]
        damage = found if found != "ok" else damage_in(self._live(), ROW_BYTES)
        if damage is not None:
            raise CorruptOutboxError(f"outbox {self.path}: {damage}")

    def _last_sequence(self) -> int:
        counted = self._run("SELECT value FROM counter WHERE name = 'last_sequence'")
        highest = self._run("SELECT COALESCE(MAX(sequence), 0) FROM event")[0][0]
        return max(int(highest), int(counted[0][0]) if counted else 0)

    def _run(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._live().execute(statement, values).fetchall()
        return rows

    @contextmanager
    def _transaction(self, synchronous: str) -> Iterator[sqlite3.Connection]:
        with _translated(self.path):
            connection = self._live()
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error:
                # SQLite may have rolled back by itself, for instance when the disk is full.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _live(self) -> sqlite3.Connection:
        if self._connection is None:
            raise OutboxError(f"outbox {self.path} is not open")
        return self._connection


def last_sequence_of(path: Path) -> int | None:
    """What a damaged outbox still knows of the counter; None when that is gone too. Changes nothing."""
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    except sqlite3.Error:
        return None
    try:
        rows = connection.execute("SELECT value FROM counter WHERE name = 'last_sequence'").fetchall()
        last = int(rows[0][0]) if rows else -1
    except (sqlite3.Error, ValueError, TypeError):
        return None
    finally:
        connection.close()
    return last if 0 <= last <= MOST_SEQUENCE else None


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Make SQLite's errors ours."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quotes the damaged file in its message
        raise CorruptOutboxError(f"outbox {path}: it is damaged") from error
    except (sqlite3.DatabaseError, OSError) as error:
        raise _kind(error, path)(f"outbox {path}: {_words(error)}") from error


def _kind(error: Exception, path: Path) -> type[OutboxError]:
    text = str(error)
    if "locked" in text:
        return HeldOutboxError
    if "disk is full" in text or getattr(error, "errno", None) == errno.ENOSPC:
        return FullDiskError
    if "readonly" in text:  # a damaged header says so too, of a file that may well be written
        return CorruptOutboxError if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK) else OutboxError
    is_of_the_place = isinstance(error, OSError) or any(words in text for words in OF_THE_PLACE)
    return OutboxError if is_of_the_place else CorruptOutboxError


def _words(error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        return "another process holds it"
    return text
