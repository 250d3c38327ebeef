"""A moving camera made of a still one: a window that turns, zooms and shakes over its picture."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]
Path = Callable[[float], Matrix]

VIEW_PX = (640, 480)
# Of a picture of 768 x 576: its middle, and how much of its width the window shows.
MIDDLE = (384.0, 288.0)
SHOWN_PX = 480.0


def seen_from(shift: tuple[float, float] = (0.0, 0.0), shown_px: float = SHOWN_PX, degrees: float = 0.0) -> Matrix:
    """(2, 3) from the still picture to the view: how far the window is off the middle, its width, its turn."""
    zoom, angle = VIEW_PX[0] / shown_px, math.radians(degrees)
    cosine, sine = zoom * math.cos(angle), zoom * math.sin(angle)
    linear = np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array([MIDDLE[0] + shift[0], MIDDLE[1] + shift[1]])
    return np.column_stack((linear, 0.5 * np.array(VIEW_PX) - linear @ centre))


def still(_at_s: float) -> Matrix:
    """No motion."""
    return seen_from()


def pan(at_s: float) -> Matrix:
    """To and fro, 60 pixels of the still picture a second (a sixth of the view in two), turning at once."""
    way = 60.0 * at_s % 480.0
    return seen_from((120.0 - abs(way - 240.0), 0.0))


def sway(at_s: float) -> Matrix:
    """A pole in wind: about a dozen pixels of the view and a degree, at 0.7 to 2.3 Hz."""
    x = 6.0 * math.sin(4.5 * at_s) + 4.0 * math.sin(14.3 * at_s + 1.0)
    y = 3.0 * math.sin(7.1 * at_s + 2.0) + 2.0 * math.sin(11.9 * at_s)
    return seen_from((x, y), degrees=0.6 * math.sin(5.3 * at_s) + 0.4 * math.sin(13.1 * at_s))


def zoom(at_s: float) -> Matrix:
    """In and out by a factor of 1.6 in ten seconds."""
    return seen_from(shown_px=480.0 * 1.27 ** math.sin(2.0 * math.pi * at_s / 10.0))


def presets(at_s: float) -> Matrix:
    """A patrol: four seconds at a place, then half a second to the next, 400 pixels of the still picture a second."""
    places = ((-130.0, -60.0), (70.0, -60.0), (130.0, 80.0), (-70.0, 60.0))
    number, since_s = divmod(at_s, 4.5)
    here, there = (np.array(places[(int(number) + step) % 4]) for step in (0, 1))
    x, y = here + (there - here) * min(1.0, max(0.0, (since_s - 4.0) / 0.5))
    return seen_from((float(x), float(y)))


def ride(at_s: float) -> Matrix:
    """On a vehicle: the pan and twice the sway together."""
    x, y = pan(at_s)[:, 2] - still(at_s)[:, 2]
    swaying = sway(at_s)
    swaying[:, 2] += (swaying - still(at_s))[:, 2] + np.array([x, y])
    return swaying


PATHS: dict[str, Path] = {
    "still": still, "pan": pan, "sway": sway, "zoom": zoom, "presets": presets, "ride": ride,
}  # fmt: skip


def film(pixels: Pixels, matrix: Matrix) -> Pixels:
    """What the moving camera sees of a picture: uint8 (480, 640, ...)."""
    # Pixel centres lie at whole numbers for OpenCV, and at halves in frame pixels.
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return np.asarray(cv2.warpAffine(pixels, centred, VIEW_PX, flags=cv2.INTER_AREA), dtype=np.uint8)


def carried(boxes: Matrix, matrix: Matrix) -> Matrix:
    """(N, 4) x1 y1 x2 y2 in the view: centres moved, sizes zoomed, upright as before."""
    centres = (boxes[:, :2] + boxes[:, 2:]) @ (0.5 * matrix[:, :2].T) + matrix[:, 2]
    half = 0.5 * (boxes[:, 2:] - boxes[:, :2]) * math.sqrt(np.linalg.det(matrix[:, :2]))
    return np.concatenate((centres - half, centres + half), axis=1)


def between(before: Matrix, now: Matrix) -> Matrix:
    """(2, 3) from one view to another: the motion of the camera."""
    linear = now[:, :2] @ np.linalg.inv(before[:, :2])
    return np.column_stack((linear, now[:, 2] - linear @ before[:, 2]))
