"""The motion detector sees that something moves, and is quiet otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from models.detecting import make_frame, make_teller

from agent.detect.motion import LABEL, MotionDetector
from agent.detect.moving_regions import MotionLimits
from agent.stream.frame import Frame
from agent.telemetry.detect import DetectHappenings
from trackers import Detections

WIDTH, HEIGHT = 640, 360


@pytest.fixture
def detector() -> Iterator[MotionDetector]:
    """With the usual limits."""
    detector = MotionDetector(MotionLimits(), DetectHappenings(make_teller()))
    yield detector
    detector.close()


def scene(
    number: int, *boxes: tuple[int, int, int, int], light: int = 0, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Frame:
    """Noisy ground with dark boxes on it."""
    random = np.random.default_rng(number)
    pixels: npt.NDArray[np.int64] = 120 + light + random.integers(-4, 5, (size[1], size[0], 3))
    for x1, y1, x2, y2 in boxes:
        pixels[y1:y2, x1:x2] -= 80
    return make_frame(pixels.clip(0, 255).astype(np.uint8), sequence=number)


def learn(detector: MotionDetector, count: int = 30) -> None:
    """Show an empty scene for a while."""
    for number in range(count):
        assert len(detect(detector, scene(number))) == 0


def detect(detector: MotionDetector, frame: Frame) -> Detections:
    """What moves in one frame."""
    return detector.detect([frame])[0]


def test_it_says_what_it_is(detector: MotionDetector) -> None:
    """There is one label, and it names no object."""
    assert detector.labels == (LABEL,) == ("motion",)


def test_moving_things_are_found(detector: MotionDetector) -> None:
    """Each gets a box where it is, with a high score for something large."""
    learn(detector)

    for step in range(5):
        x = 100 + 10 * step
        found = detect(detector, scene(100 + step, (x, 50, x + 60, 170), (500 - x, 220, 560 - x, 300)))

        boxes = sorted(found.boxes.tolist())
        expected = sorted([[x, 50, x + 60, 170], [500 - x, 220, 560 - x, 300]])
        np.testing.assert_allclose(boxes, expected, atol=10)
        assert (found.scores > 0.7).all()


def test_parts_near_each_other_are_one(detector: MotionDetector) -> None:
    """A gap of a few pixels does not split a thing; one of a fifth of the picture does."""
    learn(detector)

    near = detect(detector, scene(100, (200, 100, 260, 140), (200, 146, 260, 200)))
    far = detect(detector, scene(101, (200, 20, 260, 80), (200, 160, 260, 220)))

    assert (len(near), len(far)) == (1, 2)


def test_specks_are_nothing(detector: MotionDetector) -> None:
    """What is smaller than the least area is not told."""
    learn(detector)

    assert len(detect(detector, scene(100, (300, 200, 306, 206)))) == 0


def test_the_first_frames_tell_nothing(detector: MotionDetector) -> None:
    """Without a background nothing can be said to move."""
    for number in range(MotionLimits().warm_up):
        x = 100 + 20 * number

        assert len(detect(detector, scene(number, (x, 50, x + 60, 170)))) == 0


def test_a_change_of_light_is_learnt_anew(detector: MotionDetector) -> None:
    """A lamp switched on is no motion, neither at once nor later; what moves then is seen."""
    learn(detector)

    after = [detect(detector, scene(100 + step, light=70)) for step in range(30)]
    found = detect(detector, scene(200, (200, 100, 260, 220), light=70))

    assert sum(map(len, after)) == 0
    assert len(found) == 1


def test_what_stays_becomes_background(detector: MotionDetector) -> None:
    """A parked car is told for a while, and then no more."""
    learn(detector, 60)

    counts = [len(detect(detector, scene(100 + step, (200, 100, 300, 180)))) for step in range(200)]

    assert counts[:20] == [1] * 20
    assert counts[-10:] == [0] * 10


def test_each_camera_has_its_own_background(detector: MotionDetector) -> None:
    """Frames of another camera, or of another size, do not disturb."""
    learn(detector)
    other = make_frame(np.zeros((HEIGHT, WIDTH, 3), np.uint8), camera_id="yard")

    nothing, moving = detector.detect([other, scene(100, (200, 100, 260, 220))])

    assert (len(nothing), len(moving)) == (0, 1)


def test_a_camera_that_changes_its_size_starts_anew(detector: MotionDetector) -> None:
    """Nothing is told until the new size is known."""
    learn(detector)

    assert len(detect(detector, scene(100, (20, 20, 90, 90), size=(320, 180)))) == 0


def test_a_camera_that_is_forgotten_is_learnt_anew(detector: MotionDetector) -> None:
    """What moves there is not told before the background is known again."""
    learn(detector)
    assert len(detect(detector, scene(31, (100, 100, 180, 180)))) == 1
    detector.forget("gate")
    detector.forget("nobody")

    assert len(detect(detector, scene(32, (100, 100, 180, 180)))) == 0
