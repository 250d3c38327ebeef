"""The life of a track, seen from outside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

DEFAULT, REFERENCE = ByteTrackSettings(), ByteTrackSettings.reference(frame_rate=10.0)
both = pytest.mark.parametrize("settings", [DEFAULT, REFERENCE], ids=["default", "reference"])


def seen(*people: tuple[float, float], class_id: int = 0) -> Detections:
    """People of 40 x 80 px; each by its left edge and score."""
    boxes = np.array([[left, 100.0, left + 40.0, 180.0] for left, _ in people]).reshape(-1, 4)
    return Detections(boxes, np.array([score for _, score in people]), np.full(len(people), class_id, np.int32))


def play(tracker: ByteTracker, frames: Sequence[Detections], begin_s: float = 0.0) -> list[Tracks]:
    """At ten frames a second."""
    return [tracker.update(frame, begin_s + number / 10) for number, frame in enumerate(frames)]


def ids(tracks: Sequence[Tracks]) -> list[list[int]]:
    return [each.track_ids.tolist() for each in tracks]


def ended(tracks: Sequence[Tracks]) -> list[list[int]]:
    return [each.ended_ids.tolist() for each in tracks]


@both
def test_the_first_frame_is_believed_and_later_newcomers_need_a_second_look(settings: ByteTrackSettings) -> None:
    """A newcomer is reported from its second detection on."""
    told = play(ByteTracker(settings), [seen((0, 0.9)), *[seen((0, 0.9), (300, 0.9))] * 2])

    assert ids(told) == [[1], [1], [1, 2]]


@both
def test_a_flash_is_never_told(settings: ByteTrackSettings) -> None:
    """What was seen once, after the first frame, neither begins nor ends."""
    told = play(ByteTracker(settings), [seen((0, 0.9)), seen((0, 0.9), (300, 0.9)), *[seen((0, 0.9))] * 30])

    assert ids(told) == [[1]] * 32
    assert ended(told) == [[]] * 32


def test_numbers_have_no_gaps_by_default() -> None:
    """A flash takes no number; in the published algorithm it does."""
    frames = [seen((0, 0.9)), seen((0, 0.9), (600, 0.9)), *[seen((0, 0.9), (300, 0.9))] * 2]

    assert ids(play(ByteTracker(DEFAULT), frames))[-1] == [1, 2]
    assert ids(play(ByteTracker(REFERENCE), frames))[-1] == [1, 3]


@both
def test_a_low_score_continues_a_track_and_never_begins_one(settings: ByteTrackSettings) -> None:
    """Half hidden people keep their number, shadows get none."""
    told = play(ByteTracker(settings), [seen((0, 0.9)), *[seen((0, 0.2), (300, 0.2))] * 5])

    assert ids(told) == [[1]] * 6


@both
def test_between_high_and_new_nothing_begins(settings: ByteTrackSettings) -> None:
    """A score may be high enough to continue a track and too low for a beginning."""
    assert ids(play(ByteTracker(settings), [seen((0, 0.65))] * 4)) == [[]] * 4


@both
def test_a_track_found_again_in_time_keeps_its_number(settings: ByteTrackSettings) -> None:
    """Unseen for most of its patience, then back."""
    told = play(ByteTracker(settings), [*[seen((0, 0.9))] * 3, *[seen()] * 8, seen((0, 0.9))])

    assert ids(told) == [[1]] * 3 + [[]] * 8 + [[1]]


def test_patience_is_in_seconds_and_a_detection_on_its_last_moment_is_in_time() -> None:
    """Whatever the frame rate: found after exactly one second, gone after more."""
    for rate in (5, 10, 25, 30):
        for frames_away, expected in ((rate, [1]), (rate + 1, [])):
            tracker = ByteTracker(DEFAULT)
            tracker.update(seen((0, 0.9)), 7.3)
            for frame in range(1, frames_away):
                tracker.update(seen(), 7.3 + frame / rate)
            tracks = tracker.update(seen((0, 0.9)), 7.3 + frames_away / rate)

            assert tracks.track_ids.tolist() == expected


def test_time_without_updates_uses_up_patience_of_lost_tracks() -> None:
    """A pause of detection ages a track by its seconds, not by frames."""
    tracker = ByteTracker(ByteTrackSettings(lost_patience_s=3.0))
    for at_s in (0.0, 0.1, 0.2):
        tracker.update(seen((0, 0.9)), at_s)

    assert ids([tracker.update(seen(), 0.3), tracker.update(seen((0, 0.9)), 2.9)]) == [[], [1]]


@both
def test_an_end_is_told_once(settings: ByteTrackSettings) -> None:
    """And only after the patience is over."""
    told = play(ByteTracker(settings), [*[seen((0, 0.9), (300, 0.9))] * 3, *[seen((300, 0.9))] * 40])

    ends = [frame for frame, tracks in enumerate(told) if tracks.ended_ids.size]
    assert [told[frame].ended_ids.tolist() for frame in ends] == [[1]]
    assert 12 < ends[0] <= 15


def test_the_published_removal_grants_one_more_look() -> None:
    """Patience of ten frames: found after twelve, not after thirteen; and gone at once when lost again."""
    for frames_away, expected in ((11, [1]), (12, [])):
        frames = [*[seen((0, 0.9))] * 3, *[seen()] * frames_away, seen((0, 0.9)), seen(), seen()]
        told = play(ByteTracker(REFERENCE), frames)

        assert told[-3].track_ids.tolist() == expected
        assert ended(told).count([1]) == 1
        assert ended(told)[-2] == expected


@both
def test_numbers_are_never_used_again(settings: ByteTrackSettings) -> None:
    """Not after an end, not after a reset."""
    tracker = ByteTracker(settings)
    first = play(tracker, [*[seen((0, 0.9))] * 2, *[seen()] * 20, *[seen((0, 0.9))] * 2])
    tracker.reset()
    second = play(tracker, [seen((0, 0.9))] * 2, begin_s=10.0)

    assert [first[0].track_ids.tolist(), first[-1].track_ids.tolist()] == [[1], [2]]
    assert ids(second) == [[3], [3]]
    assert ended(second) == [[2], []]


def test_after_an_outage_everything_begins_afresh() -> None:
    """A minute without frames: the old number ends, who stands there gets a new one at once."""
    tracker = ByteTracker(DEFAULT)
    play(tracker, [seen((0, 0.9))] * 3)

    back = play(tracker, [seen((0, 0.9))] * 2, begin_s=60.0)

    assert (ids(back), ended(back)) == ([[2], [2]], [[1], []])


def test_time_that_stands_still_or_runs_back_breaks_nothing() -> None:
    """The number stays; boxes stay finite."""
    tracker = ByteTracker(DEFAULT)
    told = [tracker.update(seen((0, 0.9)), at_s) for at_s in (100.0, 100.1, 100.1, 5.0, 5.0, 4.0, 4.1)]

    assert ids(told) == [[1]] * 7
    assert all(np.isfinite(tracks.boxes).all() for tracks in told)


def test_a_slow_camera_keeps_its_tracks() -> None:
    """One frame in five seconds, patience of one: what stands still is the same thing."""
    tracker = ByteTracker(DEFAULT)

    assert ids([tracker.update(seen((0, 0.9)), 5.0 * frame) for frame in range(5)]) == [[1]] * 5


@both
def test_a_low_score_does_not_find_a_lost_track(settings: ByteTrackSettings) -> None:
    """Once lost, only a sure detection brings it back."""
    told = play(ByteTracker(settings), [*[seen((0, 0.9))] * 3, seen(), *[seen((0, 0.3))] * 2, seen((0, 0.9))])

    assert ids(told) == [[1]] * 3 + [[]] * 3 + [[1]]


@both
def test_a_sure_detection_beats_a_nearer_doubtful_one(settings: ByteTrackSettings) -> None:
    """In the first association overlap counts times score."""
    told = play(ByteTracker(settings), [seen((0, 0.9)), seen((0, 0.61), (4, 0.99))])

    assert told[1].scores.tolist() == [0.99]
