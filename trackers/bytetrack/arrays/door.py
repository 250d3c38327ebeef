"""Where detections come in: what cannot be a box stays out, the rest is laid out for the tracker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trackers.boxes import Float64Array, to_centred
from trackers.bytetrack.settings import ByteTrackSettings, Edge
from trackers.detections import Detections, FloatArray

BoolArray = npt.NDArray[np.bool_]
FARTHEST_PX = 1e9  # areas and variances of what lies nearer stay finite
THINNEST_PX = 1e-6


@dataclass(frozen=True, eq=False)
class Observed:
    """The detections of one frame that are boxes; all arrays along N.

    Attributes:
        corners: (4, N) float64; x1 y1 x2 y2.
        centred: (4, N) float64; centre x, centre y, aspect, height.
        scores: (N,) float64.
        class_ids: (N,) int32.
        is_high: (N,) bool; for the first association.
        is_low: (N,) bool; for the second.
        is_strong: (N,) bool; may begin a track.
        refused: how many detections stayed out.
    """

    corners: Float64Array
    centred: Float64Array
    scores: Float64Array
    class_ids: npt.NDArray[Any]
    is_high: BoolArray
    is_low: BoolArray
    is_strong: BoolArray
    refused: int


def admit(detections: Detections, settings: ByteTrackSettings) -> Observed:
    """Lay out the usable detections; nothing of the caller's is changed or kept.

    Refused: a coordinate or score that is not finite, a coordinate beyond 1e9 px, a box without width or height
    (1e-6 px at least), corners the wrong way round.
    """
    corners = np.array(detections.boxes.T, dtype=np.float64, order="C")
    given, class_ids = detections.scores, detections.class_ids
    sound = _sound(corners) & np.isfinite(given)
    refused = len(given) - int(np.count_nonzero(sound))
    if refused:
        corners, given, class_ids = corners[:, sound], given[sound], class_ids[sound]
    # Thresholds are met in the precision the scores were given in: a float32 0.7 is not below 0.7.
    is_high = _reaches(given, settings.high_threshold, settings.edge)
    return Observed(
        corners=corners,
        centred=to_centred(corners),
        scores=given.astype(np.float64),
        class_ids=class_ids,
        is_high=is_high,
        is_low=_reaches(given, settings.low_threshold, settings.edge) & (given < settings.high_threshold),
        is_strong=is_high & (given >= settings.new_track_threshold),
        refused=refused,
    )


def _sound(corners: Float64Array) -> BoolArray:
    # Comparisons with NaN are false, so these two refuse it as well.
    sound: BoolArray = np.abs(corners) <= FARTHEST_PX
    with np.errstate(invalid="ignore", over="ignore"):
        sound[2:] &= corners[2:] - corners[:2] >= THINNEST_PX
    all_sound: BoolArray = np.logical_and.reduce(sound, axis=0)
    return all_sound


def _reaches(scores: FloatArray, threshold: float, edge: Edge) -> BoolArray:
    return scores >= threshold if edge is Edge.INCLUDED else scores > threshold
