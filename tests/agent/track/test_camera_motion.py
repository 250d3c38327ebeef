"""The estimator on real pictures that were moved by a known amount, and on those that tell nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from models.detecting import make_frame
from scenes.camera_paths import VIEW_PX, between, film, seen_from

from agent.detect.detected import DetectedFrame
from agent.telemetry.track import CameraMotionFinding
from agent.track.background_points import background_points
from agent.track.camera_motion import CameraMotionEstimator, Estimate
from trackers import Detections

Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
CORNERS = np.array([[0.0, 0.0], [640.0, 0.0], [0.0, 480.0], [640.0, 480.0]])


def pictures(clip: Path, count: int) -> Iterator[Pixels]:
    """The first frames of a clip."""
    with av.open(str(clip)) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number == count:
                return
            yield frame.to_ndarray(format="bgr24")


def detected(pixels: Pixels, boxes: npt.ArrayLike = ()) -> DetectedFrame:
    columns = np.asarray(boxes, np.float64).reshape(-1, 4)
    seen = Detections(columns, np.full(len(columns), 0.9), np.zeros(len(columns), np.int32))
    return DetectedFrame(make_frame(pixels), seen, ("person",))


def estimates(frames: list[DetectedFrame]) -> list[Estimate]:
    estimator = CameraMotionEstimator()
    return [estimator.estimate(frame) for frame in frames]


def off_px(estimate: Estimate, true: Matrix) -> float:
    """By how much the corner of the view is off that is off the most."""
    assert estimate.motion is not None, estimate.finding
    wrong = estimate.motion.matrix - true
    return float(np.abs(CORNERS @ wrong[:, :2].T + wrong[:, 2]).max())


@pytest.fixture(scope="module")
def street(assets: Path) -> list[Pixels]:
    """Two successive pictures of a still camera with people in them, 768 x 576."""
    return list(pictures(assets / "videos" / "vtest.avi", 2))


@pytest.mark.assets
@pytest.mark.parametrize(
    "now",
    [
        seen_from((9.0, 0.0)),
        seen_from((-25.5, 14.25)),
        seen_from((60.0, -30.0)),
        seen_from(degrees=2.0),
        seen_from(shown_px=456.0),
        seen_from(shown_px=520.0),
        seen_from((12.0, -8.0), 470.0, -3.0),
    ],
    ids=["a little", "fractions", "far", "turn", "zoom in", "zoom out", "all"],
)
def test_a_known_motion_is_found(street: list[Pixels], now: Matrix) -> None:
    """Within a pixel at every corner of the view, with people walking through it that nobody detected."""
    first, second = film(street[0], seen_from()), film(street[1], now)

    begun, moved = estimates([detected(first), detected(second)])

    assert (begun.finding, begun.motion) == (CameraMotionFinding.BEGUN, None)
    assert moved.finding is CameraMotionFinding.MOVED
    assert off_px(moved, between(seen_from(), now)) < 1.0


@pytest.mark.assets
@pytest.mark.parametrize("size", [(1920, 1080), (320, 240), (361, 640)])
def test_the_motion_is_in_pixels_of_the_frame(street: list[Pixels], size: tuple[int, int]) -> None:
    """Whatever its size; small pictures are not made smaller."""
    wide = [cv2.resize(pixels, (size[0] + 20, size[1] + 20)) for pixels in street]
    first, second = wide[0][10:-10, 10:-10], wide[1][6:-14, 16:-4]

    moved = estimates([detected(first), detected(second)])[-1]

    assert moved.motion is not None
    np.testing.assert_allclose(moved.motion.matrix, [[1, 0, -6], [0, 1, 4]], atol=0.25 * size[0] / 480 + 0.1)


@pytest.mark.assets
@pytest.mark.parametrize("clip", ["vtest.avi", "one-by-one-person-detection.mp4", "Traffic2_short.mp4"])
def test_a_still_camera_stands_still(assets: Path, clip: str) -> None:
    """Noise, compression, lorries and people that nobody detected move nothing."""
    found = estimates([detected(pixels) for pixels in pictures(assets / "videos" / clip, 60)])

    assert {each.finding for each in found[1:]} == {CameraMotionFinding.STILL}
    assert all(each.motion is None for each in found)


@pytest.mark.assets
def test_no_motion_is_made_of_a_scene_cut(assets: Path) -> None:
    """At each of the clip's five cuts the estimate is ignored."""
    clip = assets / "videos" / "bikes_scene_cuts.mp4"

    found = estimates([detected(pixels) for pixels in pictures(clip, 250)])

    assert {found[cut].finding for cut in (30, 76, 137, 187, 242)} == {CameraMotionFinding.IGNORED}
    assert sum(each.finding is CameraMotionFinding.IGNORED for each in found) < 40


@pytest.mark.parametrize("level", [0, 128, 255])
def test_pictures_without_texture_tell_nothing(level: int) -> None:
    """Night, fog, a covered lens: noise of a few grey levels is not taken for corners."""
    random = np.random.default_rng(level)
    noisy = [np.clip(random.normal(level, 2.0, (480, 640, 3)), 0, 255).astype(np.uint8) for _ in range(3)]

    found = estimates([detected(pixels) for pixels in noisy])

    assert [each.finding.value for each in found] == ["begun", "ignored", "ignored"]


@pytest.mark.assets
def test_what_moves_in_front_is_masked_out(street: list[Pixels]) -> None:
    """A lorry over more than half of the view does not count once it is detected; the camera's motion is found."""
    first, second = film(street[0], seen_from()), film(street[1], seen_from((9.0, 0.0)))
    lorry = np.repeat(np.random.default_rng(1).integers(0, 255, (30, 22), np.uint8).repeat(16, 0).repeat(16, 1), 3)
    lorry = lorry.reshape(480, 352, 3)
    first[:, 120:472], second[:, 150:502] = lorry, lorry

    masked = estimates([detected(first, [[120, 0, 472, 480]]), detected(second, [[150, 0, 502, 480]])])[-1]
    unmasked = estimates([detected(first), detected(second)])[-1]

    assert off_px(masked, between(seen_from(), seen_from((9.0, 0.0)))) < 1.5
    assert unmasked.motion is None or off_px(unmasked, between(seen_from(), seen_from((9.0, 0.0)))) > 10.0


@pytest.mark.assets
def test_objects_all_over_leave_nothing_to_go_by(street: list[Pixels]) -> None:
    """One that fills the view, boxes outside it, and boxes that are no boxes: ignored, and no error."""
    first, second = film(street[0], seen_from()), film(street[1], seen_from((9.0, 0.0)))
    odd = [[-50, -50, 700, 500], [math.nan] * 4, [900, 900, 950, 950], [30, 30, 20, 20], [-math.inf, 0, math.inf, 9]]

    assert estimates([detected(first, odd), detected(second, odd)])[-1].finding is CameraMotionFinding.IGNORED


@pytest.mark.assets
def test_a_leap_beyond_a_quarter_of_the_picture_is_not_believed(street: list[Pixels]) -> None:
    """Whatever the points say."""
    first, second = film(street[0], seen_from((-140.0, 0.0))), film(street[1], seen_from((140.0, 0.0)))

    assert estimates([detected(first), detected(second)])[-1].finding is CameraMotionFinding.IGNORED


@pytest.mark.assets
def test_another_size_begins_anew(street: list[Pixels]) -> None:
    """A stream that changes its size in the middle is compared with itself from then on."""
    small = cv2.resize(street[0], (384, 288))

    found = estimates([detected(street[0]), detected(small), detected(small), detected(street[0])])

    assert [each.finding.value for each in found] == ["begun", "begun", "still", "begun"]


@pytest.mark.assets
def test_a_forgotten_camera_begins_anew(street: list[Pixels]) -> None:
    """After an absence there is nothing to compare with."""
    estimator = CameraMotionEstimator()
    estimator.estimate(detected(street[0]))
    estimator.forget()

    assert estimator.estimate(detected(street[1])).finding is CameraMotionFinding.BEGUN


def test_a_tiny_picture_is_no_error() -> None:
    """It has no room for points."""
    tiny = np.random.default_rng(0).integers(0, 255, (9, 16, 3), np.uint8)

    assert [each.finding.value for each in estimates([detected(tiny)] * 2)] == ["begun", "ignored"]


@pytest.mark.assets
def test_the_same_pictures_give_the_same_motion(street: list[Pixels]) -> None:
    """RANSAC's chances are the same every time."""
    frames = [detected(film(street[0], seen_from())), detected(film(street[1], seen_from((9.0, 4.0), degrees=1.0)))]

    first, second = (estimates(frames)[-1].motion for _ in range(2))

    assert first is not None
    assert second is not None
    assert first.matrix.tolist() == second.matrix.tolist()


@pytest.mark.assets
def test_points_are_few_spread_and_outside_of_boxes(street: list[Pixels]) -> None:
    """One a cell of 32 x 32 at most, none in a box."""
    grey = cv2.cvtColor(street[0], cv2.COLOR_BGR2GRAY)
    points = background_points(grey, np.array([[100.0, 100.0, 400.0, 300.0]]))
    cells = {tuple(cell) for cell in (points // 32).astype(int).tolist()}

    assert 100 < len(points) == len(cells) <= (768 // 32) * (576 // 32)
    assert not ((points > (100, 100)) & (points < (400, 300))).all(axis=1).any()
    assert VIEW_PX[0] >= 480
