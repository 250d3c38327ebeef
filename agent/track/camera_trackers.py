"""The tracking step: one tracker per camera, made when its first frame comes."""

from __future__ import annotations

from collections.abc import Callable

from agent.detect.detected import DetectedFrame
from agent.telemetry.track import TrackHappenings
from agent.track.tracked import TrackedFrame
from agent.track.tracker import Tracker


class CameraTrackers:
    """Gives every detected frame to its camera's tracker. One thread uses it; frames come in each camera's order."""

    def __init__(self, make_tracker: Callable[[], Tracker], happened: TrackHappenings) -> None:
        self._make_tracker = make_tracker
        self._happened = happened
        self._trackers: dict[str, Tracker] = {}

    def track(self, detected: DetectedFrame) -> TrackedFrame:
        """The frame with the identities in it; time is the frame's capture on the monotonic clock."""
        info, labels = detected.frame.info, detected.labels
        tracker = self._tracker(info.camera_id)
        refused_before = tracker.refused
        tracks = tracker.update(detected.detections, info.captured_monotonic_s)
        self._happened.tracked(info.camera_id, [labels[class_id] for class_id in tracks.class_ids.tolist()])
        self._happened.tracks_ended(info.camera_id, len(tracks.ended_ids))
        self._happened.detections_refused(info.camera_id, tracker.refused - refused_before)
        return TrackedFrame(detected.frame, tracks, labels)

    def forget(self, camera_id: str) -> None:
        """The camera has been away for too long: its tracks end, and what comes next gets new numbers."""
        if camera_id in self._trackers:
            self._trackers[camera_id].reset()

    def _tracker(self, camera_id: str) -> Tracker:
        if camera_id not in self._trackers:
            self._trackers[camera_id] = self._make_tracker()
        return self._trackers[camera_id]
