"""Keeps what is tracked for the next run: once a second while running, and whole at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from datetime import timedelta

from agent.app.keeping.kept_file import KeptFile
from agent.app.keeping.kept_site import KeptCamera, KeptSite, KeptSiteError
from agent.app.keeping.taking_over import Resumed, TakingOver
from agent.clock import Clock
from agent.events.event import Event
from agent.events.kept_track import kept_track
from agent.events.lifecycle import LifecycleRule
from agent.pipeline.channel import Beat, Channel, ChannelClosed, WhenFull
from agent.stream.frame import FrameInfo
from agent.telemetry.track import TrackHappenings
from agent.track.camera_trackers import CameraTrackers
from trackers import TrackerStateError

EVERY_S = 1.0


class Keeper:
    """Used by the tracking thread, but for `run` and `stop`, the work of a thread that writes.

    Measured with 0, 10, 50 and 200 tracks: it costs the tracking thread 0.1, 0.4, 0.4 and 1.3 ms a second and camera,
    the writing thread 0.2, 0.5, 1 and 8 ms; the file takes 0.9 kB a track. At the end and at the start of a run 10 to
    40 ms are spent on it, most of them in the disk.
    """

    def __init__(
        self,
        file: KeptFile,
        rule: LifecycleRule,
        told: Callable[[], list[Event]],
        fits: Mapping[str, str],
        *,
        patience_s: float,
        clock: Clock,
        happened: TrackHappenings,
        numbered_by: MutableMapping[tuple[str, int], str],
    ) -> None:
        """Nothing is read or written yet.

        Args:
            file: what one run leaves to the next.
            rule: whose open tracks are kept.
            told: gives the last event of every object that the outside takes for present.
            fits: of each camera whose tracks are kept, a digest of what must be the same for them to go on.
            patience_s: how long tracks live without being seen.
            clock: ours.
            happened: is told.
            numbered_by: is filled, before the first frame, with the runs that numbered the tracks that go on.
        """
        self._file = file
        self._rule = rule
        self._told = told
        self._fits = fits
        self._patience_s = patience_s
        self._clock = clock
        self._happened = happened
        self._numbered_by = numbered_by
        self._trackers: CameraTrackers | None = None
        self._last_s: dict[str, float] = {}
        self._due_s = clock.monotonic_s()
        self._waiting: Channel[KeptSite] = Channel(1, WhenFull.DROP_OLDEST)

    def begin(self, trackers: CameraTrackers) -> Resumed:
        """Take over what the last run left; called once, before the first frame."""
        self._trackers = trackers
        taking = TakingOver(self._rule, trackers, self._fits, self._patience_s, self._clock, self._happened)
        resumed = taking.resume(self._read(), self._told())
        self._last_s.update(resumed.last_s)
        self._numbered_by.update(resumed.numbered_by)
        self._write(self._kept(is_final=False))  # from now on the old one would lie
        return resumed

    def tracked(self, frame: FrameInfo) -> None:
        """A frame went through tracking and rules."""
        if frame.camera_id in self._fits:
            self._last_s[frame.camera_id] = frame.captured_monotonic_s

    def refit(self, fits: Mapping[str, str], patience_s: float) -> None:
        """The settings changed while running."""
        self._fits, self._patience_s = fits, patience_s
        self._last_s = {camera_id: at_s for camera_id, at_s in self._last_s.items() if camera_id in fits}

    def forget(self, camera_id: str) -> None:
        """Its tracks have ended; there is nothing of it to keep."""
        self._last_s.pop(camera_id, None)

    def turn(self) -> None:
        """Hand what is tracked to the writing thread, if that is due; called with every turn of the tracking loop."""
        now_s = self._clock.monotonic_s()
        if now_s >= self._due_s:
            self._due_s = now_s + EVERY_S
            with suppress(ChannelClosed):  # the end has come before this thread has heard of it
                self._waiting.put(self._kept(is_final=False))

    def leave(self) -> None:
        """Nothing more is tracked: write it all, and take what is kept out of the rule, which then ends the rest."""
        self._waiting.close()
        kept = self._kept(is_final=True)
        if self._write(kept):
            for camera_id in kept.cameras:
                self._rule.release(camera_id)

    def run(self, beat: Beat) -> None:
        """Write what is handed over until `stop` or `leave`."""
        for kept in self._waiting.items(beat):
            self._write(kept)

    def stop(self) -> None:
        """Make `run` end soon."""
        self._waiting.close()

    def _read(self) -> KeptSite | None:
        try:
            return self._file.read()
        except KeptSiteError as error:
            self._happened.kept_unreadable(str(error))
            return None

    def _write(self, kept: KeptSite) -> bool:
        try:
            self._file.write(kept)
        except OSError as error:
            self._happened.kept_unwritten(f"{self._file.path}: {error.strerror}")
            return False
        return True

    def _kept(self, *, is_final: bool) -> KeptSite:
        cameras = {}
        for camera_id, at_s in self._last_s.items():
            camera = self._camera(camera_id, at_s)
            if camera is not None:
                cameras[camera_id] = camera
        return KeptSite(is_final, cameras)

    def _camera(self, camera_id: str, at_s: float) -> KeptCamera | None:
        try:
            state = None if self._trackers is None else self._trackers.export_state(camera_id)
        except TrackerStateError as error:
            self._happened.kept_unwritten(f"{camera_id}: {error}")
            return None
        if state is None:
            return None
        last_at = self._clock.now() - timedelta(seconds=self._clock.monotonic_s() - at_s)
        tracks = tuple(kept_track(track, at_s) for track in self._rule.open_tracks(camera_id))
        return KeptCamera(self._fits[camera_id], last_at, state, tracks)
