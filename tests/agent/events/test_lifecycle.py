"""What is told of a track's life, and what is not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from fakes.clock import FakeClock
from fakes.events import NOON, RUN_ID, frame_info, metric, teller, tracked_frame

from agent.events.event import Event, EventKind
from agent.events.event_ids import EventIds
from agent.events.lifecycle import LifecyclePatience, LifecycleRule
from agent.stream.frame import ClockSource
from agent.telemetry.events import EventHappenings

NEW, UPDATE, END = EventKind.NEW, EventKind.UPDATE, EventKind.END


class Scene:
    """A rule, fed frame by frame at ten a second."""

    def __init__(self, patience: LifecyclePatience | None = None) -> None:
        self.teller = teller()
        ids = EventIds(FakeClock(), random.Random(7))
        happened = EventHappenings(self.teller)
        self.rule = LifecycleRule("depot", RUN_ID, ids, patience or LifecyclePatience(), happened)
        self.sequence = 0

    def see(
        self,
        scores: Mapping[int, float] | None = None,
        ended: tuple[int, ...] = (),
        camera_id: str = "gate",
        class_ids: Mapping[int, int] | None = None,
        box: tuple[float, float, float, float] = (10.0, 20.0, 110.0, 220.0),
    ) -> list[Event]:
        """The events of the next frame."""
        self.sequence += 1
        info = frame_info(self.sequence, camera_id, at_s=self.sequence / 10)
        return self.rule.observe(tracked_frame(info, scores, ended, class_ids=class_ids, box=box))


def kinds(events: Iterable[Event]) -> list[tuple[EventKind, int]]:
    """Kind and track of each event."""
    return [(event.kind, event.track_id) for event in events]


def test_a_track_is_told_once_it_was_seen_twice() -> None:
    """`new` comes with the second sighting and carries the time of the first."""
    scene = Scene()

    assert scene.see({1: 0.9}) == []
    (new,) = scene.see({1: 0.8})

    assert (new.kind, new.started_at, new.occurred_at) == (
        NEW,
        NOON + timedelta(seconds=0.1),
        NOON + timedelta(seconds=0.2),
    )
    assert (new.score, new.top_score, new.ended_at) == (0.8, 0.9, None)


def test_a_flicker_is_never_told() -> None:
    """A track that was seen in one frame only makes neither `new` nor `end`."""
    scene = Scene()
    scene.see({1: 0.9})

    assert scene.see() + scene.see(ended=(1,)) == []


def test_an_end_tells_when_the_track_was_last_seen() -> None:
    """`end` comes when the tracker gives the track up; `ended_at` is the last frame it was in."""
    scene = Scene()
    for _ in range(3):
        scene.see({1: 0.9})
    scene.see()
    (end,) = scene.see(ended=(1,))

    assert (end.kind, end.ended_at) == (END, NOON + timedelta(seconds=0.3))
    assert (end.occurred_at, end.frame_sequence) == (NOON + timedelta(seconds=0.5), 5)
    assert scene.see(ended=(1,)) == []


def test_a_better_clock_does_not_turn_time_around() -> None:
    """When the camera's own clock is known at last, the whole track is dated by it: it does not end before it began."""
    scene = Scene()
    first, second = frame_info(1, at_s=0.0), frame_info(2, at_s=0.5)
    behind = replace(second, clock_source=ClockSource.RTCP, captured_at=second.captured_at - timedelta(minutes=5))

    scene.rule.observe(tracked_frame(first, {1: 0.9}))
    (new,) = scene.rule.observe(tracked_frame(behind, {1: 0.9}))

    assert new.clock_source is ClockSource.RTCP
    assert new.occurred_at - new.started_at == timedelta(seconds=0.5)


@pytest.mark.parametrize("step", [timedelta(minutes=-5), timedelta(hours=2)])
def test_a_clock_that_is_set_does_not_turn_time_around(step: timedelta) -> None:
    """The camera's clock is set while a track is seen, and back while it is lost: each event is dated by what holds."""
    scene = Scene()
    frames = [frame_info(number, at_s=number * 0.5) for number in range(1, 7)]
    frames[2:4] = [replace(frame, captured_at=frame.captured_at + step) for frame in frames[2:4]]
    told = [scene.rule.observe(tracked_frame(frame, {1: 0.5 + 0.1 * place})) for place, frame in enumerate(frames[:4])]
    told.append(scene.rule.observe(tracked_frame(frames[4], {}, (1,))))
    events = [event for each in told for event in each]

    assert [event.kind.value for event in events] == ["new", "update", "update", "end"]
    for event in events:
        place = event.frame_sequence - 1
        assert event.occurred_at - event.started_at == timedelta(seconds=0.5 * place)
    assert events[-1].ended_at == events[-1].occurred_at - timedelta(seconds=0.5)


def test_a_present_track_is_told_at_the_set_pace() -> None:
    """An unchanging track gives one `update` per period of stream time, none while it is not seen."""
    scene = Scene(LifecyclePatience(update_every_s=1.0))
    seen = [event for _ in range(32) for event in scene.see({1: 0.9})]
    unseen = [event for _ in range(32) for event in scene.see()]

    assert kinds(seen) == [(NEW, 1), (UPDATE, 1), (UPDATE, 1), (UPDATE, 1)]
    assert unseen == []


def test_a_clearly_better_score_is_told() -> None:
    """The best score is told when it has improved by a step since it was told last, not at each small gain."""
    scene = Scene()
    scores = [0.5, 0.5, 0.55, 0.59, 0.62, 0.4, 0.71, 0.73]

    events = [event for score in scores for event in scene.see({1: score})]

    assert [(event.kind, event.top_score) for event in events] == [(NEW, 0.5), (UPDATE, 0.62), (UPDATE, 0.73)]


def test_a_lasting_change_of_label_is_told_and_a_flicker_is_not() -> None:
    """Another label counts from its third sighting in a row."""
    scene = Scene()
    classes = [0, 0, 1, 0, 1, 1, 0, 1, 1, 1, 1]

    events = [event for class_id in classes for event in scene.see({1: 0.9}, class_ids={1: class_id})]

    assert [(event.kind, event.label, event.frame_sequence) for event in events] == [
        (NEW, "person", 2),
        (UPDATE, "car", 10),
    ]


def test_boxes_leave_clipped_with_their_fractions() -> None:
    """A box that reaches out of the frame is cut at its border, in pixels and in fractions."""
    scene = Scene()
    scene.see({1: 0.9})
    (new,) = scene.see({1: 0.9}, box=(-10.0, 240.0, 320.0, 500.0))

    assert new.box == (0.0, 240.0, 320.0, 480.0)
    assert new.box_fraction == (0.0, 0.5, 0.5, 1.0)
    assert new.frame_size == (640, 480)


def test_cameras_do_not_mix() -> None:
    """The same track number on two cameras is two tracks."""
    scene = Scene()
    for camera_id in ("gate", "yard"):
        scene.see({1: 0.9}, camera_id=camera_id)
    events = scene.see({1: 0.9}, camera_id="gate") + scene.see({1: 0.9}, camera_id="yard")
    ended = scene.see(ended=(1,), camera_id="yard")

    assert [event.camera_id for event in events] == ["gate", "yard"]
    assert [event.camera_id for event in ended] == ["yard"]


def test_a_camera_that_ends_ends_its_tracks() -> None:
    """The told tracks of that camera end, with our own clock's time; those of others go on."""
    scene = Scene()
    for _ in range(2):
        scene.see({1: 0.9, 2: 0.9})
        scene.see({1: 0.9}, camera_id="yard")
    scene.see({1: 0.9, 2: 0.9, 3: 0.9})
    later = NOON + timedelta(minutes=1)

    ends = scene.rule.camera_ended("gate", later)

    assert kinds(ends) == [(END, 1), (END, 2)]
    assert {(end.occurred_at, end.clock_source, end.captured_monotonic_s) for end in ends} == {
        (later, ClockSource.HOST, None)
    }
    assert scene.rule.camera_ended("gate", later) == []
    assert kinds(scene.rule.close(later)) == [(END, 1)]


def test_memory_is_bounded_even_when_no_track_ever_ends() -> None:
    """Beyond the limit the track unseen for longest is ended, and that is counted."""
    scene = Scene(LifecyclePatience(new_after=1, max_open_tracks=3))

    events = [event for track_id in range(1, 6) for event in scene.see({track_id: 0.9})]

    assert [track for kind, track in kinds(events) if kind is END] == [1, 2]
    assert metric(scene.teller, "tracks_forgotten_total", camera="gate") == 2


def test_every_event_is_counted_by_kind_and_label() -> None:
    """The counter has one series per camera, kind and label."""
    scene = Scene()
    for _ in range(3):
        scene.see({1: 0.9}, class_ids={1: 1})
    scene.see(ended=(1,))

    for kind in ("new", "end"):
        assert metric(scene.teller, "events_total", camera="gate", kind=kind, label="car") == 1
    assert metric(scene.teller, "events_total", camera="gate", kind="update", label="car") == 0


@pytest.mark.parametrize("seed", range(3))
def test_every_new_has_one_end_whatever_happens(seed: int) -> None:
    """Over random scenes each told track has one `new` first, one `end` last and rising event ids."""
    chance, scene = random.Random(seed), Scene()
    events, live, next_id = [], set[int](), 1
    for _ in range(400):
        if chance.random() < 0.3:
            live.add(next_id)
            next_id += 1
        ended = tuple(track for track in sorted(live) if chance.random() < 0.1)
        live.difference_update(ended)
        seen = {track: chance.random() for track in sorted(live) if chance.random() < 0.8}
        events += scene.see(seen, ended)
    events += scene.rule.close(NOON)

    assert [event.event_id for event in events] == sorted(event.event_id for event in events)
    for track in range(1, next_id):
        told = [event.kind for event in events if event.track_id == track]
        assert told in ([], [NEW, *[UPDATE] * (len(told) - 2), END])
