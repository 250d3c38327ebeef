"""Boxes, ids and labels drawn into a picture."""

from __future__ import annotations

import cv2

from agent.stream.frame import BgrArray
from trackers import Detections, Tracks

FONT = cv2.FONT_HERSHEY_SIMPLEX
WHITE = (255, 255, 255)
# Hues a person tells apart side by side (after Kelly, "Twenty-two colors of maximum contrast", 1965), as BGR.
PALETTE = (
    (0, 179, 255), (117, 62, 128), (0, 104, 255), (215, 189, 166), (32, 0, 193), (98, 162, 206), (102, 112, 129),
    (52, 125, 0), (142, 118, 246), (138, 83, 0), (92, 122, 255), (122, 55, 83), (0, 142, 255), (81, 40, 179),
)  # fmt: skip


def draw_tracks(picture: BgrArray, tracks: Tracks, labels: tuple[str, ...]) -> None:
    """Draw every track's box with id, label and score into the picture itself."""
    scale, thickness = _text_size(picture)
    for box, score, class_id, track_id in zip(
        tracks.boxes, tracks.scores, tracks.class_ids, tracks.track_ids, strict=True
    ):
        color = PALETTE[int(track_id) % len(PALETTE)]
        x1, y1, x2, y2 = (round(float(edge)) for edge in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), color, 2 * thickness)
        _tag(picture, f"{labels[class_id]} {track_id}  {score:.2f}", (x1, y1), color, scale)


def draw_detections(picture: BgrArray, detections: Detections, labels: tuple[str, ...]) -> None:
    """Draw every detection's box with label and score into the picture itself, in the color of its class."""
    scale, thickness = _text_size(picture)
    for box, score, class_id in zip(detections.boxes, detections.scores, detections.class_ids, strict=True):
        color = PALETTE[int(class_id) % len(PALETTE)]
        x1, y1, x2, y2 = (round(float(edge)) for edge in box)
        cv2.rectangle(picture, (x1, y1), (x2, y2), color, 2 * thickness)
        _tag(picture, f"{labels[class_id]}  {score:.2f}", (x1, y1), color, scale)


def draw_rate(picture: BgrArray, frames_per_second: float) -> None:
    """Write how fast frames are being processed into the top left corner."""
    scale, _ = _text_size(picture)
    _tag(picture, f"{frames_per_second:.1f} frames/s", (0, 0), (40, 40, 40), scale)


def _text_size(picture: BgrArray) -> tuple[float, int]:
    return max(picture.shape[0] / 1200, 0.4), max(round(picture.shape[0] / 720), 1)


def _tag(picture: BgrArray, text: str, corner: tuple[int, int], color: tuple[int, int, int], scale: float) -> None:
    (width, height), baseline = cv2.getTextSize(text, FONT, scale, 1)
    left = min(max(corner[0], 0), max(picture.shape[1] - width, 0))
    bottom = max(corner[1], height + 2 * baseline)
    cv2.rectangle(picture, (left, bottom - height - 2 * baseline), (left + width, bottom), color, cv2.FILLED)
    cv2.putText(picture, text, (left, bottom - baseline), FONT, scale, WHITE, 1, cv2.LINE_AA)
