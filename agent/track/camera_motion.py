"""How a camera itself moved between two of its frames, seen from the background."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from agent.detect.detected import DetectedFrame
from agent.stream.frame import GreyArray
from agent.telemetry.track import CameraMotionFinding
from agent.track.background_points import PointArray, background_points
from trackers import CameraMotion

Matrix = npt.NDArray[np.float64]

LONGEST_PX = 480
# So far points are found that went a sixth of the picture; with three levels, a tenth.
WINDOW_PX: Final = (21, 21)
LEVELS = 4
STEPS: Final = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 15, 0.02)
FEWEST_AGREEING = 12
LEAST_SHARE_AGREEING = 0.5
AGREES_PX = 1.5
MOST_TRIALS = 500
# A picture whose corners went less far than that stands still: an estimate's own noise is not fed to the tracks.
STILL_PX = 0.5
# So much of the background stands still by chance only when nothing has moved: lorries may fill the rest.
LEAST_SHARE_STILL = 1 / 3
FARTHEST_SHARE = 0.25  # of the longest side: beyond what can be found, and short of any zoom that is none


class Estimate(NamedTuple):
    """What was found between the frame before and this one.

    Attributes:
        finding: what became of the estimate.
        motion: in frame pixels; None unless the camera moved.
    """

    finding: CameraMotionFinding
    motion: CameraMotion | None


class _View(NamedTuple):
    """What is kept of a frame until the next one comes."""

    frame_px: tuple[int, int]
    grey: GreyArray
    points: PointArray


class CameraMotionEstimator:
    """Follows the background of one camera from frame to frame; one thread uses it.

    Each call compares with the frame of the call before, so frames dropped in between do no harm. On a grey picture of
    at most 480 pixels a side, the best corner of each cell outside the detections (225 at most) is followed by sparse
    pyramidal Lucas-Kanade (Bouguet, 2001); shift, turn and zoom are fitted with RANSAC (Fischler and Bolles, 1981).
    An estimate on which fewer than 12 points or half of them agree is ignored, and so is a leap of a quarter of the
    picture: tracks then stay where they are. So is motion of less than half a grey pixel: the filter follows that.

    Cost, bounded by the size of the grey picture: about three times decoding a 768 x 576 H.264 frame (3.2 to 1.2 ms of
    processor time), sixty times the tracker's update; each update that is told a motion costs 0.2 ms more.

    Gain, IDF1 without and with it (and switches), of PETS09-S2L1 filmed by a moving window, 640 x 480, YOLOX-nano:

    | camera         | 10 frames a second       | 5 frames a second        |
    |----------------|--------------------------|--------------------------|
    | still          | 60.1 -> 60.1 (35 -> 35)  | 58.6 -> 58.6 (24 -> 24)  |
    | slow pan       | 54.6 -> 57.3 (51 -> 44)  | 36.1 -> 52.1 (66 -> 37)  |
    | pole in wind   | 50.6 -> 58.9 (45 -> 36)  | 48.2 -> 56.9 (65 -> 30)  |
    | slow zoom      | 53.9 -> 53.9 (42 -> 37)  | 54.9 -> 55.4 (34 -> 35)  |
    | leaps of a PTZ | 39.6 -> 57.2 (87 -> 38)  | 28.5 -> 53.1 (94 -> 41)  |
    | vehicle        | 29.6 -> 49.0 (212 -> 51) | 18.6 -> 52.9 (279 -> 38) |

    With the true motion in place of the estimate IDF1 is up to 2.4 higher; `tests/bench/camera_motion.py` measures it.
    """

    def __init__(self) -> None:
        self._before: _View | None = None

    def estimate(self, detected: DetectedFrame) -> Estimate:
        """How the picture moved since the frame before; detections are taken as what moves by itself."""
        view = _view(detected)
        before, self._before = self._before, view
        if before is None or before.frame_px != view.frame_px:
            return Estimate(CameraMotionFinding.BEGUN, None)
        origins, found = _followed(before, view.grey)
        if len(origins) < FEWEST_AGREEING:
            return Estimate(CameraMotionFinding.IGNORED, None)
        if np.mean(np.hypot(*(found - origins).T) < STILL_PX) >= LEAST_SHARE_STILL:
            return Estimate(CameraMotionFinding.STILL, None)
        return _judged(_fitted(origins, found), view)

    def forget(self) -> None:
        """The next frame is the first one."""
        self._before = None


def _view(detected: DetectedFrame) -> _View:
    frame_px = (detected.frame.info.width_px, detected.frame.info.height_px)
    shrink = min(1.0, LONGEST_PX / max(frame_px))
    width_px, height_px = (max(1, round(side * shrink)) for side in frame_px)
    grey = detected.frame.picture.grey(width_px, height_px)
    boxes = detected.detections.boxes.astype(np.float64)
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    return _View(frame_px, grey, background_points(grey, boxes * np.tile(_shrink(frame_px, grey), 2)))


def _followed(before: _View, grey: GreyArray) -> tuple[PointArray, PointArray]:
    """The points of the frame before that are found again, (K, 2) each: where they were and where they are."""
    if not len(before.points):
        return before.points, before.points
    found, is_found, _ = cv2.calcOpticalFlowPyrLK(
        before.grey, grey, before.points, np.empty(0, np.float32), winSize=WINDOW_PX, maxLevel=LEVELS, criteria=STEPS
    )
    followed = is_found.ravel() > 0
    return before.points[followed], np.asarray(found, dtype=np.float32)[followed]


def _fitted(origins: PointArray, found: PointArray) -> Matrix | None:
    """(2, 3) in pixel centres of the grey pictures, unless too few points agree on it."""
    matrix, agrees = cv2.estimateAffinePartial2D(origins, found, ransacReprojThreshold=AGREES_PX, maxIters=MOST_TRIALS)
    # Where it fails, the matrix is None and no point agrees.
    if np.count_nonzero(agrees) < max(FEWEST_AGREEING, LEAST_SHARE_AGREEING * len(origins)):
        return None
    return np.asarray(matrix, dtype=np.float64)


def _judged(matrix: Matrix | None, view: _View) -> Estimate:
    farthest_px = np.inf if matrix is None else _farthest_px(matrix, view.grey)
    if matrix is None or farthest_px > FARTHEST_SHARE * max(view.grey.shape):
        return Estimate(CameraMotionFinding.IGNORED, None)
    if farthest_px < STILL_PX:
        return Estimate(CameraMotionFinding.STILL, None)
    return Estimate(CameraMotionFinding.MOVED, CameraMotion(_in_frame_px(matrix, view)))


def _farthest_px(matrix: Matrix, grey: GreyArray) -> float:
    """How far the corner of the picture went that went farthest."""
    height_px, width_px = grey.shape
    corners = np.array([[0, width_px, 0, width_px], [0, 0, height_px, height_px]], dtype=np.float64)
    gone = matrix[:, :2] @ corners + matrix[:, 2:] - corners
    return float(np.hypot(gone[0], gone[1]).max())


def _in_frame_px(matrix: Matrix, view: _View) -> Matrix:
    """From pixel centres of the grey picture to frame pixels, in which a pixel reaches from 0 to 1."""
    linear = matrix[:, :2]
    shift = matrix[:, 2] + 0.5 - linear @ np.array([0.5, 0.5])
    grow = 1.0 / _shrink(view.frame_px, view.grey)
    return np.column_stack((linear * grow[:, None] / grow, shift * grow))


def _shrink(frame_px: tuple[int, int], grey: GreyArray) -> npt.NDArray[np.float64]:
    """(2,) pixels of the grey picture for one of the frame, in x and y."""
    return np.array([grey.shape[1] / frame_px[0], grey.shape[0] / frame_px[1]])
