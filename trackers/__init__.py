"""Boxes over time: detections in, identities out.

A pure library: NumPy and lap, nothing else of ours; no I/O, no threads, no clock (time is an argument).
"""

from trackers.bytetrack.settings import ByteTrackSettings
from trackers.bytetrack.tracker import ByteTracker
from trackers.detections import Detections
from trackers.tracks import Tracks

__all__ = ["ByteTrackSettings", "ByteTracker", "Detections", "Tracks"]
