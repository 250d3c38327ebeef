"""The site file's tracking section as parameters of ByteTrack."""

from __future__ import annotations

from agent.settings.models import TrackingSettings
from trackers import ByteTrackSettings


def bytetrack_settings(tracking: TrackingSettings) -> ByteTrackSettings:
    """What the operator set; everything else is the tracker's default.

    Raises:
        ValueError: the values do not fit together, such as a low threshold above the high one.
    """
    return ByteTrackSettings(
        high_threshold=tracking.high_threshold,
        low_threshold=tracking.low_threshold,
        new_track_threshold=tracking.new_track_threshold,
        lost_patience_s=float(tracking.lost_patience),
    )
