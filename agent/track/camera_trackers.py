"""The tracking step: one tracker per camera, made when its first frame comes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from agent.detect.detected import DetectedFrame
from agent.stream.frame import FrameInfo
from agent.telemetry.track import TrackHappenings
from agent.track.camera_motion import CameraMotionEstimator
from agent.track.ground_tracker import FrameSize, GroundTrackerMaker, with_numbers_of
from agent.track.tracked import TrackedFrame
from agent.track.tracker import Tracker
from trackers import CameraMotion, TrackerState, TrackerStateError


class CameraTrackers:
    """Gives every detected frame to its camera's tracker. One thread uses it; frames come in each camera's order.

    Args:
        make_tracker: a new one for a camera.
        happened: is told what happens.
        estimators: of the cameras whose own motion is made up for, by camera id.
        grounds: make the trackers of the cameras whose ground is known, by camera id.
    """

    def __init__(
        self,
        make_tracker: Callable[[], Tracker],
        happened: TrackHappenings,
        estimators: Mapping[str, CameraMotionEstimator] | None = None,
        grounds: Mapping[str, GroundTrackerMaker] | None = None,
    ) -> None:
        self._make_tracker = make_tracker
        self._happened = happened
        self._estimators = estimators or {}
        self._grounds = grounds or {}
        self._sizes: dict[str, FrameSize] = {}
        self._trackers: dict[str, Tracker] = {}
        self._last_s: dict[str, float] = {}

    def retune(
        self,
        make_tracker: Callable[[], Tracker],
        estimators: Mapping[str, CameraMotionEstimator],
        grounds: Mapping[str, GroundTrackerMaker],
        anew: Collection[str] = (),
    ) -> None:
        """Go on with what trackers of other settings are made by; arguments as at the start.

        Every track goes on under its number, but for those of the cameras in `anew`: they end. Numbers are never used
        again in either case.
        """
        self._make_tracker, self._grounds = make_tracker, grounds
        self._estimators = {name: self._estimators.get(name, estimator) for name, estimator in estimators.items()}
        for camera_id in anew:
            self.forget(camera_id)
            self._sizes.pop(camera_id, None)
        for camera_id, before in list(self._trackers.items()):
            self._trackers[camera_id] = self._going_on(camera_id, before)

    def track(self, detected: DetectedFrame) -> TrackedFrame:
        """The frame with the identities in it; time is the frame's capture on the monotonic clock."""
        info, labels = detected.frame.info, detected.labels
        tracker = self._tracker(info)
        refused_before = tracker.refused
        self._last_s[info.camera_id] = info.captured_monotonic_s
        tracks = tracker.update(detected.detections, info.captured_monotonic_s, self._camera_motion(detected))
        self._happened.tracked(info.camera_id, [labels[class_id] for class_id in tracks.class_ids.tolist()])
        self._happened.tracks_ended(info.camera_id, len(tracks.ended_ids))
        self._happened.detections_refused(info.camera_id, tracker.refused - refused_before)
        return TrackedFrame(detected.frame, tracks, labels)

    def forget(self, camera_id: str) -> None:
        """The camera has been away for too long: its tracks end, and what comes next gets new numbers."""
        if camera_id in self._trackers:
            self._trackers[camera_id].reset()
        if camera_id in self._estimators:
            self._estimators[camera_id].forget()

    def drop(self, camera_id: str) -> None:
        """The camera never comes back: nothing of it is remembered, nor which numbers its tracks had."""
        for kept in (self._trackers, self._last_s, self._sizes):
            kept.pop(camera_id, None)

    def export_state(self, camera_id: str) -> TrackerState | None:
        """All that the camera's tracker knows; None before its first frame. About 0.1 ms.

        Raises:
            TrackerStateError: there is more of it than can be kept.
        """
        tracker = self._trackers.get(camera_id)
        return None if tracker is None else tracker.export_state()

    def import_state(self, camera_id: str, state: TrackerState, at_s: float) -> None:
        """Go on with what an earlier run exported, whose last frame was at `at_s` on the monotonic clock of now.

        Raises:
            TrackerStateError: its tracker had other settings; the camera begins afresh then.
        """
        ground = self._grounds.get(camera_id)
        size = None if ground is None else ground.size_of(state)
        tracker = self._make_tracker() if ground is None or size is None else ground.make(size)
        tracker.import_state(state, at_s)
        self._trackers[camera_id] = tracker
        self._last_s[camera_id] = at_s
        if size is not None:
            self._sizes[camera_id] = size

    def _going_on(self, camera_id: str, before: Tracker) -> Tracker:
        ground, size = self._grounds.get(camera_id), self._sizes.get(camera_id)
        if ground is not None and size is None:
            return before  # it hands its numbers over when the next frame shows the size
        made = self._make_tracker() if ground is None or size is None else ground.make(size)
        try:
            state = before.export_state()
        except TrackerStateError:  # too many tracks to be handed over: they end, and their numbers are not used again
            before.reset()
            state = before.export_state()
        made.import_state(replace(state, settings=made.export_state().settings), self._last_s[camera_id])
        return made

    def _camera_motion(self, detected: DetectedFrame) -> CameraMotion | None:
        camera_id = detected.frame.info.camera_id
        if camera_id not in self._estimators:
            return None
        estimate = self._estimators[camera_id].estimate(detected)
        self._happened.camera_motion(camera_id, estimate.finding)
        return estimate.motion

    def _tracker(self, info: FrameInfo) -> Tracker:
        camera_id = info.camera_id
        if camera_id in self._grounds:
            self._fit_ground(info, self._grounds[camera_id])
        elif camera_id not in self._trackers:
            self._trackers[camera_id] = self._make_tracker()
        return self._trackers[camera_id]

    def _fit_ground(self, info: FrameInfo, ground: GroundTrackerMaker) -> None:
        """Frames of another size are another picture of the ground: every track ends, and numbers go on."""
        size, at_s = FrameSize(info.width_px, info.height_px), info.captured_monotonic_s
        if self._sizes.get(info.camera_id) == size:
            return
        made, before = ground.make(size), self._trackers.get(info.camera_id)
        if before is not None:
            before.reset()
            made = with_numbers_of(made, before.export_state(), at_s)
        self._trackers[info.camera_id], self._sizes[info.camera_id] = made, size
