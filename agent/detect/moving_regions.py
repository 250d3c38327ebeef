"""What moves in front of one camera's background, on a small grey picture.

The background is the mixture of Gaussians of Zivkovic, "Improved adaptive Gaussian mixture model for background
subtraction" (ICPR 2004), as OpenCV has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from agent.detect.letterbox import Fit, Float32Array, fit_frame
from agent.stream.frame import BgrArray

MaskArray = npt.NDArray[np.uint8]

# Learning rates of the background, per frame: from nothing, and once it is known.
LEARN_AT_ONCE = 1.0
SPECK = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


@dataclass(frozen=True)
class MotionLimits:
    """What counts as motion.

    Attributes:
        side_px: longer side of the small picture that is looked at.
        history: frames over which the background is learnt.
        background_share: share of its history that a pixel's background takes up; what stands still becomes part of
            it after ln(1 / background_share) of that history, some hundred frames.
        contrast: squared distance from the background, in variances, from which a pixel is foreground.
        score_threshold: the least score that counts.
        min_area: the least area of a box, as a fraction of the picture; also where scores are 0.5.
        gap: moving parts closer than this belong together, as a fraction of the longer side.
        global_change: from this share of foreground on it is the light or the camera that changed.
        warm_up: frames of a new background in which nothing is told.
        max_detections: a frame, at most; the largest stay.
    """

    side_px: int = 320
    history: int = 300
    background_share: float = 0.7
    contrast: float = 25.0
    score_threshold: float = 0.1
    min_area: float = 0.001
    gap: float = 0.02
    global_change: float = 0.6
    warm_up: int = 10
    max_detections: int = 100


class Regions(NamedTuple):
    """Moving regions, best score first: float32 (N, 4) boxes in frame pixels, and (N,) scores."""

    boxes: Float32Array
    scores: Float32Array


class Backdrop:
    """One camera's background; used by one thread.

    Attributes:
        frame_px: width and height of the camera's frames.
        small_px: width and height of the pictures `moving` takes.
    """

    def __init__(self, frame_px: tuple[int, int], limits: MotionLimits) -> None:
        self.frame_px = frame_px
        self._letterbox = fit_frame(frame_px, (min(limits.side_px, max(frame_px)),) * 2, Fit.LETTERBOX_TOP_LEFT)
        self.small_px = (self._letterbox.width_px, self._letterbox.height_px)
        self._limits = limits
        self._background = cv2.createBackgroundSubtractorMOG2(limits.history, limits.contrast, detectShadows=False)
        self._background.setBackgroundRatio(limits.background_share)
        reach = max(1, round(limits.gap * max(self.small_px)))
        self._joint = cv2.getStructuringElement(cv2.MORPH_RECT, (2 * reach + 1, 2 * reach + 1))
        self._seen = 0

    def moving(self, picture: BgrArray) -> Regions:
        """What moves in the next picture, uint8 (height, width, 3) of `small_px`, and learn it."""
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (5, 5), 0)
        self._seen += 1
        # While little is known each picture counts for as much as any before it.
        rate = 1.0 / min(self._seen, self._limits.history)
        mask: MaskArray = np.asarray(self._background.apply(grey, learningRate=rate), np.uint8)
        share = cv2.countNonZero(mask) / mask.size
        if self._seen > 1 and share >= self._limits.global_change:
            self._background.apply(grey, learningRate=LEARN_AT_ONCE)
            self._seen = 1
        if self._seen <= self._limits.warm_up:
            return self._regions(np.zeros_like(mask))
        return self._regions(np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, SPECK), np.uint8))

    def _regions(self, mask: MaskArray) -> Regions:
        """Boxes around what is foreground; parts near each other in one box."""
        joined = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._joint)
        count, places, stats, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
        # Row 0 is what stands still; a row is left, top, width, height, area.
        moving = np.bincount(np.asarray(places)[mask > 0], minlength=count)[1:]
        corners = np.asarray(stats, np.int64)[1:, :4]
        areas = corners[:, 2] * corners[:, 3]
        corners[:, 2:] += corners[:, :2]
        least = self._limits.min_area * mask.size
        scores = (moving / (moving + least)).astype(np.float32)
        good = (areas >= least) & (scores >= self._limits.score_threshold)
        largest = np.flatnonzero(good)[np.argsort(-areas[good], kind="stable")][: self._limits.max_detections]
        rows = largest[np.argsort(-scores[largest], kind="stable")]
        return Regions(self._letterbox.to_frame(corners[rows].astype(np.float32)), scores[rows])
