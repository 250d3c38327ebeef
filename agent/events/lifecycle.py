"""The life of every track as events: `new`, `update`, `end`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from agent.events.event import Event, EventKind, fraction
from agent.events.event_ids import EventIds
from agent.events.open_track import OpenTrack, Sighting, sighting
from agent.stream.frame import ClockSource, FrameInfo
from agent.telemetry.events import EventHappenings
from agent.track.tracked import TrackedFrame

# Clocks drift, and are corrected a little at a time; more than this at once is a clock that was set.
CLOCK_STEP = timedelta(seconds=5.0)


@dataclass(frozen=True)
class LifecyclePatience:
    """When a track is worth telling.

    Attributes:
        new_after: sightings before `new` is told. The tracker confirms a track on its second hit, except in the first
            frame of a stream; one sighting more and what flickers for a single frame makes no event.
        update_every_s: seconds of stream time between two events of a track that is present.
        score_step: how much better than told the best score must be to tell it at once.
        max_open_tracks: tracks remembered per camera; beyond it the one unseen for longest is ended. No scene comes
            near it: it bounds the memory even if a tracker never gave up a track.
    """

    new_after: int = 2
    update_every_s: float = 10.0
    score_step: float = 0.1
    max_open_tracks: int = 1000


@dataclass(frozen=True)
class _Cause:
    """The moment an event speaks of: that of a frame, or that somebody stopped."""

    occurred_at: datetime
    clock_source: ClockSource
    frame_sequence: int
    captured_monotonic_s: float | None


class LifecycleRule:
    """Tells when a track appears, changes and goes; used by one thread. See `Rule`.

    `new` once a track has been seen `new_after` times, with the time it was first seen. `update` when its label
    changes for good, when its best score has improved by `score_step`, and every `update_every_s` while it is present.
    `end` when the tracker gives it up, with the time it was last seen; a track of which no `new` was told has none.
    """

    def __init__(
        self,
        site_id: str,
        run_id: str,
        ids: EventIds,
        patience: LifecyclePatience,
        happened: EventHappenings,
    ) -> None:
        self._site_id = site_id
        self._run_id = run_id
        self._ids = ids
        self._patience = patience
        self._happened = happened
        self._open: dict[str, dict[int, OpenTrack]] = {}

    def retune(self, patience: LifecyclePatience) -> None:
        """Go on with another patience; called by the thread that uses the rule."""
        self._patience = patience

    def observe(self, tracked: TrackedFrame) -> list[Event]:
        """News of the tracks in this frame, then the ends of those given up in it."""
        frame = tracked.frame.info
        cause = _frame_cause(frame)
        tracks = self._open.setdefault(frame.camera_id, {})
        events = []
        for track_id, seen in _sightings(tracked):
            track = self._see(tracks, track_id, seen)
            if kind := self._due(track):
                events.append(self._event(track, kind, cause))
        for track_id in tracked.tracks.ended_ids.tolist():
            events.extend(self._end(tracks, track_id, cause))
        return events + self._end_surplus(frame.camera_id, cause)

    def camera_ended(self, camera_id: str, at: datetime) -> list[Event]:
        """The ends of all its tracks; `at` is our own clock's time."""
        tracks = self._open.pop(camera_id, {})
        events: list[Event] = []
        for track_id, track in list(tracks.items()):
            events.extend(self._end(tracks, track_id, _stop_cause(track, at)))
        return events

    def open_tracks(self, camera_id: str) -> list[OpenTrack]:
        """What is remembered of a camera's tracks; they go on changing."""
        return list(self._open.get(camera_id, {}).values())

    def resume(self, camera_id: str, tracks: Iterable[OpenTrack]) -> None:
        """Take over what an earlier run remembered, before the first frame; those told before are not `new` again."""
        self._open[camera_id] = {track.track_id: track for track in tracks}

    def end_of(self, told: Event, at: datetime) -> Event:
        """The end of an object of which only the last event is known, told by an earlier run; it was last seen then."""
        self._happened.event_made(told.camera_id, EventKind.END.value, told.label, told.track_id)
        return replace(
            told,
            event_id=self._ids.next_id(),
            kind=EventKind.END,
            run_id=self._run_id,
            occurred_at=at,
            ended_at=told.occurred_at,
            clock_source=ClockSource.HOST,
            captured_monotonic_s=None,
        )

    def release(self, camera_id: str) -> None:
        """Forget a camera's tracks without telling their end: another run takes them over."""
        self._open.pop(camera_id, None)

    def close(self, at: datetime) -> list[Event]:
        """The ends of all tracks of all cameras; `at` is our own clock's time."""
        return [event for camera_id in list(self._open) for event in self.camera_ended(camera_id, at)]

    def _see(self, tracks: dict[int, OpenTrack], track_id: int, seen: Sighting) -> OpenTrack:
        track = tracks.get(track_id)
        if track is None:
            track = tracks[track_id] = OpenTrack(track_id, seen, self._run_id)
        else:
            track.see(seen)
        return track

    def _due(self, track: OpenTrack) -> EventKind | None:
        if not track.is_told:
            return EventKind.NEW if track.sightings >= self._patience.new_after else None
        news = track.has_news(self._patience.score_step, self._patience.update_every_s)
        return EventKind.UPDATE if news else None

    def _end(self, tracks: dict[int, OpenTrack], track_id: int, cause: _Cause) -> Iterator[Event]:
        track = tracks.pop(track_id, None)
        if track is not None and track.is_told:
            yield self._event(track, EventKind.END, cause)

    def _end_surplus(self, camera_id: str, cause: _Cause) -> list[Event]:
        tracks = self._open[camera_id]
        events: list[Event] = []
        while len(tracks) > self._patience.max_open_tracks:
            oldest = min(tracks.values(), key=lambda track: track.last.frame.captured_monotonic_s)
            self._happened.track_forgotten(camera_id)
            events.extend(self._end(tracks, oldest.track_id, cause))
        return events

    def _event(self, track: OpenTrack, kind: EventKind, cause: _Cause) -> Event:
        track.tell()
        last = track.last
        self._happened.event_made(last.frame.camera_id, kind.value, track.label, track.track_id)
        return Event(
            event_id=self._ids.next_id(),
            kind=kind,
            site_id=self._site_id,
            camera_id=last.frame.camera_id,
            run_id=self._run_id,
            track_id=track.track_id,
            label=track.label,
            occurred_at=cause.occurred_at,
            started_at=_dated(track.first.frame, track, cause),
            ended_at=_dated(last.frame, track, cause) if kind is EventKind.END else None,
            clock_source=cause.clock_source,
            box=last.box,
            box_fraction=fraction(last.box, last.frame_size),
            score=last.score,
            top_score=track.top_score,
            frame_size=last.frame_size,
            frame_sequence=cause.frame_sequence,
            captured_monotonic_s=cause.captured_monotonic_s,
            track_run_id=None if track.run_id == self._run_id else track.run_id,
        )


def _sightings(tracked: TrackedFrame) -> Iterator[tuple[int, Sighting]]:
    tracks, frame = tracked.tracks, tracked.frame.info
    columns = zip(
        tracks.track_ids.tolist(),
        tracks.class_ids.tolist(),
        tracks.scores.tolist(),
        tracks.boxes.tolist(),
        strict=True,
    )
    for track_id, class_id, score, box in columns:
        yield track_id, sighting(frame, tracked.labels[class_id], score, box)


def _dated(frame: FrameInfo, track: OpenTrack, cause: _Cause) -> datetime:
    """When a frame was captured, on the clock its event is dated by: a start is never after an end, nor that in future.

    The clock may have become another one since then, or have been set.
    """
    last = track.last.frame
    base = _frame_cause(last) if cause.captured_monotonic_s is None else cause
    assert base.captured_monotonic_s is not None, "a frame has it"  # noqa: S101 - for the type checker
    passed = timedelta(seconds=base.captured_monotonic_s - frame.captured_monotonic_s)
    has_stepped = abs(base.occurred_at - frame.captured_at - passed) > CLOCK_STEP
    if frame.clock_source is base.clock_source and not has_stepped:
        return frame.captured_at
    return base.occurred_at - passed


def _frame_cause(frame: FrameInfo) -> _Cause:
    return _Cause(frame.captured_at, frame.clock_source, frame.sequence, frame.captured_monotonic_s)


def _stop_cause(track: OpenTrack, at: datetime) -> _Cause:
    return _Cause(at, ClockSource.HOST, track.last.frame.sequence, captured_monotonic_s=None)
