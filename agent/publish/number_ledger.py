"""The last number ever given to an event, in a small file beside the outbox that can be written on a full disk."""

from __future__ import annotations

import contextlib
import os
import zlib
from pathlib import Path

# Digits, checksum, line end; two of these, written by turns, so that a torn write leaves the other.
SLOT = b"%020d %08x\n"
SLOT_BYTES = 30
SLOTS = 2


class NumberLedger:
    """Written in place: its blocks are there since it was made, so no room is needed; used by one thread at a time.

    The outbox's own counter is written with the events, so it stays behind while the disk takes none. What happens to
    the outbox's file, damage included, does not touch this one. Nothing here raises: a ledger that cannot be written
    is told by `write`, and one that cannot be read knows of no number.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is opened yet."""
        self.path = path
        self._descriptor: int | None = None
        self._turn = 0

    def open(self) -> int:
        """Open it, or make it with its blocks; the last number it knows, 0 if none."""
        self.close()
        with contextlib.suppress(OSError):
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            content = os.pread(self._descriptor, SLOT_BYTES * SLOTS, 0)
            numbers = [_number(content[:SLOT_BYTES]), _number(content[SLOT_BYTES:])]
            number = max(numbers)
            self._turn = numbers.index(min(numbers))  # the newer one is not to be spoilt by a torn write
            if len(content) < SLOT_BYTES * SLOTS:
                self._make(number)
            return number
        return 0

    def write(self, number: int, *, is_synced: bool) -> bool:
        """Note the last number given; whether that worked. Unsynced it outlives the process, not a power cut."""
        if self._descriptor is None:
            return False
        try:
            is_whole = os.pwrite(self._descriptor, _slot(number), SLOT_BYTES * self._turn) == SLOT_BYTES
            if is_synced:
                os.fsync(self._descriptor)
        except OSError:
            return False
        self._turn = (self._turn + 1) % SLOTS
        return is_whole

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _make(self, number: int) -> None:
        if self._descriptor is not None:
            # Where the disk is full just now, the first write that it takes makes up for it.
            with contextlib.suppress(OSError):
                os.pwrite(self._descriptor, _slot(number) * SLOTS, 0)
                os.fsync(self._descriptor)


def _slot(number: int) -> bytes:
    return SLOT % (number, _checksum(number))


def _checksum(number: int) -> int:
    return zlib.crc32(b"%020d" % number)


def _number(slot: bytes) -> int:
    """The number of a slot; 0 where it was never written or is damaged."""
    digits = slot[:20]
    if not digits.isdigit() or slot != _slot(int(digits)):
        return 0
    return int(digits)
