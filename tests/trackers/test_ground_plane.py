"""From four points to any place on the ground."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from scenes.on_ground import FRAME_PX, Camera

from trackers.ground_plane import GroundPlane, GroundPoint

CAMERAS = [
    Camera(),
    Camera(height_m=1.1, down_deg=2.0, right_deg=70.0),
    Camera(height_m=9.0, down_deg=45.0, focal_px=700.0),
    Camera(height_m=3.0, down_deg=10.0, right_deg=-130.0, focal_px=1500.0),
]
GROUND = np.array([[-2.0, 0.0, 3.0, 1.0, -5.0], [6.0, 8.0, 12.0, 40.0, 15.0]])
SQUARE = (((0.1, 0.9), (0.0, 0.0)), ((0.9, 0.9), (6.0, 0.0)), ((0.7, 0.4), (6.0, 9.0)), ((0.3, 0.4), (0.0, 9.0)))
cameras = pytest.mark.parametrize("camera", CAMERAS, ids=str)


def plane(*points: Any, frame_px: tuple[int, int] = FRAME_PX) -> GroundPlane:
    return GroundPlane(tuple(GroundPoint(*point) for point in points), frame_px)


def seen_ground(camera: Camera) -> np.ndarray:
    """(2, 5) places in front of the camera, whichever way it looks."""
    turn = np.deg2rad(-camera.right_deg)
    return np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ GROUND


@cameras
def test_places_are_exact(camera: Camera) -> None:
    """What the camera sees of the ground is placed where it is."""
    ground = seen_ground(camera)
    placed = camera.plane().place(camera.seen(np.vstack((ground, np.zeros(5)))))

    np.testing.assert_allclose(placed.ground, ground, atol=1e-7)
    assert placed.is_seen.all()


@cameras
def test_jacobian_is_the_change_of_place(camera: Camera) -> None:
    """A little to the right and a little down, it says where the place goes."""
    pixels = camera.seen(np.vstack((seen_ground(camera), np.zeros(5))))
    step = 1e-3
    for axis, move in enumerate(np.eye(2)[:, :, None] * step):
        ahead, behind = camera.plane().place(pixels + move), camera.plane().place(pixels - move)
        change = (ahead.ground - behind.ground) / (2.0 * step)
        np.testing.assert_allclose(camera.plane().place(pixels).jacobian[:, axis], change, rtol=1e-4, atol=1e-6)


@cameras
def test_beyond_the_horizon_nothing_is_placed(camera: Camera) -> None:
    """The sky is flagged, with its distance to the horizon, and not put behind the camera."""
    horizon = FRAME_PX[1] / 2 - camera.focal_px * np.tan(np.deg2rad(camera.down_deg))
    placed = camera.plane().place(np.array([[100.0, 900.0, 640.0], [horizon - 300.0, horizon - 1.0, horizon + 30.0]]))

    assert placed.is_seen.tolist() == [False, False, True]
    np.testing.assert_allclose(placed.to_horizon_px, [-300.0, -1.0, 30.0], atol=1e-6)
    np.testing.assert_array_equal(placed.ground[:, :2], 0.0)
    np.testing.assert_array_equal(placed.jacobian[:, :, 0], np.eye(2))


def test_frames_of_another_size_show_the_same_ground() -> None:
    """Points are parts of the picture; half the pixels are half as far."""
    whole, half = Camera().plane(), Camera().plane(frame_px=(640, 360))
    pixels = np.array([[200.0, 700.0], [500.0, 400.0]])

    np.testing.assert_allclose(whole.place(pixels).ground, half.place(pixels / 2.0).ground, rtol=1e-9)


def test_more_points_even_their_errors_out() -> None:
    """Five points, each a little off, agree on a plane near all of them."""
    exact = Camera().plane()
    beside = [GroundPoint((u + 0.003, v - 0.003), ground) for (u, v), ground in exact.points]
    between = ((0.5, 0.5), tuple(exact.place(np.array([[640.0], [360.0]])).ground[:, 0].tolist()))
    even = plane(*beside, between)

    pixels = np.array([[640.0], [400.0]])
    assert np.abs(even.place(pixels).ground - exact.place(pixels).ground).max() < 0.3


def test_far_origins_do_no_harm() -> None:
    """Points may be in the coordinates of a whole country."""
    far = plane(*((image, (x + 512_345.0, y + 5_403_210.0)) for image, (x, y) in Camera().plane().points))
    pixels = np.array([[300.0], [500.0]])

    expected = Camera().plane().place(pixels).ground + np.array([[512_345.0], [5_403_210.0]])
    np.testing.assert_allclose(far.place(pixels).ground, expected, atol=1e-4)


def test_planes_of_equal_points_are_equal() -> None:
    """A plane is its points and its frames; it can be a key, and a copy of it works."""
    assert plane(*SQUARE) == plane(*SQUARE)
    assert hash(plane(*SQUARE)) == hash(plane(*SQUARE))
    assert dataclasses.replace(plane(*SQUARE), frame_px=(640, 480)) == plane(*SQUARE, frame_px=(640, 480))


@pytest.mark.parametrize(
    ("points", "tells"),
    [
        (SQUARE[:3], "expected 4 points or more, got 3"),
        ((), "expected 4 points or more, got 0"),
        ((*SQUARE[:3], ((1.3, 0.4), (0.0, 9.0))), r"image of point 4: expected parts of 0 to 1, got \(1.3, 0.4\)"),
        ((*SQUARE[:3], ((0.3, float("nan")), (0.0, 9.0))), "image of point 4"),
        ((*SQUARE[:3], ((0.3, 0.4), (0.0, float("inf")))), "ground of point 4: expected finite numbers"),
        ((*SQUARE[:3], ((0.1, 0.9), (0.0, 9.0))), "points 1 and 4 have the same image"),
        ((*SQUARE[:3], ((0.3, 0.4), (6.0, 9.0))), "points 3 and 4 have the same ground"),
        ((*SQUARE[:3], ((0.5, 0.9), (0.0, 9.0))), "points 1, 2, 4 lie on one line in image"),
        ((*SQUARE[:3], ((0.3, 0.4), (6.0, 4.0))), "points 2, 3, 4 lie on one line in ground"),
        ((*SQUARE[:3], ((0.8, 0.7), (0.0, 9.0))), "the horizon would run between the points"),
        ((SQUARE[0], SQUARE[1], (SQUARE[2][0], SQUARE[3][1]), (SQUARE[3][0], SQUARE[2][1])), "the horizon"),
        ((*SQUARE, ((0.5, 0.6), (3.0, 0.5))), r"point \d lies \d+% of the picture from where all together put it"),
    ],
)
def test_points_that_cannot_be_are_refused(points: Any, tells: str) -> None:
    """Each mistake in its own words."""
    with pytest.raises(ValueError, match=tells):
        plane(*points)


def test_frames_have_a_size() -> None:
    """No pixels, no plane."""
    with pytest.raises(ValueError, match="frame_px: expected a width and a height of 1 or more"):
        plane(*SQUARE, frame_px=(0, 720))
