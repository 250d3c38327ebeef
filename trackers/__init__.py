"""Boxes over time: detections in, identities out.

A pure library: NumPy and lap, nothing else of ours; no I/O, no threads, no clock (time is an argument).
"""

from trackers.bytetrack.settings import ByteTrackSettings
from trackers.bytetrack.state import TrackerState, TrackerStateError
from trackers.bytetrack.tracker import ByteTracker
from trackers.camera_motion import CameraMotion
from trackers.detections import Detections
from trackers.ground_plane import GroundPlane, GroundPoint
from trackers.tracks import Tracks

__all__ = [
    "ByteTrackSettings",
    "ByteTracker",
    "CameraMotion",
    "Detections",
    "GroundPlane",
    "GroundPoint",
    "TrackerState",
    "TrackerStateError",
    "Tracks",
]
