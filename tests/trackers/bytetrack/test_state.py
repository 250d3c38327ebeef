"""A tracker's state out of one process and into another."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes.moving import FRAME_RATE, scenes
from scenes.playing import DEFAULT, REFERENCE, every_scene

from trackers import ByteTracker, ByteTrackSettings, Detections, TrackerState, TrackerStateError, Tracks
from trackers.bytetrack.arrays.table import ROWS, SEEN_AT, STAGE, TRACK_ID

both = pytest.mark.parametrize("chosen", [DEFAULT, REFERENCE], ids=["default", "reference"])
TWO = Detections(np.array([[0.0, 0, 40, 80], [200, 0, 260, 90]]), np.array([0.9, 0.8]), np.array([0, 2], np.int32))
NOTHING = Detections.empty()


def row(tracks: Tracks) -> list[object]:
    """A report as plain data: equal means equal to the last bit."""
    columns = (tracks.boxes, tracks.scores, tracks.class_ids, tracks.track_ids, tracks.ended_ids)
    return [column.tolist() for column in columns]


def over(tracker: ByteTracker, at_s: float, settings: ByteTrackSettings) -> ByteTracker:
    """Another tracker that goes on, through text, as over a restart."""
    other = ByteTracker(settings)
    other.import_state(TrackerState.from_json(tracker.export_state().to_json()), at_s)
    return other


def exported(frames: int = 3) -> dict[str, Any]:
    """The state of a tracker that has seen two people, as JSON has it."""
    tracker = ByteTracker(DEFAULT)
    for number in range(frames):
        tracker.update(TWO, number / 10)
    state: dict[str, Any] = json.loads(tracker.export_state().to_json())
    return state


@both
@every_scene
@given(frames=scenes(), stops=st.sets(st.integers(0, 60), max_size=5), lost=st.integers(0, 3))
def test_it_goes_on_as_if_never_stopped(
    chosen: ByteTrackSettings, frames: list[Detections], stops: set[int], lost: int
) -> None:
    """Out and in again at any frames, with time lost at each or not: every report is the same, bit for bit."""
    steady, restarted = ByteTracker(chosen), ByteTracker(chosen)
    at_s = 1000.0
    for number, frame in enumerate(frames):
        if number in stops:
            restarted = over(restarted, at_s, chosen)
            at_s += lost
        at_s += 1.0 / FRAME_RATE
        assert row(restarted.update(frame, at_s)) == row(steady.update(frame, at_s))


@both
def test_exporting_changes_nothing_and_the_state_is_its_own(chosen: ByteTrackSettings) -> None:
    """The exporter goes on, the state stays as it was, and an importer does not write into it."""
    tracker, undisturbed = ByteTracker(chosen), ByteTracker(chosen)
    for number in range(10):
        state, importer = tracker.export_state(), ByteTracker(chosen)
        text = state.to_json()
        importer.import_state(state, 0.0)
        importer.update(TWO, 0.1)
        assert row(tracker.update(TWO, number / 10)) == row(undisturbed.update(TWO, number / 10))
        assert state.to_json() == text


def test_time_is_that_of_the_new_clock() -> None:
    """Imported as of another moment, the same gaps make the same tracks."""
    old, frames = ByteTracker(DEFAULT), [TWO] * 5
    for number, frame in enumerate(frames):
        old.update(frame, 5000.0 + number / 8)
    new = over(old, 0.5, DEFAULT)

    assert row(new.update(TWO, 0.625)) == row(old.update(TWO, 5000.625))


def test_too_long_a_stop_is_a_break() -> None:
    """After more than the patience all tracks end, numbers go on, and the scene is believed at once."""
    tracker = ByteTracker(DEFAULT)
    for number in range(3):
        tracker.update(TWO, number / 10)
    told = over(tracker, 0.2, DEFAULT).update(TWO, 0.2 + DEFAULT.lost_patience_s + 0.1)

    assert (told.track_ids.tolist(), told.ended_ids.tolist()) == ([3, 4], [1, 2])


def test_what_ended_and_was_not_told_is_told_by_the_importer() -> None:
    """Once."""
    tracker = ByteTracker(DEFAULT)
    tracker.update(TWO, 0.0)
    tracker.reset()
    other = over(tracker, 0.0, DEFAULT)

    assert [other.update(NOTHING, at_s).ended_ids.tolist() for at_s in (0.1, 0.2)] == [[1, 2], []]


@both
@pytest.mark.parametrize("objects", [0, 1, 25, 400])
def test_numbers_are_never_used_again(chosen: ByteTrackSettings, objects: int) -> None:
    """Over ten restarts, each in another scene."""
    tracker, seen = ByteTracker(chosen), list[int]()
    boxes = np.array([[100.0 * i, 0, 100.0 * i + 50, 80] for i in range(objects)]).reshape(-1, 4)
    frame = Detections(boxes, np.full(objects, 0.9), np.zeros(objects, np.int32))
    for run in range(10):
        seen += tracker.update(frame, float(run)).track_ids.tolist()
        tracker.reset()
        tracker = over(tracker, float(run), chosen)

    assert seen == list(range(1, 10 * objects + 1))


def test_unknown_numbers_are_given_anew() -> None:
    """Tracks whose number may be another's go on with one beyond all others, the rest keep theirs."""
    tracker = ByteTracker(DEFAULT)
    for number in range(3):
        tracker.update(TWO, number / 10)
    other = ByteTracker(DEFAULT)
    other.import_state(tracker.export_state().renumbered([2], least_last_id=50), 0.2)
    told = other.update(TWO, 0.3)

    assert (sorted(told.track_ids.tolist()), told.ended_ids.tolist()) == ([2, 51], [])


def test_other_settings_are_refused_and_nothing_changes() -> None:
    """The first difference is named; the tracker is as it was."""
    patient = ByteTrackSettings(lost_patience_s=3.0, class_groups=({2, 5}, {7, 3}))
    state = ByteTracker(patient).export_state()
    ByteTracker(patient).import_state(TrackerState.from_json(state.to_json()), 0.0)
    tracker = ByteTracker(ByteTrackSettings(lost_patience_s=3.0, class_groups=({2, 5},)))
    tracker.update(TWO, 0.0)

    with pytest.raises(TrackerStateError, match="settings: class_groups: expected"):
        tracker.import_state(state, 9.0)
    assert tracker.update(TWO, 0.1).track_ids.tolist() == [1, 2]


def test_a_time_that_is_none_is_refused() -> None:
    """As with an update."""
    tracker = ByteTracker(DEFAULT)
    tracker.update(TWO, 0.0)
    state = tracker.export_state()

    with pytest.raises(ValueError, match="at_s: expected finite"):
        tracker.import_state(state, float("nan"))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected JSON"),
        ("[1, 2", "expected JSON"),
        ("[" * 100_000, "expected JSON"),
        ("NaN", "expected JSON: NaN is no number"),
        ("[]", "expected an object of format"),
        ('{"format": "other"}', "expected an object of format"),
        ('{"format": "bytetrack state", "version": 2}', "expected version 1, got 2"),
        ('{"format": "bytetrack state", "version": 1}', "expected the keys"),
        (" " * (9 * 1024**2), "expected at most 8388608 characters"),
    ],
    ids=["nothing", "torn", "deep", "nan", "list", "foreign", "version", "keys", "long"],
)
def test_foreign_text_is_refused(text: str, complaint: str) -> None:
    """With a sentence that says what was found."""
    with pytest.raises(TrackerStateError, match=complaint):
        TrackerState.from_json(text)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("tracks", [[1.0, 2.0]], f"expected lists of {ROWS} numbers"),
        ("tracks", [["x"] * ROWS], f"expected lists of {ROWS} numbers"),
        ("tracks", [[0.0] * ROWS] * 10_001, "at most 10000"),
        ("tracks", [[10**400] * ROWS], "too large"),
        ("tracks", [[1e999] * ROWS], "finite"),
        ("last_id", 1, "numbers: expected 0 to 1"),
        ("last_id", -1, "last_id: expected 0 to"),
        ("last_id", 2.5, "last_id: expected int, got 2.5"),
        ("last_id", True, "last_id: expected int, got True"),
        ("is_fresh", 1, "is_fresh: expected bool, got 1"),
        ("now", "later", "now: expected int or float, got 'later'"),
        ("now", -1.0, "0 or more"),
        ("now", 0.0, "after the last update"),
        ("ended_ids", [3], "1 to last_id"),
        ("ended_ids", [1.5], "whole numbers"),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: object, complaint: str) -> None:
    """A field that was changed by accident or on purpose."""
    with pytest.raises(TrackerStateError, match=complaint):
        TrackerState.from_json(json.dumps({**exported(), name: value}).replace("Infinity", "1e999"))


@pytest.mark.parametrize(
    ("place", "value", "complaint"),
    [
        (TRACK_ID, 2.0, "each only once"),
        (TRACK_ID, 1.5, "whole ones"),
        (STAGE, 3.0, "stages: expected 0, 1 or 2"),
        (STAGE, 0.0, "tentative tracks last"),
        (SEEN_AT, -1.0, "before it began"),
    ],
)
def test_a_track_that_cannot_be_is_refused(place: int, value: float, complaint: str) -> None:
    """One number of the first track."""
    state = exported()
    state["tracks"][0][place] = value

    with pytest.raises(TrackerStateError, match=complaint):
        TrackerState.from_json(json.dumps(state))


@given(st.data())
def test_damage_is_refused_or_harmless(data: st.DataObject) -> None:
    """Whatever one character becomes, reading it ends in a state or in our error."""
    text = json.dumps(exported())
    place = data.draw(st.integers(0, len(text) - 1))
    damaged = text[:place] + data.draw(st.characters()) + text[place + 1 :]

    complaint = ""
    try:
        ByteTracker(DEFAULT).import_state(TrackerState.from_json(damaged), 0.0)
    except TrackerStateError as error:
        complaint = str(error)
    assert not complaint or complaint.startswith("tracker state: ")


def test_a_state_is_small() -> None:
    """Under half a kilobyte a track."""
    boxes = np.random.default_rng(1).uniform(0, 1000, (100, 2))
    frame = Detections(np.hstack([boxes, boxes + 50.5]), np.full(100, 0.9), np.zeros(100, np.int32))
    tracker = ByteTracker(DEFAULT)
    for number in range(5):
        tracker.update(frame, number / 10)
    state = tracker.export_state()

    assert len(state.to_json()) < 500 * max(1, len(state)) + 1500
