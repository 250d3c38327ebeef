"""The parameters and their two named sets."""

from __future__ import annotations

import math
from typing import Any

import pytest

from trackers import ByteTrackSettings


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ({"high_threshold": 1.1}, "high_threshold: expected 0 to 1, got 1.1"),
        ({"duplicate_iou": -0.1}, "duplicate_iou: expected 0 to 1"),
        ({"other_class_weight": math.nan}, "other_class_weight: expected 0 to 1"),
        ({"low_threshold": 0.7}, r"low_threshold: expected at most high_threshold \(0.6\), got 0.7"),
        ({"lost_patience_s": -1.0}, "lost_patience_s: expected finite seconds"),
        ({"lost_patience_s": math.inf}, "lost_patience_s: expected finite seconds"),
        ({"frame_rate": 0.0}, "frame_rate: expected None or more than 0"),
        ({"class_groups": ((1, 2), (2, 3))}, "class_groups: a class is in more than one group"),
        ({"class_groups": ((),)}, "class_groups: a group without classes"),
    ],
)
def test_what_cannot_be_is_refused_by_name(mistake: dict[str, Any], told: str) -> None:
    """Each mistake is told with what was found and what is allowed."""
    with pytest.raises(ValueError, match=told):
        ByteTrackSettings(**mistake)


@pytest.mark.parametrize(("frame_rate", "frames"), [(30.0, 30), (20.0, 20), (14.0, 14), (29.97, 29), (25.0, 25)])
def test_the_reference_keeps_lost_tracks_for_whole_frames(frame_rate: float, frames: int) -> None:
    """The published buffer: thirty frames at thirty a second, scaled and cut."""
    settings = ByteTrackSettings.reference(frame_rate=frame_rate)

    assert settings.lost_patience_s * frame_rate == pytest.approx(frames)
