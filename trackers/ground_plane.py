"""Where on the ground a point of the picture is, from four points or more whose places are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FEWEST_POINTS: Final = 4
# Points whose spread across is less than this part of their spread along are as good as on one line.
THINNEST: Final = 0.01
# Of more than four points, so far each may lie from where all put it, as part of the extent of them all.
LARGEST_MISFIT: Final = 0.05


class Placed(NamedTuple):
    """Points of the picture on the ground.

    Attributes:
        ground: (2, N) float64; x and y in ground units; 0 where not seen.
        jacobian: (2, 2, N) float64; ground units that a pixel right and a pixel down are; identity where not seen.
        to_horizon_px: (N,) float64; how far the point lies from the horizon, on the ground's side; below 0 beyond it.
        is_seen: (N,) bool; the point lies on the ground's side of the horizon.
    """

    ground: Float64Array
    jacobian: Float64Array
    to_horizon_px: Float64Array
    is_seen: BoolArray


class GroundPoint(NamedTuple):
    """A point that is known in the picture and on the ground.

    Attributes:
        image: x and y as parts of the picture's width and height, 0 to 1, from its top left corner.
        ground: x and y on the ground, in metres or any other unit, from any origin, in any direction.
    """

    image: tuple[float, float]
    ground: tuple[float, float]


@dataclass(frozen=True)
class GroundPlane:
    """The flat ground as a camera that stands still sees it; checked when built.

    The homography is found by the normalised direct linear transformation (Hartley and Zisserman, "Multiple View
    Geometry in Computer Vision", 2nd edition 2004, algorithm 4.2). A lens that bends straight lines is not made up for.

    What it gains a tracker, as the mean of four still cameras (`tests/bench/ground_plane.py`; the constants were chosen
    on the same four), HOTA / IDF1 without and with it: at all frames 59.1 / 70.6 and 62.5 / 75.2, at a third of
    them 60.8 / 72.8 and 63.3 / 76.0, at a sixth 53.8 / 64.4 and 58.4 / 68.9. Both rose on each of them at each rate,
    by 0.8 to 9.2. Switches rose from 31 to 52 where much more was followed than before (1.7 frames a second), and from
    19 to 29 with a camera 1.1 m up, before which many feet are hidden. Points a hundredth of the picture beside their
    places cost nothing; three hundredths can turn that low camera's gain into a loss of 4.
    What it costs: an update of 10, 50, 200 and 1000 objects takes 0.65, 0.8, 1.3 and 5.2 ms, without it 0.1, 0.4,
    0.6 and 1.7 ms in the same run.

    Attributes:
        points: four or more, no three of four on one line; the farther apart, the better.
        frame_px: width and height of the frames whose pixels are to be placed.

    Raises:
        ValueError: fewer than four points, a number that is not finite or out of bounds, a point twice, points
            on one line, points that do not fit each other.
    """

    points: tuple[GroundPoint, ...]
    frame_px: tuple[int, int]

    def __post_init__(self) -> None:
        points = tuple(GroundPoint((float(u), float(v)), (float(x), float(y))) for (u, v), (x, y) in self.points)
        object.__setattr__(self, "points", points)
        _check_numbers(points, self.frame_px)
        image = np.array([point.image for point in points]).T
        ground = np.array([point.ground for point in points]).T
        for what, places in (("image", image), ("ground", ground)):
            _check_spread(what, places)
        matrix = _homography(image, ground)
        _check_fit(matrix, image, ground)
        object.__setattr__(self, "_matrix", matrix / np.array([*self.frame_px, 1.0]))

    def place(self, image_px: Float64Array) -> Placed:
        """Put points of the picture, such as feet, on the ground.

        Args:
            image_px: (2, N) float64; x and y in frame pixels.
        """
        matrix: Float64Array = self._matrix  # type: ignore[attr-defined]  # derived, so it is no field
        mapped = matrix[:, :2] @ image_px + matrix[:, 2:]
        depth, slope = mapped[2], matrix[2, :2]
        is_seen: BoolArray = depth > 0.0
        divisor = np.where(is_seen, depth, 1.0)
        ground = np.where(is_seen, mapped[:2] / divisor, 0.0)
        jacobian = (matrix[:2, :2, None] - ground[:, None] * slope[None, :, None]) / divisor
        jacobian = np.where(is_seen, jacobian, np.eye(2)[:, :, None])
        return Placed(ground, jacobian, depth / max(float(np.hypot(*slope)), np.finfo(np.float64).tiny), is_seen)


def _check_numbers(points: Sequence[GroundPoint], frame_px: tuple[int, int]) -> None:
    if len(points) < FEWEST_POINTS:
        raise ValueError(f"expected {FEWEST_POINTS} points or more, got {len(points)}")
    if min(frame_px) < 1:
        raise ValueError(f"frame_px: expected a width and a height of 1 or more, got {frame_px}")
    for number, point in enumerate(points, 1):
        if not all(0.0 <= part <= 1.0 for part in point.image):
            raise ValueError(f"image of point {number}: expected parts of 0 to 1, got {point.image}")
        if not np.isfinite(point.ground).all():
            raise ValueError(f"ground of point {number}: expected finite numbers, got {point.ground}")
    for (number, one), (other_number, other) in combinations(enumerate(points, 1), 2):
        for what, is_same in (("image", one.image == other.image), ("ground", one.ground == other.ground)):
            if is_same:
                raise ValueError(f"points {number} and {other_number} have the same {what}")


def _check_spread(what: str, places: Float64Array) -> None:
    """With all points, or all but one, on one line there is no knowing what lies beside it."""
    count = places.shape[1]
    for left_out in range(count):
        others = np.delete(places, left_out, axis=1)
        along, across = np.linalg.svd(others - others.mean(axis=1, keepdims=True), compute_uv=False)
        if across <= THINNEST * along:
            numbers = ", ".join(str(number + 1) for number in range(count) if number != left_out)
            raise ValueError(f"points {numbers} lie on one line in {what}; take points farther apart")


def _check_fit(matrix: Float64Array, image: Float64Array, ground: Float64Array) -> None:
    """The points must be on one side of the horizon, and each where the others say."""
    if not (matrix[2, :2] @ image + matrix[2, 2] > 0.0).all():
        raise ValueError("the horizon would run between the points; does each image belong to its ground?")
    back = np.linalg.solve(matrix, np.vstack((ground, np.ones(ground.shape[1]))))
    misfit = np.hypot(*(back[:2] / back[2] - image))
    worst = int(misfit.argmax())
    if misfit[worst] > LARGEST_MISFIT * np.hypot(*np.ptp(image, axis=1)):
        raise ValueError(
            f"point {worst + 1} lies {misfit[worst]:.0%} of the picture from where all together put it; "
            "does each image belong to its ground?"
        )


def _homography(image: Float64Array, ground: Float64Array) -> Float64Array:
    """(3, 3) from image to ground, positive on the points' side of the horizon."""
    to_even, from_even = _evening(image), np.linalg.inv(_evening(ground))
    u, v = to_even[:2, :2] @ image + to_even[:2, 2:]
    x, y = _evening(ground)[:2, :2] @ ground + _evening(ground)[:2, 2:]
    one, none = np.ones_like(u), np.zeros_like(u)
    equations = np.concatenate((
        np.stack((u, v, one, none, none, none, -x * u, -x * v, -x), axis=1),
        np.stack((none, none, none, u, v, one, -y * u, -y * v, -y), axis=1),
    ))  # fmt: skip
    even = np.linalg.svd(equations)[2][-1].reshape(3, 3)
    matrix: Float64Array = from_even @ even @ to_even
    matrix *= np.sign(matrix[2, :2] @ image[:, 0] + matrix[2, 2])
    return matrix


def _evening(places: Float64Array) -> Float64Array:
    """(3, 3) that brings the points around the origin, on average sqrt(2) from it."""
    centre = places.mean(axis=1)
    scale = np.sqrt(2.0) / np.hypot(*(places - centre[:, None])).mean()
    return np.array([[scale, 0.0, -scale * centre[0]], [0.0, scale, -scale * centre[1]], [0.0, 0.0, 1.0]])
