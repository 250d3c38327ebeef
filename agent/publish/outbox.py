"""Where events wait until the receiver has acknowledged them: on disk, bounded, counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.clock import Clock
from agent.errors import OutboxError
from agent.events.event import Event
from agent.publish.number_ledger import NumberLedger
from agent.publish.outbox_file import (
    CorruptOutboxError,
    FullDiskError,
    HeldOutboxError,
    OutboxFile,
    Waiting,
    cost,
    last_sequence_of,
)
from agent.publish.spill import Spill
from agent.publish.stored import StoredEvent
from agent.telemetry.publish import PublishHappenings

Render = Callable[[Event, int], bytes]
SWEEP_ROWS = 256
# Wall time that moved this much against monotonic time was set by somebody, not by the passing of time.
CLOCK_STEP_S = 60.0
LEDGER_SUFFIX = ".number"


@dataclass(frozen=True)
class OutboxLimits:
    """From where on the oldest events are dropped.

    Attributes:
        max_bytes: of all waiting events, about as they lie on disk.
        max_age_s: since they were stored; time the machine was off counts.
        max_memory_bytes: of those that wait in memory while the disk is full.
    """

    max_bytes: int
    max_age_s: float
    max_memory_bytes: int = 16 * 1024**2


@dataclass(frozen=True)
class OutboxSize:
    """What waits now."""

    events: int
    bytes: int
    oldest_age_s: float


class Outbox:
    """Stores events before anybody is told of them; any thread may use it between `open` and `close`.

    Gives each event its `sequence` and its final bytes, which never change again. When the file cannot be written any
    more (disk full, gone read-only), events wait in memory and are published from there; the file is tried again with
    every batch. When it turns out to be damaged it is set aside under a new name and another one begun. No number is
    given twice: the last one is also noted in a file of its own, which a full disk takes; see `NumberLedger`.
    """

    def __init__(
        self,
        path: Path,
        limits: OutboxLimits,
        clock: Clock,
        happened: PublishHappenings,
        render: Render,
        *,
        follows_objects: bool = False,
    ) -> None:
        """Not yet open; with `follows_objects` it also knows which objects the outside takes for present."""
        self._file = OutboxFile(path, follows_objects=follows_objects)
        self._ledger = NumberLedger(path.with_name(path.name + LEDGER_SUFFIX))
        self._limits = limits
        self._clock = clock
        self._happened = happened
        self._render = render
        self._lock = threading.Lock()
        self._spill = Spill(limits.max_memory_bytes)
        self._unwritten_deletes: set[int] = set()
        self._last_sequence = 0
        self._clock_offset_s = 0.0
        self._is_failing = False

    def open(self) -> None:
        """Open the file, or make it and its folder; one that is damaged is set aside and told.

        A disk that is full is no error: events wait in memory until it has room.

        Raises:
            OutboxError: the folder or file cannot be written, or another process holds it.
        """
        folder = self._file.path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutboxError(_unwritable(folder, error.strerror or str(error))) from error
        with self._lock:
            self._clock_offset_s = self._offset_s()
            noted = self._ledger.open()
            try:
                self._open_file(noted)
                self._file.insert([], self._last_sequence)  # a read-only file is to be seen now, not at the first event
                self._ledger.write(self._last_sequence, is_synced=False)
            except FullDiskError as error:
                self._last_sequence = max(self._last_sequence, noted, last_sequence_of(self._file.path) or 0)
                self._tell_failing(error)
            except HeldOutboxError as error:
                self._file.close()
                raise OutboxError(_held(folder)) from error
            except OutboxError as error:
                self._file.close()
                raise OutboxError(_unwritable(folder, str(error))) from error

    @property
    def is_failing(self) -> bool:
        """Whether the file could not be used the last time, so that events wait in memory."""
        return self._is_failing

    def limit(self, limits: OutboxLimits) -> None:
        """Hold to these limits from the next batch on."""
        with self._lock:
            self._limits = limits

    def append(self, events: Sequence[Event]) -> list[StoredEvent]:
        """Store a batch in one transaction; they are on the disk when this returns, as long as the disk takes them."""
        if not events:
            return []
        with self._lock:
            stored = [self._numbered(event) for event in events]
            self._follow_clock()
            now_s = self._now_s()
            self._store([Waiting(event, now_s) for event in stored])
            self._drop_expired()
            self._drop_surplus()
        return stored

    def pending(self, limit: int) -> list[StoredEvent]:
        """The oldest waiting events, in sequence."""
        with self._lock:
            self._drop_expired()
            return [waiting.event for waiting in self._oldest(limit)]

    def objects(self) -> list[bytes]:
        """The last event of every object that was told to be there and not yet to be gone, where they are followed."""
        with self._lock:
            payloads: list[bytes] = []
            self._attempt(lambda: payloads.extend(self._file.objects()))
            return payloads

    def delete(self, sequences: Iterable[int]) -> None:
        """Forget events: the receiver has acknowledged them, or refused them for good."""
        with self._lock:
            self._delete(set(sequences))

    def size(self) -> OutboxSize:
        """What waits now."""
        with self._lock:
            oldest = self._oldest(1)
            age_s = self._now_s() - oldest[0].stored_at if oldest else 0.0
            on_disk = max(0, self._file.events - len(self._unwritten_deletes))
            size = self._file.bytes + self._spill.bytes
            return OutboxSize(on_disk + len(self._spill), size, max(0.0, age_s))

    def close(self) -> None:
        """Write what still waits in memory if that is possible now, and let go of the file. May be called twice."""
        with self._lock:
            if len(self._spill):
                self._store([])
            self._file.close()
            self._ledger.close()

    def _numbered(self, event: Event) -> StoredEvent:
        self._last_sequence += 1
        payload = self._render(event, self._last_sequence)
        return StoredEvent(self._last_sequence, event.event_id, event.camera_id, payload)

    def _store(self, fresh: list[Waiting]) -> None:
        waiting = [*self._spill, *fresh]
        if self._attempt(lambda: self._file.insert(waiting, self._last_sequence)):
            self._spill.clear()
            self._ledger.write(self._last_sequence, is_synced=False)
            self._tell_working(len(waiting) - len(fresh))
            return
        if not self._ledger.write(self._last_sequence, is_synced=True):
            self._happened.outbox_number_unnoted()
        if dropped := self._spill.put(fresh):
            self._happened.outbox_dropped("memory", dropped)

    def _delete(self, sequences: set[int]) -> None:
        # What was in memory only is on no disk to be deleted from: it must not be remembered while the disk is full.
        in_memory = self._spill.remove(sequences) if len(self._spill) else set()
        gone = (sequences - in_memory) | self._unwritten_deletes
        self._unwritten_deletes = set() if self._attempt(lambda: self._file.delete(gone)) else gone

    def _oldest(self, limit: int) -> list[Waiting]:
        on_disk: list[Waiting] = []
        self._attempt(lambda: on_disk.extend(self._file.oldest(limit + len(self._unwritten_deletes))))
        live = [waiting for waiting in on_disk if waiting.event.sequence not in self._unwritten_deletes]
        return [*live, *self._spill.first(limit)][:limit]

    def _drop_expired(self) -> None:
        self._follow_clock()
        too_old = self._now_s() - self._limits.max_age_s
        expired = {item.event.sequence for item in self._oldest(SWEEP_ROWS) if item.stored_at < too_old}
        if expired:
            self._delete(expired)
            self._happened.outbox_dropped("age", len(expired))

    def _drop_surplus(self) -> None:
        while (surplus := self._file.bytes + self._spill.bytes - self._limits.max_bytes) > 0:
            doomed = []
            for item in self._oldest(SWEEP_ROWS):
                if surplus <= 0:
                    break
                doomed.append(item.event.sequence)
                surplus -= cost(item.event)
            before = self._file.bytes + self._spill.bytes
            self._delete(set(doomed))
            if self._file.bytes + self._spill.bytes == before:
                return  # the disk takes no deletes now; the next batch tries again
            self._happened.outbox_dropped("size", len(doomed))

    def _follow_clock(self) -> None:
        """When somebody sets the clock, nothing has aged by it: a box without a battery starts years ago."""
        step_s = self._offset_s() - self._clock_offset_s
        if abs(step_s) > CLOCK_STEP_S and self._attempt(lambda: self._file.shift_times(step_s)):
            self._spill.shift_times(step_s)
            self._clock_offset_s += step_s

    def _now_s(self) -> float:
        """Unix time as the stored times have it: a step of the clock shows once these were moved by it."""
        return self._clock.monotonic_s() + self._clock_offset_s

    def _offset_s(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic_s()

    def _open_file(self, noted: int = 0) -> None:
        """Open it; one that is damaged is set aside first. The counter never goes back.

        Args:
            noted: the last number that the run before gave, as its ledger says.
        """
        try:
            last_sequence = self._file.open(noted)
        except CorruptOutboxError as error:
            aside = self._file.set_aside(self._clock.now())
            known = max(last_sequence_of(aside) or 0, noted)
            self._happened.outbox_set_aside(str(error), str(aside), is_sequence_kept=known > 0)
            last_sequence = max(self._file.open(known), known)
        if noted > last_sequence:
            self._happened.outbox_lost_with_memory(last_sequence + 1, noted)
        self._last_sequence = max(self._last_sequence, last_sequence, noted)

    def _attempt(self, action: Callable[[], None]) -> bool:
        """Whether the file did it. What went wrong is told; damage makes the next attempt begin another file."""
        try:
            if not self._file.is_open:
                self._open_file()
            action()
        except CorruptOutboxError as error:
            aside = self._file.set_aside(self._clock.now())
            self._happened.outbox_set_aside(str(error), str(aside), is_sequence_kept=True)
            return False
        except OutboxError as error:
            self._tell_failing(error)
            return False
        return True

    def _tell_failing(self, error: OutboxError) -> None:
        self._is_failing = True
        self._happened.outbox_failed(str(error))

    def _tell_working(self, from_memory: int) -> None:
        if self._is_failing:
            self._is_failing = False
            self._happened.outbox_recovered(from_memory)


def _unwritable(folder: Path, why: str) -> str:
    return (
        f"the state folder {folder} cannot be used: {why}; events wait there for the broker, so it must be writable "
        "for the agent's user (state_dir in the site file names another)"
    )


def _held(folder: Path) -> str:
    return (
        f"the state folder {folder} is in use: another process holds it; two agents may not share one, so stop the "
        "other, or name another folder with state_dir in the site file"
    )
