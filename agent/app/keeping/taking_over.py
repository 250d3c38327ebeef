"""What a run makes of what the run before it left: tracks that go on, and the ends of those that do not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from agent.app.keeping.kept_site import KeptCamera, KeptSite
from agent.clock import Clock
from agent.events.event import Event
from agent.events.kept_track import KeptTrackError, open_track
from agent.events.lifecycle import LifecycleRule
from agent.events.open_track import OpenTrack
from agent.telemetry.track import TrackHappenings
from agent.track.camera_trackers import CameraTrackers
from trackers import TrackerState, TrackerStateError

# After a violent end the newest state may be a second old; no camera numbers as many tracks in it.
NUMBERS_SKIPPED = 1000

Objects = dict[tuple[str, str | None, int], Event]


@dataclass(frozen=True)
class Resumed:
    """What goes on, and what does not.

    Attributes:
        last_s: of each camera that goes on, when its last frame was, on the monotonic clock of now.
        seen_at: the same in UTC.
        numbered_by: of camera and track, the earlier run that gave the number.
        ends: of the objects that do not go on.
    """

    last_s: dict[str, float] = field(default_factory=dict)
    seen_at: dict[str, datetime] = field(default_factory=dict)
    numbered_by: dict[tuple[str, int], str] = field(default_factory=dict)
    ends: list[Event] = field(default_factory=list)


class TakingOver:
    """Used once, by the tracking thread, before the first frame.

    The file may be a second older than the end of the last run, or know of events that were never stored; what the
    outside was told is known exactly. So a track that was told goes on if its `end` was not told; one that was
    not goes on under its number only if nobody can know the number as another's; the rest begin anew; and every other
    object that the outside takes for present gets its `end` now.
    """

    def __init__(
        self,
        rule: LifecycleRule,
        trackers: CameraTrackers,
        fits: Mapping[str, str],
        patience_s: float,
        clock: Clock,
        happened: TrackHappenings,
    ) -> None:
        """Nothing is done yet.

        Args:
            rule: takes over what it remembered.
            trackers: take over what they knew.
            fits: of each camera whose tracks may go on, the digest of what must be the same.
            patience_s: how long ago a camera's last frame may be.
            clock: ours.
            happened: is told.
        """
        self._rule = rule
        self._trackers = trackers
        self._fits = fits
        self._patience_s = patience_s
        self._clock = clock
        self._happened = happened

    def resume(self, kept: KeptSite | None, told: Iterable[Event]) -> Resumed:
        """Go on with what can be gone on with.

        Args:
            kept: what the last run left.
            told: the last event of every object that the outside takes for present.
        """
        resumed = Resumed()
        objects = {(event.camera_id, event.track_run_id, event.track_id): event for event in told}
        if kept is not None:
            for camera_id, camera in kept.cameras.items():
                self._resume_camera(camera_id, camera, objects, resumed, is_final=kept.is_final)
        now = self._clock.now()
        resumed.ends.extend(self._rule.end_of(event, max(now, event.occurred_at)) for event in objects.values())
        return resumed

    def _resume_camera(
        self, camera_id: str, camera: KeptCamera, objects: Objects, resumed: Resumed, *, is_final: bool
    ) -> None:
        age_s = (self._clock.now() - camera.last_at).total_seconds()
        at_s = self._clock.monotonic_s() - age_s
        highest = max([camera.tracker.last_id, *(number for name, _, number in objects if name == camera_id)])
        tracks = self._tracks(camera_id, camera, at_s)
        known = [track for track in tracks if objects.pop((camera_id, track.run_id, track.track_id), None)]
        for track in known:
            if not track.is_told:  # between the writing of the file and the end of the run
                track.tell()
        reason = self._reason_against(camera_id, camera, age_s)
        if reason is None:
            going_on = [*known, *(track for track in tracks if is_final and not track.is_told)]
            numbers = {track.track_id for track in going_on}
            state = camera.tracker.renumbered(numbers, highest + (0 if is_final else NUMBERS_SKIPPED))
            reason = self._import(camera_id, state, at_s)
        if reason is None:
            self._go_on(camera_id, going_on, resumed)
            resumed.last_s[camera_id], resumed.seen_at[camera_id] = at_s, camera.last_at
            self._happened.taken_over(camera_id, len(going_on), age_s)
            return
        self._happened.not_taken_over(camera_id, len(tracks), reason)
        self._rule.resume(camera_id, known)
        latest = max([self._clock.now(), *(track.last.frame.captured_at for track in known)])
        resumed.ends.extend(self._rule.camera_ended(camera_id, latest))

    def _go_on(self, camera_id: str, tracks: list[OpenTrack], resumed: Resumed) -> None:
        self._rule.resume(camera_id, tracks)
        resumed.numbered_by.update({(camera_id, track.track_id): track.run_id for track in tracks})

    def _tracks(self, camera_id: str, camera: KeptCamera, at_s: float) -> list[OpenTrack]:
        """What can be read; of the rest the outbox knows enough to end it."""
        tracks = []
        for kept in camera.tracks:
            with suppress(KeptTrackError):
                tracks.append(open_track(kept, camera_id, at_s))
        return tracks

    def _reason_against(self, camera_id: str, camera: KeptCamera, age_s: float) -> str | None:
        if camera_id not in self._fits:
            return "it is no live camera of the site file now"
        if self._fits[camera_id] != camera.fits:
            return "its source, the model or the tracking settings are others now"
        if age_s < 0.0:
            return "by the clock of now they are from the future"
        if age_s > self._patience_s:
            return f"its last frame was {age_s:.1f} s ago, and lost_patience is {self._patience_s:g} s"
        return None

    def _import(self, camera_id: str, state: TrackerState, at_s: float) -> str | None:
        try:
            self._trackers.import_state(camera_id, state, at_s)
        except TrackerStateError as error:
            return str(error)
        return None
