"""What every tracker promises, shipped or fake."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fakes.tracker import FakeTracker

from agent.track.tracker import Tracker
from trackers import ByteTracker, ByteTrackSettings, CameraMotion, Detections, TrackerState, TrackerStateError, Tracks

TRACKERS: dict[str, Callable[[], Tracker]] = {
    "default": lambda: ByteTracker(ByteTrackSettings()),
    "reference": lambda: ByteTracker(ByteTrackSettings.reference(frame_rate=10.0)),
    "fake": FakeTracker,
}
NOTHING = Detections.empty()
TWO = Detections(
    np.array([[0, 0, 40, 80], [200, 0, 260, 90]], np.float32),
    np.array([0.9, 0.8], np.float32),
    np.array([0, 2], np.int32),
)


@pytest.fixture(params=TRACKERS.values(), ids=TRACKERS.keys())
def tracker(request: pytest.FixtureRequest) -> Tracker:
    made: Tracker = request.param()
    return made


def play(tracker: Tracker, frames: list[Detections], begin_s: float = 0.0) -> list[Tracks]:
    return [tracker.update(frame, begin_s + number / 10) for number, frame in enumerate(frames)]


def test_what_stays_keeps_its_number(tracker: Tracker) -> None:
    """Two objects that stand still are two tracks, from 1."""
    told = play(tracker, [TWO] * 5)

    assert all(sorted(tracks.track_ids.tolist()) == [1, 2] for tracks in told)
    assert all(tracks.ended_ids.size == 0 for tracks in told)


def test_a_report_is_columns_of_one_length_that_nobody_can_write(tracker: Tracker) -> None:
    """Types, shapes and the classes of the detections."""
    tracks = play(tracker, [TWO] * 2)[-1]

    assert (tracks.boxes.dtype, tracks.class_ids.dtype, tracks.track_ids.dtype) == (np.float64, np.int32, np.int64)
    assert tracks.boxes.shape == (2, 4)
    assert sorted(tracks.class_ids.tolist()) == [0, 2]
    for column in (tracks.boxes, tracks.scores, tracks.class_ids, tracks.track_ids, tracks.ended_ids):
        assert not column.flags.writeable


def test_nothing_seen_is_nothing_told(tracker: Tracker) -> None:
    """From the first frame on, as often as it comes."""
    assert [len(tracks) for tracks in play(tracker, [NOTHING] * 3)] == [0, 0, 0]


def test_every_number_told_ends_once(tracker: Tracker) -> None:
    """After the object is gone for long enough."""
    told = play(tracker, [*[TWO] * 3, *[NOTHING] * 30])

    assert sorted(np.concatenate([tracks.ended_ids for tracks in told]).tolist()) == [1, 2]
    assert sum(len(tracks) for tracks in told[3:]) == 0


def test_a_reset_ends_everything_and_numbers_go_on(tracker: Tracker) -> None:
    """The same objects are new ones afterwards."""
    play(tracker, [TWO] * 3)
    tracker.reset()
    tracker.reset()
    told = play(tracker, [TWO] * 2, begin_s=0.3)

    assert [sorted(tracks.ended_ids.tolist()) for tracks in told] == [[1, 2], []]
    assert all(sorted(tracks.track_ids.tolist()) == [3, 4] for tracks in told)


def test_a_reset_before_anything_is_harmless(tracker: Tracker) -> None:
    """Nothing to forget, nothing to tell."""
    tracker.reset()

    assert tracker.update(TWO, 0.0).track_ids.tolist() == [1, 2]


@pytest.mark.parametrize("make", TRACKERS.values(), ids=TRACKERS.keys())
def test_another_one_goes_on_with_the_state(make: Callable[[], Tracker]) -> None:
    """Numbers stay with their objects, what ended is told, and new numbers are new; the exporter is as it was."""
    first, second = make(), make()
    play(first, [TWO] * 3)
    second.import_state(TrackerState.from_json(first.export_state().to_json()), 0.2)
    told = play(second, [TWO], begin_s=0.3)
    second.reset()
    told += play(second, [TWO], begin_s=0.4)

    assert [sorted(tracks.track_ids.tolist()) for tracks in told] == [[1, 2], [3, 4]]
    assert [sorted(tracks.ended_ids.tolist()) for tracks in told] == [[], [1, 2]]
    assert sorted(first.update(TWO, 0.3).track_ids.tolist()) == [1, 2]


def test_the_state_of_another_kind_is_refused(tracker: Tracker) -> None:
    """A tracker with other parameters would not go on as the first one."""
    other = ByteTracker(ByteTrackSettings(lost_patience_s=77.0))

    with pytest.raises(TrackerStateError, match="settings"):
        tracker.import_state(other.export_state(), 0.0)


def test_equal_times_are_allowed(tracker: Tracker) -> None:
    """Two frames of one moment do no harm."""
    assert sorted(tracker.update(TWO, 1.0).track_ids) == sorted(tracker.update(TWO, 1.0).track_ids) == [1, 2]


def test_a_motion_of_the_camera_may_be_told(tracker: Tracker) -> None:
    """With any update, the first one included; the objects of the background keep their numbers."""
    motion = CameraMotion(np.array([[1.0, 0.0, 4.0], [0.0, 1.0, 2.0]]))
    shifted = [Detections(TWO.boxes + np.array([4, 2, 4, 2]) * step, TWO.scores, TWO.class_ids) for step in range(3)]

    told = [tracker.update(frame, step / 10, motion) for step, frame in enumerate(shifted)]

    assert [sorted(tracks.track_ids.tolist()) for tracks in told] == [[1, 2]] * 3


def test_good_detections_are_not_refused(tracker: Tracker) -> None:
    """The count stays at zero."""
    play(tracker, [TWO, NOTHING, TWO])

    assert tracker.refused == 0
