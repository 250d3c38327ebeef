"""The outbox keeps what it was given, in order, within its limits, whatever happens to its disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.events import event, metric
from fakes.outbox_place import Box, sequences

from agent.publish import outbox_file
from agent.publish.outbox import Outbox, OutboxLimits

REPOSITORY = Path(__file__).resolve().parents[3]


def limit_pages(outbox: Outbox, pages: int) -> None:
    """Let SQLite find the disk full beyond so many pages: the same error as of a full disk."""
    connection = outbox._file._connection
    assert connection is not None
    connection.execute(f"PRAGMA max_page_count = {pages}")


def fill(outbox: Outbox) -> int:
    """Append until the file takes no more; how many events that took."""
    limit_pages(outbox, 12)
    for count in range(1, 200):
        outbox.append([event(count, label="x" * 200)])
        if outbox._spill:
            return count
    raise AssertionError("never full")


def test_events_come_back_in_order_with_final_bytes(box: Box) -> None:
    """What is pending is what was appended, oldest first, numbered from 1, its number inside."""
    outbox = box.open()
    stored = outbox.append([event(1), event(2)]) + outbox.append([event(3)])

    assert outbox.pending(10) == stored
    assert [json.loads(item.payload)["sequence"] for item in stored] == [1, 2, 3]
    assert sequences(outbox.pending(2)) == [1, 2]


def test_acknowledged_events_are_gone(box: Box) -> None:
    """Deleted events are pending no more, here and after a restart; deleting twice is no matter."""
    outbox = box.open()
    outbox.append([event(n) for n in range(1, 6)])
    outbox.delete([1, 3, 99])
    outbox.delete([1])

    assert sequences(outbox.pending(10)) == [2, 4, 5]
    assert sequences(box.open().pending(10)) == [2, 4, 5]


def test_the_sequence_rises_across_restarts(box: Box) -> None:
    """Also when everything was delivered in between."""
    outbox = box.open()
    outbox.append([event(1), event(2)])
    outbox.delete([1, 2])

    assert sequences(box.open().append([event(3)])) == [3]


def test_size_tells_what_waits(box: Box) -> None:
    """Events, bytes and the age of the oldest; nothing when all is gone, and the same after a restart."""
    outbox = box.open()
    outbox.append([event(1)])
    box.clock.advance(30.0)
    outbox.append([event(2)])
    size = outbox.size()

    assert (size.events, size.oldest_age_s) == (2, 30.0)
    assert size.bytes >= sum(len(item.payload) for item in outbox.pending(2))
    assert box.open().size() == size
    box._live.delete([1, 2])  # type: ignore[union-attr]  # it was opened in the line above
    assert box._live.size().events == box._live.size().bytes == 0  # type: ignore[union-attr]  # as above


def test_the_oldest_go_when_it_is_full(box: Box) -> None:
    """Beyond its size the oldest events are dropped and counted; it never grows beyond."""
    outbox = box.open(OutboxLimits(max_bytes=20_000, max_age_s=1e6))
    for n in range(1, 201):
        outbox.append([event(n)])
        assert outbox.size().bytes <= 20_000
    left = sequences(outbox.pending(300))

    assert left == list(range(left[0], 201))
    assert metric(box.teller, "outbox_dropped_total", reason="size") == left[0] - 1 > 100


def test_the_too_old_go(box: Box) -> None:
    """Events older than allowed are dropped and counted, also those that aged while the agent was off."""
    outbox = box.open(OutboxLimits(max_bytes=10**6, max_age_s=60.0))
    outbox.append([event(1)])
    box.clock.advance(50.0)
    outbox.append([event(2)])
    outbox = box.open(OutboxLimits(max_bytes=10**6, max_age_s=60.0))
    box.clock.advance(20.0)

    assert sequences(outbox.pending(10)) == [2]
    assert metric(box.teller, "outbox_dropped_total", reason="age") == 1


@pytest.mark.parametrize("seconds", [3 * 365 * 86400.0, -3 * 365 * 86400.0])
def test_setting_the_clock_ages_nothing(box: Box, seconds: float) -> None:
    """A box that begins without the right time and gets it later keeps its events, and their ages."""
    outbox = box.open()
    outbox.append([event(1)])
    box.clock.jump(seconds)
    box.clock.advance(5.0)

    assert sequences(outbox.pending(10)) == [1]
    assert outbox.size().oldest_age_s == pytest.approx(5.0)


def test_a_full_disk_loses_nothing(box: Box) -> None:
    """Events that the disk does not take are pending from memory, in order, and are stored once it does again."""
    outbox = box.open()
    count = fill(outbox)
    assert sequences(outbox.pending(500)) == list(range(1, count + 1))
    limit_pages(outbox, 10_000)
    outbox.append([event(count + 1)])

    assert not outbox._spill
    assert sequences(box.open().pending(500)) == list(range(1, count + 2))
    assert metric(box.teller, "outbox_failures_total") > 0


def test_a_disk_that_is_full_at_the_start_is_no_error(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events wait in memory, and are stored once there is room for a file."""
    monkeypatch.setattr(outbox_file, "LAYOUT", "PRAGMA max_page_count = 1;" + outbox_file.LAYOUT)
    outbox = box.open()
    outbox.append([event(1)])
    assert sequences(outbox.pending(9)) == [1]
    assert len(outbox._spill) == 1
    monkeypatch.undo()
    outbox.append([event(2)])

    assert sequences(box.open().pending(9)) == [1, 2]


def test_events_delivered_while_the_disk_is_full_stay_delivered(box: Box) -> None:
    """What was acknowledged is not pending again, from disk or memory, and its number is not given again."""
    outbox = box.open()
    count = fill(outbox)
    outbox.delete(range(1, count + 1))
    assert outbox.pending(500) == []
    limit_pages(outbox, 10_000)
    outbox.append([event(count + 1)])

    assert sequences(box.open().pending(500)) == [count + 1]


def test_the_memory_for_a_full_disk_is_bounded(box: Box) -> None:
    """When that too is full the oldest in it are dropped and counted."""
    outbox = box.open(OutboxLimits(max_bytes=10**8, max_age_s=1e6, max_memory_bytes=20_000))
    count = fill(outbox)
    for n in range(count + 1, count + 100):
        outbox.append([event(n)])

    assert outbox._spill.bytes <= 20_000
    assert metric(box.teller, "outbox_dropped_total", reason="memory") > 0
    assert sequences(outbox.pending(500))[-1] == count + 99
