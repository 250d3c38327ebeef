"""What holds for every scene: where, how large, in which order and by how many trackers it is followed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes.moving import FRAME_RATE, scenes
from scenes.playing import DEFAULT, REFERENCE, assert_same, assert_same_lives, every_scene, play

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

Boxes = npt.NDArray[np.floating]
both = pytest.mark.parametrize("chosen", [DEFAULT, REFERENCE], ids=["default", "reference"])


@both
@every_scene
@given(frames=scenes(), seed=st.integers(0, 2**32 - 1))
def test_the_order_of_detections_changes_nothing(
    chosen: ByteTrackSettings, frames: list[Detections], seed: int
) -> None:
    """Shuffled within each frame they make the same tracks; only the numbers are given in another order."""
    random = np.random.default_rng(seed)
    shuffled = [frame[random.permutation(len(frame))] for frame in frames]

    assert_same_lives(play(chosen, frames), play(chosen, shuffled))


@both
@every_scene
@given(frames=scenes(), shift=st.tuples(st.integers(-5000, 5000), st.integers(-5000, 5000)))
def test_a_scene_elsewhere_has_the_same_identities(
    chosen: ByteTrackSettings, frames: list[Detections], shift: tuple[int, int]
) -> None:
    """Boxes move along; numbers and ends stay."""
    offset = np.array([*shift, *shift], np.float64)

    assert_follows(chosen, frames, lambda boxes: boxes + offset)


@both
@every_scene
@given(frames=scenes())
def test_a_mirrored_scene_has_the_same_identities(chosen: ByteTrackSettings, frames: list[Detections]) -> None:
    """Left and right are alike, and so are up and down."""
    assert_follows(chosen, frames, lambda boxes: -boxes[:, [2, 3, 0, 1]])


@every_scene
@given(frames=scenes(), scale=st.sampled_from([1 / 32, 0.1, 1 / 3, 3.0, 17.5, 256.0]))
def test_a_scene_of_another_size_has_the_same_identities(frames: list[Detections], scale: float) -> None:
    """With the default set: nothing in it is measured in pixels. The published one adds 1 px, so there it fails."""
    assert_follows(DEFAULT, frames, lambda boxes: boxes * scale)


def assert_follows(chosen: ByteTrackSettings, frames: Sequence[Detections], place: Callable[[Boxes], Boxes]) -> None:
    """Putting every box elsewhere puts the tracks there, and changes nothing else."""
    there = play(chosen, [Detections(place(each.boxes), each.scores, each.class_ids) for each in frames])
    for tracks, expected in zip(there, play(chosen, frames), strict=True):
        np.testing.assert_array_equal(tracks.track_ids, expected.track_ids)
        np.testing.assert_array_equal(tracks.ended_ids, expected.ended_ids)
        np.testing.assert_allclose(tracks.boxes, place(expected.boxes), atol=1e-6)


@every_scene
@given(frames=scenes(), begin_s=st.integers(-(10**6), 10**6))
def test_where_the_clock_begins_changes_nothing(frames: list[Detections], begin_s: int) -> None:
    """Only differences of times count; these are exact in binary."""
    times = [number / 8 for number in range(len(frames))]

    assert_same(play(DEFAULT, frames, [begin_s + at_s for at_s in times]), play(DEFAULT, frames, times))


@both
@every_scene
@given(frames=scenes(), others=scenes())
def test_trackers_used_in_turn_share_nothing(
    chosen: ByteTrackSettings, frames: list[Detections], others: list[Detections]
) -> None:
    """Each of two cameras gives what it gives alone; so the same input gives the same output, too."""
    one, other = ByteTracker(chosen), ByteTracker(chosen)
    told: list[Tracks] = []
    told_other: list[Tracks] = []
    for number, (frame, other_frame) in enumerate(zip(frames, others, strict=True)):
        told.append(one.update(frame, number / FRAME_RATE))
        told_other.append(other.update(other_frame, number / FRAME_RATE))

    assert_same(told, play(chosen, frames))
    assert_same(told_other, play(chosen, others))


@both
@every_scene
@given(frames=scenes(), layout=st.sampled_from(["strided", "backwards", "by columns"]), is_writeable=st.booleans())
def test_any_layout_of_the_input_will_do_and_it_stays_as_it_is(
    chosen: ByteTrackSettings, frames: list[Detections], layout: str, *, is_writeable: bool
) -> None:
    """Strided, reversed, Fortran-ordered or read-only arrays give the same, and nothing is written into them."""
    tables = [laid_out(frame, layout) for frame in frames]
    before = [table.copy() for table in tables]
    for table in tables:
        table.flags.writeable = is_writeable
    given_so = [Detections(table[:, :4], table[:, 4], table[:, 5].astype(np.int32)) for table in tables]

    assert_same(play(chosen, given_so), play(chosen, frames))
    for table, expected in zip(tables, before, strict=True):
        np.testing.assert_array_equal(table, expected)


def laid_out(frame: Detections, layout: str) -> Boxes:
    """(N, 6) x1 y1 x2 y2, score, class of a frame, in rows that are not one after the other in memory."""
    table = np.column_stack((frame.boxes, frame.scores, frame.class_ids))
    if layout == "strided":
        return np.repeat(np.repeat(table, 2, axis=0), 3, axis=1)[::2, ::3]
    return table[::-1].copy()[::-1] if layout == "backwards" else np.asfortranarray(table)
