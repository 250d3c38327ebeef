"""No number is given twice, whatever the disk does and whenever the agent dies; and no set clock ages anything."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.events import event, metric
from fakes.outbox_place import Box, sequences

from agent.publish.outbox import Outbox


def limit_pages(outbox: Outbox, pages: int) -> None:
    """Let SQLite find the disk full beyond so many pages: the same error as of a full disk."""
    connection = outbox._file._connection
    assert connection is not None
    connection.execute(f"PRAGMA max_page_count = {pages}")


def fill(outbox: Outbox) -> int:
    """Append until events wait in memory; how many that took."""
    limit_pages(outbox, 12)
    for count in range(1, 200):
        outbox.append([event(count, label="x" * 200)])
        if len(outbox._spill) > 3:
            return count
    raise AssertionError("never full")


def crash(box: Box) -> None:
    """Forget the outbox as a killed process does: nothing more is written."""
    assert box._live is not None
    assert box._live._file._connection is not None
    box._live._file._connection.close()
    box._live._ledger.close()
    box._live = None


def test_numbers_of_events_in_memory_are_not_given_again(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    """After a crash with a full disk the next number is a new one, and it is told which events may be lost."""
    count = fill(box.open())
    crash(box)
    outbox = box.open()
    on_disk = sequences(outbox.pending(500))

    assert on_disk == list(range(1, count - 3))
    assert sequences(outbox.append([event(count + 1)])) == [count + 1]
    assert f"of the events {count - 3} to {count}, those that" in caplog.text


def test_after_a_crash_without_trouble_no_number_is_left_out(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    """The numbers go on without a gap, and nothing is said of a loss."""
    box.open().append([event(1), event(2)])
    crash(box)

    assert sequences(box.open().append([event(3)])) == [3]
    assert "lost" not in caplog.text


def test_after_a_full_disk_had_room_again_no_number_is_left_out(box: Box) -> None:
    """What waited in memory was written, so a crash later loses nothing."""
    outbox = box.open()
    count = fill(outbox)
    limit_pages(outbox, 10_000)
    outbox.append([event(count + 1)])
    crash(box)

    assert sequences(box.open().pending(500)) == list(range(1, count + 2))
    assert sequences(box._live.append([event(1)])) == [count + 2]  # type: ignore[union-attr]  # opened above


def test_the_numbers_outlive_the_outbox_file(box: Box) -> None:
    """Of a file that is garbage from end to end nothing can be read; the numbers go on all the same."""
    box.open().append([event(n) for n in range(1, 50)])
    box.close()
    box.path.write_bytes(b"garbage" * 1000)

    assert sequences(box.open().append([event(50)])) == [50]


def test_what_was_delivered_waits_no_more_although_the_disk_cannot_forget_it(box: Box) -> None:
    """The size counts what waits, and nothing is remembered of events that never were on the disk."""
    outbox = box.open()
    count = fill(outbox)
    outbox.delete(range(1, count + 1))

    assert outbox.size().events == 0
    assert len(outbox._unwritten_deletes) <= count - 4


class SteppingClock(FakeClock):
    """Somebody sets it back and forth, at every look."""

    def now(self) -> datetime:
        """Ten years later than the time before, or ten years earlier."""
        self._is_ahead = not getattr(self, "_is_ahead", False)
        return super().now() + timedelta(days=3650 if self._is_ahead else 0)


def test_a_clock_that_is_set_while_events_are_stored_ages_nothing(tmp_path: Path) -> None:
    """Whenever the step comes, before or after an event is stamped: none is taken for too old."""
    box = Box(tmp_path)
    box.clock = SteppingClock()
    outbox = box.open()
    for count in range(1, 50):
        outbox.append([event(count)])
        box.clock.advance(1.0)

    assert sequences(outbox.pending(100)) == list(range(1, 50))
    assert metric(box.teller, "outbox_dropped_total", reason="age") == 0
    assert 0.0 <= outbox.size().oldest_age_s < 60.0
    box.close()
