"""What is remembered of a track, out of one run and into the next."""

from __future__ import annotations

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from fakes.clock import FakeClock
from fakes.events import NOON, RUN_ID, event, frame_info, teller, tracked_frame

from agent.events.event import Event, EventKind
from agent.events.event_ids import EventIds
from agent.events.kept_track import KeptTrackError, kept_track, open_track
from agent.events.lifecycle import LifecyclePatience, LifecycleRule
from agent.events.open_track import OpenTrack
from agent.telemetry.events import EventHappenings

NEXT_RUN = "01957e3a-0000-7000-8000-000000000002"
PATIENCE = LifecyclePatience(update_every_s=1.0)


def rule(run_id: str = RUN_ID) -> LifecycleRule:
    ids = EventIds(FakeClock(now=NOON), random.Random(7))
    return LifecycleRule("depot", run_id, ids, PATIENCE, EventHappenings(teller()))


def see(
    of: LifecycleRule, frames: range, class_ids: tuple[int, ...] = (0,), ended: tuple[int, ...] = ()
) -> list[Event]:
    """The events of these frames, ten a second, with one track that is taken for these classes in turn."""
    told = []
    for number in frames:
        frame = frame_info(number, at_s=number / 10)
        scores = {} if ended else {1: 0.5 + number / 1000}
        told += of.observe(tracked_frame(frame, scores, ended, class_ids={1: class_ids[number % len(class_ids)]}))
    return told


def handed_over(before: LifecycleRule, at_s: float, new_at_s: float) -> LifecycleRule:
    """The rule of the next run, as over a restart of the machine, through JSON."""
    after = rule(NEXT_RUN)
    kept = json.loads(json.dumps([kept_track(track, at_s) for track in before.open_tracks("gate")]))
    after.resume("gate", [open_track(each, "gate", new_at_s) for each in kept])
    return after


def a_track() -> OpenTrack:
    of = rule()
    see(of, range(1, 8), class_ids=(0, 0, 1))
    (track,) = of.open_tracks("gate")
    return track


def test_everything_comes_back() -> None:
    """Kept again it is the same, on whatever clock it is relative to."""
    kept = json.loads(json.dumps(kept_track(a_track(), 1000.5)))

    assert kept_track(open_track(kept, "gate", 1000.5), 1000.5) == kept
    assert kept_track(open_track(kept, "gate", 8.0), 8.0) == kept
    assert kept["told"] is not None


@pytest.mark.parametrize("stop", range(1, 40))
def test_the_next_run_tells_what_one_run_would(stop: int) -> None:
    """Stopped at any frame, the same events come in the same frames, with the same times and object ids."""
    classes = (0,) * 9 + (1,) * 11
    steady, before = rule(), rule()
    expected = see(steady, range(1, 40), classes) + see(steady, range(40, 41), ended=(1,))

    told = see(before, range(1, stop), classes)
    after = handed_over(before, 1000.0 + (stop - 1) / 10, 1000.0 + (stop - 1) / 10)
    told += see(after, range(stop, 40), classes) + see(after, range(40, 41), ended=(1,))

    assert [each.kind for each in told].count(EventKind.NEW) == 1
    assert [(e.kind, e.label, e.occurred_at, e.started_at, e.ended_at, e.top_score, e.score) for e in told] == [
        (e.kind, e.label, e.occurred_at, e.started_at, e.ended_at, e.top_score, e.score) for e in expected
    ]
    if stop > 1:
        assert {each.track_run_id or each.run_id for each in told} == {RUN_ID}


def test_released_tracks_do_not_end() -> None:
    """Not when the camera ends, not when the agent stops."""
    of = rule()
    see(of, range(1, 5))
    of.release("gate")
    of.release("attic")

    assert of.camera_ended("gate", NOON) == of.close(NOON) == []


def test_an_object_of_which_little_is_known_ends_where_it_was_last_told() -> None:
    """The end is of this run, with a number of its own; the object keeps its id."""
    told = event(4, track_run_id=RUN_ID)
    end = rule(NEXT_RUN).end_of(told, NOON + timedelta(minutes=1))

    assert (end.kind, end.run_id, end.track_run_id, end.track_id) == (EventKind.END, NEXT_RUN, RUN_ID, 4)
    assert (end.ended_at, end.occurred_at) == (told.occurred_at, NOON + timedelta(minutes=1))
    assert end.event_id != told.event_id


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("track_id", 0),
        ("track_id", "1"),
        ("first", None),
        ("last", {}),
        ("told", [1]),
        ("sightings", 1.5),
        ("top_score", "high"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: Any) -> None:
    """A field of another kind, or one that lacks parts."""
    kept = kept_track(a_track(), 1000.5)

    with pytest.raises(KeptTrackError, match="a kept track of gate"):
        open_track({**kept, name: value}, "gate", 0.0)


@pytest.mark.parametrize("kept", [{}, [], "text", None, 7])
def test_something_else_is_refused(kept: Any) -> None:
    """Whatever stands there."""
    with pytest.raises(KeptTrackError):
        open_track(kept, "gate", 0.0)
