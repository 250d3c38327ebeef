"""Rules about the known points of a camera's ground."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent.settings.broken_rule import BrokenRule
from agent.settings.mistake import KeyPath
from agent.settings.models.choices import CameraMotionPolicy

if TYPE_CHECKING:
    from agent.settings.models.camera import CameraSettings

ANY_FRAME_PX = (1000, 1000)  # the points are parts of the picture; whether they fit does not hang on its size


def broken_ground_rules(at: KeyPath, camera: CameraSettings) -> Iterator[BrokenRule]:
    """The points must fit each other, and the camera must stand still."""
    if camera.ground_points is None:
        return
    from trackers.ground_plane import GroundPlane, GroundPoint  # noqa: PLC0415 - NumPy is slow to import

    key = (*at, "ground_points")
    try:
        GroundPlane(tuple(GroundPoint(point.image, point.ground) for point in camera.ground_points), ANY_FRAME_PX)
    except ValueError as error:
        allowed = "points of flat ground, far apart, none twice, no three of four on one line"
        yield BrokenRule(key, str(error), allowed)
    if camera.camera_motion is CameraMotionPolicy.COMPENSATE:
        yield BrokenRule(
            key,
            "points of the ground, and camera_motion is compensate",
            "this key only for a camera that stands still",
            "take one of the two out",
            also=((*at, "camera_motion"),),
        )
