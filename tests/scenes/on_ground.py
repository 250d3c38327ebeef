"""A made-up camera above flat ground, and people who walk there: what a detector would see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trackers import Detections
from trackers.ground_plane import GroundPlane, GroundPoint

FRAME_PX = (1280, 720)
PERSON_M = (0.5, 1.7)
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Camera:
    """A pinhole: so high above the ground, looking so far down, turned so far to the right."""

    height_m: float = 4.0
    down_deg: float = 20.0
    right_deg: float = 0.0
    focal_px: float = 1000.0

    @property
    def matrix(self) -> Array:
        """(3, 4) from x, y on the ground and z above it, in metres, to homogeneous pixels."""
        down, right = np.deg2rad(self.down_deg), np.deg2rad(self.right_deg)
        across = np.array([np.cos(right), -np.sin(right), 0.0])
        ahead = np.array([np.sin(right) * np.cos(down), np.cos(right) * np.cos(down), -np.sin(down)])
        axes = np.stack((across, np.cross(ahead, across), ahead))
        outer = np.column_stack((axes, -axes @ np.array([0.0, 0.0, self.height_m])))
        inner = np.array([[self.focal_px, 0.0, FRAME_PX[0] / 2], [0.0, self.focal_px, FRAME_PX[1] / 2], [0, 0, 1.0]])
        product: Array = inner @ outer
        return product

    def seen(self, places: Array) -> Array:
        """(2, N) pixels of (3, N) places in front of it."""
        homogeneous = self.matrix @ np.vstack((places, np.ones(places.shape[1])))
        pixels: Array = homogeneous[:2] / homogeneous[2]
        return pixels

    def plane(self, unit: float = 1.0, frame_px: tuple[int, int] = FRAME_PX) -> GroundPlane:
        """What four points say of its ground, in units of which a metre has so many."""
        ground = np.array([[-3.0, 3.0, 4.0, -4.0], [9.0, 9.0, 20.0, 20.0]])
        turn = np.deg2rad(-self.right_deg)
        ground = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ ground
        parts = self.seen(np.vstack((ground, np.zeros(4)))) / np.array(FRAME_PX)[:, None]
        pairs = zip(parts.T.tolist(), (ground * unit).T.tolist(), strict=True)
        return GroundPlane(tuple(GroundPoint((u, v), (x, y)) for (u, v), (x, y) in pairs), frame_px)

    def person(self, x_m: float, y_m: float) -> list[float]:
        """x1 y1 x2 y2 of an upright person who stands there."""
        (u, _), (top, bottom) = self.seen(np.array([[x_m, x_m], [y_m, y_m], [PERSON_M[1], 0.0]]))
        half = 0.5 * (bottom - top) * PERSON_M[0] / PERSON_M[1]
        return [u - half, top, u + half, bottom]


@dataclass(frozen=True)
class Walker:
    """Where somebody is at time 0, in metres, and how they go, in metres a second."""

    at: tuple[float, float]
    pace: tuple[float, float]

    def place(self, at_s: float) -> tuple[float, float]:
        """Where they are then."""
        return self.at[0] + self.pace[0] * at_s, self.at[1] + self.pace[1] * at_s


def watched(camera: Camera, walkers: Sequence[Walker], times: Sequence[float], seed: int = 1) -> list[Detections]:
    """A frame for each time, walkers in order; boxes are off by two hundredths of their height."""
    random = np.random.default_rng(seed)
    frames = []
    for at_s in times:
        boxes = np.array([camera.person(*walker.place(at_s)) for walker in walkers]).reshape(-1, 4)
        height = boxes[:, 3] - boxes[:, 1]
        boxes += random.normal(0.0, 0.02, boxes.shape) * height[:, None]
        frames.append(Detections(boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes), np.int32)))
    return frames
