"""How what happens while tracking is told."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from enum import Enum

from agent.telemetry.teller import Teller

UNTRUSTED_PERIOD_S = 60.0


class CameraMotionFinding(str, Enum):
    """What became of an estimate of a camera's motion."""

    BEGUN = "begun"
    STILL = "still"
    MOVED = "moved"
    IGNORED = "ignored"


class TrackHappenings:
    """Metrics and sentences of the tracking step; used by its one thread."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._active = teller.gauge(
            "tracks_active", "Confirmed tracks in the newest frame of a camera.", ("camera", "label")
        )
        self._ended = teller.counter("tracks_ended", "Confirmed tracks given up.", ("camera",))
        self._refused = teller.counter(
            "detections_refused", "Detections that were no boxes: not finite, empty or inverted.", ("camera",)
        )
        self._estimates = teller.counter(
            "camera_motion_estimates",
            "Frames of moving cameras by finding: begun (nothing to compare with), still, moved, or ignored since too "
            "little of the background agreed.",
            ("camera", "finding"),
        )
        self._taken_over = teller.counter("tracks_taken_over", "Tracks of the run before that went on.", ("camera",))
        self._shown: dict[str, Counter[str]] = {}

    def tracked(self, camera_id: str, labels: Sequence[str]) -> None:
        """A frame was tracked: the labels of its confirmed tracks, one each."""
        counts, shown = Counter(labels), self._shown.get(camera_id, Counter[str]())
        if counts == shown:
            return
        for label in counts.keys() | shown.keys():
            self._active.labels(camera_id, label).set(counts[label])
        self._shown[camera_id] = counts

    def forget(self, camera_id: str) -> None:
        """A camera never comes back; called when nothing of it is under way."""
        self._shown.pop(camera_id, None)

    def tracks_ended(self, camera_id: str, count: int) -> None:
        """So many confirmed tracks were given up."""
        self._ended.labels(camera_id).inc(count)

    def detections_refused(self, camera_id: str, count: int) -> None:
        """So many detections of a frame were no boxes."""
        if not count:
            return
        self._refused.labels(camera_id).inc(count)
        self._teller.fold(
            ("detections_refused", camera_id),
            logging.WARNING,
            f"{camera_id}: {{count}} detections left out in the last {{seconds}} s: not finite, empty or inverted; "
            "the model's output does not fit its family",
            count=count,
            camera=camera_id,
        )

    def camera_motion(self, camera_id: str, finding: CameraMotionFinding) -> None:
        """The motion of a camera was estimated; an ignored estimate leaves its tracks as they were."""
        self._estimates.labels(camera_id, finding.value).inc()
        if finding is not CameraMotionFinding.IGNORED:
            return
        self._teller.fold(
            ("camera_motion_ignored", camera_id),
            logging.INFO,
            f"{camera_id}: camera motion not known for {{count}} frames in the last {{seconds}} s: too little of the "
            "background agrees (a scene cut, darkness, a covered lens, or objects all over the picture)",
            period_s=UNTRUSTED_PERIOD_S,
            camera=camera_id,
        )

    def taken_over(self, camera_id: str, count: int, age_s: float) -> None:
        """So many open tracks of the run before go on."""
        self._taken_over.labels(camera_id).inc(count)
        sentence = f"{camera_id}: {count} tracks of {age_s:.1f} s ago go on"
        self._teller.say(logging.INFO, sentence, camera=camera_id, tracks=count)

    def not_taken_over(self, camera_id: str, count: int, reason: str) -> None:
        """The tracks of the run before are over."""
        sentence = f"{camera_id}: {count} tracks of the run before do not go on: {reason}"
        self._teller.say(logging.INFO, sentence, camera=camera_id, tracks=count)

    def kept_unreadable(self, detail: str) -> None:
        """What the run before left is of no use."""
        self._teller.say(logging.WARNING, f"the tracks of the run before do not go on: {detail}")

    def kept_unwritten(self, detail: str) -> None:
        """Tracks cannot be kept for the next run; any thread may tell."""
        self._teller.fold(
            "kept_unwritten",
            logging.WARNING,
            f"tracks are not kept for the next run: {detail}; failed attempts in the last {{seconds}} s: {{count}}",
            period_s=60.0,
        )
