"""Which objects the outside takes for present, as the outbox knows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.events import NOON, RUN_ID, event, teller

from agent.events.event import Event, EventKind
from agent.publish.open_objects import told_event
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload
from agent.telemetry.publish import PublishHappenings

ROOMY = OutboxLimits(10**8, 1e6)
OLD_RUN = "01957e3a-0000-7000-8000-000000000009"


@contextmanager
def outbox(folder: Path, *, follows: bool = True) -> Iterator[Outbox]:
    """One run's."""
    made = Outbox(
        folder / "outbox.db", ROOMY, FakeClock(), PublishHappenings(teller()), event_payload, follows_objects=follows
    )
    made.open()
    try:
        yield made
    finally:
        made.close()


def tell(into: Outbox, *lives: tuple[int, EventKind]) -> None:
    """Store events of these tracks."""
    events = [event(track_id, kind=kind, ended_at=NOON if kind is EventKind.END else None) for track_id, kind in lives]
    into.append(events)


def present(of: Outbox) -> list[tuple[int, EventKind]]:
    """Track and newest kind of what is there."""
    return [(each.track_id, each.kind) for each in map(told_event, of.objects())]


def test_what_was_told_and_not_ended_is_present(tmp_path: Path) -> None:
    """With its newest event; acknowledging an event changes nothing, and the next run knows it too."""
    with outbox(tmp_path) as first:
        tell(first, (1, EventKind.NEW), (2, EventKind.NEW), (3, EventKind.NEW))
        tell(first, (2, EventKind.UPDATE), (1, EventKind.END))
        first.delete(range(1, 10))
        now = present(first)
    with outbox(tmp_path) as second:
        assert present(second) == now == [(2, EventKind.UPDATE), (3, EventKind.NEW)]


def test_a_run_that_did_not_follow_makes_it_void(tmp_path: Path) -> None:
    """What it told is not known; better none than a wrong one. A run that told nothing does no harm."""
    with outbox(tmp_path) as first:
        tell(first, (1, EventKind.NEW))
    with outbox(tmp_path, follows=False) as silent:
        assert silent.objects() == []
    with outbox(tmp_path) as second:
        assert present(second) == [(1, EventKind.NEW)]
    with outbox(tmp_path, follows=False) as other:
        tell(other, (1, EventKind.END))
    with outbox(tmp_path) as third:
        assert present(third) == []


def test_a_damaged_outbox_knows_of_none(tmp_path: Path) -> None:
    """It is set aside as ever."""
    with outbox(tmp_path) as first:
        tell(first, (1, EventKind.NEW))
    for path in tmp_path.glob("outbox.db*"):
        path.write_bytes(b"no database" * 1000)
    with outbox(tmp_path) as second:
        assert present(second) == []
        tell(second, (4, EventKind.NEW))
        assert present(second) == [(4, EventKind.NEW)]


@pytest.mark.parametrize("kind", EventKind)
def test_a_told_event_is_read_as_it_was_told(kind: EventKind) -> None:
    """Rendered again it is the same message, whichever run numbered its track."""
    ended_at = NOON + timedelta(seconds=9) if kind is EventKind.END else None
    for told in (event(5, kind=kind, ended_at=ended_at), event(5, kind=kind, ended_at=ended_at, track_run_id=OLD_RUN)):
        payload = event_payload(told, 12)
        read = told_event(payload)

        assert event_payload(read, 12) == payload
        assert read.track_run_id == (told.track_run_id or RUN_ID)
        assert read.occurred_at.tzinfo is timezone.utc


def test_a_camera_with_dashes_and_numbers_is_told_apart() -> None:
    """The run is what stands before camera and track in the object's id."""
    odd: Event = replace(event(7), camera_id="gate-7-7", track_run_id=OLD_RUN)

    assert told_event(event_payload(odd, 1)).track_run_id == OLD_RUN
