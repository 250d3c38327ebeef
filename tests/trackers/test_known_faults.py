"""What other trackers are known to get wrong, fault by fault; where another test holds it, the table says which."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import lap
import numpy as np
import numpy.typing as npt
import pytest
from scenes.playing import DEFAULT, go_on, play

from trackers import ByteTracker, ByteTrackSettings, Detections, Tracks

REPOSITORY = Path(__file__).resolve().parents[2]
# Fault, and the name of the test that holds ours free of it; anywhere in this folder, or in one of the others named.
FOLDERS = ("trackers", "agent/track", "architecture")
FAULTS = {
    "one counter of numbers for all trackers of the process": "every_tracker_counts_its_own_tracks",
    "every dead track is kept, memory grows": "memory_is_flat_over_twenty_thousand_tracks",
    "every dead track is kept, time grows": "work_is_flat_over_twenty_thousand_tracks",
    "boxes without height divide by zero": "what_is_no_box_stays_out_and_is_counted",
    "boxes that are not numbers spoil the others": "what_is_no_box_is_counted_and_changes_nothing",
    "input is changed in place": "any_layout_of_the_input_will_do_and_it_stays_as_it_is",
    "the caller's arrays are kept": "nothing_of_the_callers_is_changed_or_kept",
    "a frame without detections ages nothing": "frames_without_detections_age_tracks",
    "a frame without detections never arrives": "a_frame_without_detections_is_passed_on",
    "a score on the high threshold is lost": "a_score_on_the_high_threshold_finds_a_lost_track",
    "a score on the low threshold is lost": "a_score_on_the_low_threshold_continues_a_track",
    "a score on the threshold of new tracks is lost": "a_score_on_the_threshold_of_new_tracks_begins_one",
    "patience depends on the frame rate": "patience_is_in_seconds_and_a_detection_on_its_last_moment_is_in_time",
    "prediction takes every frame for one step": "dropped_frames_do_not_lose_what_moves",
    "low rates lose what moves": "the_default_gains_on_the_reference",
    "numbers skip": "numbers_have_no_gaps_by_default",
    "the first class stays for ever": "a_flickering_class_breaks_no_track_and_the_heavier_one_is_told",
    "a rider and his motorcycle swap numbers": "a_rider_and_his_motorcycle_do_not_swap",
    "a flickering class breaks the track": "a_class_that_flickers_breaks_no_moving_track",
    "lap and lapx overwrite each other; lap before 0.5 does not build": "the_solver_is_lap_and_nothing_overwrites_it",
    "NaN costs give a valid-looking assignment": "the_solver_sees_finite_square_matrices_only",
    "numpy is capped": "numpy_is_not_capped",
    "a package of our name": "nothing_locked_brings_our_names_or_a_second_opencv",
    "parked objects come back as new": "a_parked_car_is_the_same_after_detection_rested",
    "an import takes seconds": "importing_the_tracker_imports_numpy_and_lap_only",
}
BOTH = {"default": DEFAULT, "reference": ByteTrackSettings.reference(frame_rate=2.0)}
both = pytest.mark.parametrize("chosen", BOTH.values(), ids=BOTH.keys())


@pytest.mark.parametrize("name", FAULTS.values(), ids=FAULTS.keys())
def test_every_fault_has_its_test(name: str) -> None:
    """The table names tests that are there."""
    assert f"test_{name}" in known_tests(FOLDERS)


@cache
def known_tests(folders: tuple[str, ...]) -> frozenset[str]:
    """Names of all test functions in these folders."""
    files = [file for folder in folders for file in (REPOSITORY / "tests" / folder).rglob("test_*.py")]
    nodes = [node for file in files for node in ast.parse(file.read_text(encoding="utf-8")).body]
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef))


def standing(*places: tuple[float, float, int], score: float = 0.9) -> Detections:
    """Boxes of 40 x 80 px; each by its left and upper edge and class."""
    boxes = np.array([[left, top, left + 40.0, top + 80.0] for left, top, _ in places]).reshape(-1, 4)
    classes = np.array([class_id for _, _, class_id in places], np.int32)
    return Detections(boxes, np.full(len(places), score), classes)


def ids(told: Sequence[Tracks]) -> list[list[int]]:
    return [each.track_ids.tolist() for each in told]


@both
def test_every_tracker_counts_its_own_tracks(chosen: ByteTrackSettings) -> None:
    """A second camera begins at 1, whatever the first one has seen."""
    busy, other = ByteTracker(chosen), ByteTracker(chosen)
    go_on(busy, [standing((0, 0, 0), (300, 0, 0), (600, 0, 0))] * 3)

    assert ids(go_on(other, [standing((0, 0, 0))] * 2)) == [[1], [1]]
    assert ids(go_on(busy, [standing((0, 300, 0))] * 2, [0.3, 0.4]))[-1] == [4]


@both
def test_frames_without_detections_age_tracks(chosen: ByteTrackSettings) -> None:
    """Empty ones end a track as others do."""
    told = play(chosen, [*[standing((0, 0, 0))] * 2, *[Detections.empty()] * 30])

    assert [number for each in told for number in each.ended_ids.tolist()] == [1]


def test_dropped_frames_do_not_lose_what_moves() -> None:
    """Half a second without frames is half a second of way; a tracker that counts frames expects it elsewhere."""
    frames = [*range(15), *range(20, 30)]
    seen = [standing((12.0 * frame, 0, 0)) for frame in frames]
    times = [frame / 10 for frame in frames]

    assert ids(play(DEFAULT, seen, times)) == [[1]] * len(frames)
    assert ids(play(ByteTrackSettings(frame_rate=10.0), seen, times))[-1] == [2]


PERSON, MOTORCYCLE, CAR = 0, 3, 2


def test_a_rider_and_his_motorcycle_do_not_swap() -> None:
    """A bump while the rider is missed: the motorcycle's box lies nearer to the rider's last one, and stays his."""
    together = standing((0, 0, PERSON), (0, 16, MOTORCYCLE))
    frames = [*[together] * 5, standing((0, 6, MOTORCYCLE)), *[together] * 2]
    told, blind = (play(each, frames) for each in (DEFAULT, ByteTrackSettings(other_class_weight=1.0)))
    rider, motorcycle = told[0].track_ids.tolist()

    assert ids(told)[5] == [motorcycle]
    assert ids(blind)[5] == [rider]
    assert [dict(zip(ids([each])[0], each.class_ids.tolist(), strict=True)) for each in (told[0], told[-1])] == [
        {rider: PERSON, motorcycle: MOTORCYCLE}
    ] * 2


def test_a_class_that_flickers_breaks_no_moving_track() -> None:
    """One that moves, taken for another class in every second frame, low scores among them, is one track."""
    frames = [
        standing((8.0 * frame, 0, (PERSON, MOTORCYCLE)[frame % 2]), score=(0.9, 0.8, 0.7, 0.3)[frame % 4])
        for frame in range(40)
    ]

    assert ids(play(DEFAULT, frames)) == [[1]] * 40


@pytest.mark.parametrize("updates_after", [1, 20])
def test_a_parked_car_is_the_same_after_detection_rested(updates_after: int) -> None:
    """No updates while nothing moves: neither a rest within the patience nor a lost track before it makes it new."""
    parked = [standing((0, 0, CAR))]
    tracker = ByteTracker(ByteTrackSettings(lost_patience_s=120.0))
    go_on(tracker, parked * 3 + [Detections.empty()], [0.0, 0.1, 0.2, 0.3])

    for rest in range(1, 6):
        times = [100.0 * rest + 0.1 * update for update in range(updates_after)]
        assert ids(go_on(tracker, parked * updates_after, times)) == [[1]] * updates_after


@both
@pytest.mark.parametrize("people", [12, 60])
def test_the_solver_sees_finite_square_matrices_only(
    chosen: ByteTrackSettings, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no box, or no score, among people who cover each other does not reach lap."""
    seen: list[npt.NDArray[np.float64]] = []
    solve = lap.lapjv

    def watched(costs: npt.NDArray[np.float64], **options: bool) -> object:
        seen.append(costs.copy())
        assert "cost_limit" not in options
        return solve(costs, **options)

    monkeypatch.setattr(lap, "lapjv", watched)
    play(chosen, [spoilt(heap(people, np.random.default_rng(frame))) for frame in range(20)])

    assert seen
    assert all(np.isfinite(costs).all() and len(set(costs.shape)) == 1 for costs in seen)


def heap(people: int, random: np.random.Generator) -> Detections:
    """So many people on one spot."""
    corner = random.uniform(0.0, 60.0, (people, 2))
    boxes = np.hstack((corner, corner + 100.0))
    return Detections(boxes, random.uniform(0.3, 1.0, people), np.zeros(people, np.int32))


def spoilt(frame: Detections) -> Detections:
    """Some boxes and scores are not numbers."""
    boxes, scores = frame.boxes.copy(), frame.scores.copy()
    boxes[::10, 1], boxes[1::10, 2], scores[5::10] = np.nan, np.inf, np.nan
    return Detections(boxes, scores, frame.class_ids)


def test_importing_the_tracker_imports_numpy_and_lap_only() -> None:
    """No SciPy, torch, OpenCV or pandas comes along."""
    code = "import sys; before = set(sys.modules); import trackers; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    packages = {name.split(".")[0] for name in done.stdout.split()}

    foreign = {name for name in packages - set(sys.stdlib_module_names) if "cython" not in name}

    assert foreign == {"trackers", "numpy", "lap"}


LOCKS = sorted((REPOSITORY / "requirements").glob("*.lock"))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_the_solver_is_lap_and_nothing_overwrites_it(lock: Path) -> None:
    """The lapx package brings a module of the same name; lap before 0.5 builds on no current Python."""
    pins = dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))

    assert not {"lap", "lapx"} <= set(pins)
    assert [int(part) for part in pins.get("lap", "0.5").split(".")[:2]] >= [0, 5]


def test_numpy_is_not_capped() -> None:
    """The next NumPy can be installed beside the tracker."""
    (wanted,) = re.findall(r'"(numpy[^"]*)"', (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))

    assert "<" not in wanted
    assert "==" not in wanted
