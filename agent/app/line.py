"""The line from cameras to told events as stages: the same for a live site and for a replay."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from agent.app.detection import Detection, label_filters
from agent.app.happened import Happened
from agent.app.keeping.keeper import Keeper
from agent.app.works.detect_work import DetectWork
from agent.app.works.ticketed import Ticketed
from agent.app.works.told import Told
from agent.app.works.track_work import TrackWork
from agent.clock import Clock
from agent.events.rule import Rule
from agent.pipeline.channel import Beat, Channel, WhenFull
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.slots import Slots
from agent.pipeline.stage import Stage
from agent.settings.models import CameraMotionPolicy, CameraSettings, Pace, SiteSettings
from agent.stream.camera import Camera
from agent.stream.due import DueGate
from agent.stream.frame import Frame
from agent.stream.open_source import open_source
from agent.stream.reconnect import Reconnect
from agent.stream.source import FrameNumbers
from agent.telemetry.stream import FrameDrop
from agent.track.bytetrack_settings import bytetrack_settings
from agent.track.camera_motion import CameraMotionEstimator
from agent.track.camera_trackers import CameraTrackers
from agent.track.ground_tracker import GroundTrackerMaker
from trackers import ByteTracker, ByteTrackSettings

HEARTBEAT_LIMIT_S = 30.0
DETECTED_CAPACITY = 8
TOLD_CAPACITY = 64
# What other workers may do while an inference of one is slow, some seconds long: each is a decoded picture in memory.
OVERTAKING_FRAMES = 100
# A camera that gives nothing for this much longer than a lost track is kept has no track left to come back to.
SILENCE_MARGIN_S = 5.0

Tell = Callable[[Told], None]


class Line:
    """Capture, detection, tracking and telling; `ranks` gives the stages front to back, to be run by a supervisor."""

    def __init__(
        self,
        site: SiteSettings,
        detection: Detection,
        rules: Sequence[Rule],
        tell: Tell,
        *,
        clock: Clock,
        happened: Happened,
        rng: random.Random | None,
        on_stop: Callable[[], object] = lambda: None,
    ) -> None:
        """A line not yet started.

        Args:
            site: cameras, tracking.
            detection: ready to be used.
            rules: what makes events.
            tell: takes every frame with its events, in one thread, in each camera's order.
            clock: for everything that needs time.
            happened: is told what happens.
            rng: for the jitter of reconnects; None: a lost camera ends the line with its error, as a replay wants it.
            on_stop: called before cameras that still play are stopped.

        Raises:
            SettingsError: a label is named that the model does not have.
        """
        self._site = site
        self._detection = detection
        self._clock = clock
        self._happened = happened
        self._rng = rng
        self._on_stop = on_stop
        self._keeper: Keeper | None = None
        self._filters = label_filters(detection.labels, site.detection, site.cameras)
        self._slots: Slots[Frame] = Slots({name: _policy(camera) for name, camera in site.cameras.items()}, clock)
        self._detected: Channel[Ticketed] = Channel(DETECTED_CAPACITY, WhenFull.BLOCK)
        self._told: Channel[Told] = Channel(TOLD_CAPACITY, WhenFull.BLOCK)
        self._rules = rules
        self._tell = tell

    def keep_with(self, keeper: Keeper | None) -> None:
        """Let tracks go on in the next run, and those of the run before in this one; without it all end with each."""
        self._keeper = keeper

    def ranks(self) -> list[list[Stage]]:
        """The stages, front to back."""
        captures = [self._capture(camera_id, camera) for camera_id, camera in self._site.cameras.items()]
        workers = [self._worker(number) for number in range(self._detection.workers)]
        keeping = [] if self._keeper is None else [self._keeping(self._keeper)]
        return [captures, workers, [self._tracking()], [self._telling(), *keeping]]

    def watch_depths(self) -> None:
        """Show how much waits in front of each stage."""
        self._happened.pipeline.watch_depth("detect", lambda: self._slots.depth)
        self._happened.pipeline.watch_depth("track", lambda: self._detected.depth)
        self._happened.pipeline.watch_depth("tell", lambda: self._told.depth)

    def _capture(self, camera_id: str, settings: CameraSettings) -> Stage:
        heartbeat = self._heartbeat(f"capture-{camera_id}")
        numbers = FrameNumbers()
        stream = self._happened.stream

        def deliver(frame: Frame) -> None:
            replaced = self._slots.put(camera_id, frame, frame.info.captured_monotonic_s, heartbeat.beat)
            if replaced is not None:
                stream.frame_dropped(camera_id, FrameDrop.SLOT)

        camera = Camera(
            camera_id,
            lambda: open_source(
                camera_id, settings, clock=self._clock, numbers=numbers, listener=stream, beat=heartbeat.beat
            ),
            deliver,
            gate=DueGate(settings.detect_fps),
            clock=self._clock,
            happened=stream,
            reconnect=None if self._rng is None else Reconnect(settings.retry_min, settings.retry_max, self._rng),
            beat=heartbeat.beat,
        )

        def work(_beat: Beat) -> None:
            try:
                camera.run()
            finally:
                self._slots.close(camera_id)

        def stop() -> None:
            self._on_stop()
            camera.stop()

        return Stage(heartbeat.name, work, stop, heartbeat)

    def _worker(self, number: int) -> Stage:
        work = DetectWork(
            self._detection.make_detector(),
            self._slots,
            self._detected,
            self._filters,
            self._happened.stream,
            batch=self._detection.batch,
            batch_wait_s=self._detection.batch_wait_s,
        )
        return Stage(f"detect-{number}", work.run, self._slots.close, self._heartbeat(f"detect-{number}"))

    def _tracking(self) -> Stage:
        settings = bytetrack_settings(self._site.tracking)
        work = TrackWork(
            self._detected,
            CameraTrackers(
                lambda: ByteTracker(settings), self._happened.track, self._estimators(), self._grounds(settings)
            ),
            self._rules,
            self._told,
            clock=self._clock,
            stages=self._happened.pipeline,
            most_ahead=self._detection.workers * self._detection.batch + OVERTAKING_FRAMES,
            silence_s=None if self._rng is None else float(self._site.tracking.lost_patience) + SILENCE_MARGIN_S,
        )
        work.keep_with(self._keeper)
        return Stage("track", work.run, self._detected.close, self._heartbeat("track"))

    def _estimators(self) -> dict[str, CameraMotionEstimator]:
        return {
            name: CameraMotionEstimator()
            for name, camera in self._site.cameras.items()
            if camera.camera_motion is CameraMotionPolicy.COMPENSATE
        }

    def _grounds(self, settings: ByteTrackSettings) -> dict[str, GroundTrackerMaker]:
        return {
            name: GroundTrackerMaker(settings, camera.ground_points)
            for name, camera in self._site.cameras.items()
            if camera.ground_points is not None
        }

    def _telling(self) -> Stage:
        def work(beat: Beat) -> None:
            for told in self._told.items(beat):
                began_s = self._clock.monotonic_s()
                self._tell(told)
                if told.tracked is not None:
                    camera_id = told.tracked.frame.info.camera_id
                    self._happened.pipeline.stage_took("publish", camera_id, self._clock.monotonic_s() - began_s)

        return Stage("tell", work, self._told.close, self._heartbeat("tell"))

    def _keeping(self, keeper: Keeper) -> Stage:
        return Stage("keep", keeper.run, keeper.stop, self._heartbeat("keep"))

    def _heartbeat(self, name: str) -> Heartbeat:
        return Heartbeat(name, self._clock, HEARTBEAT_LIMIT_S)


def _policy(camera: CameraSettings) -> WhenFull:
    """A clip played fast waits for detection, so that every frame is seen; everything else is live."""
    return WhenFull.BLOCK if camera.pace is Pace.FAST else WhenFull.DROP_OLDEST
