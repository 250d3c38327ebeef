"""The site file's tracking section as parameters."""

from __future__ import annotations

from agent.settings.models import TrackingSettings
from agent.settings.types import Duration
from agent.track.bytetrack_settings import bytetrack_settings
from trackers import ByteTrackSettings


def test_what_the_operator_says_is_what_the_tracker_gets() -> None:
    """Every key of the section arrives; the rest is the tracker's default."""
    tracking = TrackingSettings(
        high_threshold=0.5, low_threshold=0.2, new_track_threshold=0.55, lost_patience=Duration(2.5)
    )

    assert bytetrack_settings(tracking) == ByteTrackSettings(
        high_threshold=0.5, low_threshold=0.2, new_track_threshold=0.55, lost_patience_s=2.5
    )


def test_no_key_of_the_section_is_forgotten() -> None:
    """A new key needs its line in the mapping, and then here; whether tracks are kept is no matter of the tracker."""
    assert set(TrackingSettings.model_fields) - {"keep_over_restart"} == {
        "high_threshold", "low_threshold", "new_track_threshold", "lost_patience",
    }  # fmt: skip
