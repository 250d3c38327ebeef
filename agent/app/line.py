"""The line from cameras to told events as stages: the same for a live site and for a replay."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from agent.app.captures import HEARTBEAT_LIMIT_S, Captures, make_slots
from agent.app.detection import Detection, label_filters
from agent.app.happened import Happened
from agent.app.inference_watch import InferenceWatch
from agent.app.keeping.keeper import Keeper
from agent.app.tracker_makers import tracker_makers
from agent.app.works.detect_work import DetectWork
from agent.app.works.ticketed import Ticketed
from agent.app.works.told import Told
from agent.app.works.track_work import TrackWork
from agent.clock import Clock
from agent.detect.label_choice import LabelFilter
from agent.events.rule import Rule
from agent.pipeline.channel import Beat, Channel, WhenFull
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.stage import Stage
from agent.settings.models import ModelSettings, SiteSettings
from agent.track.camera_trackers import CameraTrackers

MOTION_DEADLINE_S = 30.0
DETECTED_CAPACITY = 8
TOLD_CAPACITY = 64
# What other workers may do while an inference of one is slow, some seconds long: each is a decoded picture in memory.
OVERTAKING_FRAMES = 100

Tell = Callable[[Told], None]


class Line:
    """Capture, detection, tracking and telling; `ranks` gives the stages front to back, to be run by a supervisor.

    While it runs, one thread may change it: stages are made here and join or leave through the supervisor.

    Attributes:
        captures: makes the stages of rank 0.
        slots: between those and the workers.
        workers: the stages of rank 1, as they were made last.
        detected: between the workers and tracking.
        tracking: the tracking thread's work, which takes orders.
    """

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
        self._site, self._detection, self._rng = site, detection, rng
        self._clock, self._happened = clock, happened
        self._rules, self._tell = rules, tell
        self._keeper: Keeper | None = None
        self._filters = label_filters(detection.labels, site.detection, site.cameras)
        self.slots = make_slots(site.cameras, clock, happened)
        self.captures = Captures(self.slots, clock, happened, rng, on_stop)
        self.workers: list[Stage] = []
        self.detected: Channel[Ticketed] = Channel(DETECTED_CAPACITY, WhenFull.BLOCK)
        self._told: Channel[Told] = Channel(TOLD_CAPACITY, WhenFull.BLOCK)
        deadline_s = inference_deadline_s(site)
        self._inferences = InferenceWatch(detection.model, detection.engine, deadline_s, clock, happened.detect)
        self.tracking = self._track_work()

    def keep_with(self, keeper: Keeper | None) -> None:
        """Let tracks go on in the next run, and those of the run before in this one; without it all end with each."""
        self._keeper = keeper
        self.tracking.keep_with(keeper)

    def ranks(self) -> list[list[Stage]]:
        """The stages, front to back."""
        self.workers = self.make_workers(self._detection, self._site)
        captures = [self.captures.make(camera_id, camera) for camera_id, camera in self._site.cameras.items()]
        tracking = Stage("track", self.tracking.run, self.detected.close, self._heartbeat("track"))
        keeping = [] if self._keeper is None else [self._keeping(self._keeper)]
        return [captures, self.workers, [tracking], [self._telling(), *keeping, self._watching()]]

    def watch_depths(self) -> None:
        """Show how much waits in front of each stage."""
        self._happened.pipeline.watch_depth("detect", lambda: self.slots.depth)
        self._happened.pipeline.watch_depth("track", lambda: self.detected.depth)
        self._happened.pipeline.watch_depth("tell", lambda: self._told.depth)

    def make_workers(self, detection: Detection, site: SiteSettings) -> list[Stage]:
        """Workers that detect with this; those of before must have left when they start.

        Raises:
            DevicesError: the engine cannot be used by so many.
        """
        self.call_workers_by(detection, site)
        return [self._worker(number, detection) for number in range(detection.workers)]

    def call_workers_by(self, detection: Detection, site: SiteSettings) -> None:
        """What an inference that hangs is told by, and how long one may take, for the workers made from now on."""
        self._inferences.follow(detection.model, detection.engine, inference_deadline_s(site))

    def hand_over_to(self, workers: list[Stage], detection: Detection, site: SiteSettings) -> None:
        """These are the workers from now on; called while none runs."""
        self.workers = workers
        self.filter_with(label_filters(detection.labels, site.detection, site.cameras))
        self.tracking.expect(detection.workers * detection.batch + OVERTAKING_FRAMES)

    def filter_with(self, filters: Mapping[str, LabelFilter]) -> None:
        """Which labels count, by camera; those of cameras that are gone stay for what is still on its way."""
        self._filters.update(filters)

    def _worker(self, number: int, detection: Detection) -> Stage:
        heartbeat = self._heartbeat(f"detect-{number}")
        watched = self._inferences.worker(heartbeat)
        work = DetectWork(
            detection.make_detector(),
            self.slots,
            self.detected,
            self._filters,
            self._happened.stream,
            batch=detection.batch,
            batch_wait_s=detection.batch_wait_s,
            watched=watched,
        )

        def run(beat: Beat) -> None:
            try:
                work.run(beat)
            finally:
                self._inferences.forget(watched)

        stage = Stage(heartbeat.name, run, self.slots.close, heartbeat, on_dismiss=work.dismiss)
        watched.give_up = stage.give_up
        return stage

    def _watching(self) -> Stage:
        return Stage("inference-watch", self._inferences.run, self._inferences.stop, self._heartbeat("inference-watch"))

    def _track_work(self) -> TrackWork:
        makers = tracker_makers(self._site)
        return TrackWork(
            self.detected,
            CameraTrackers(makers.plain, self._happened.track, makers.estimators, makers.grounds),
            self._rules,
            self._told,
            clock=self._clock,
            stages=self._happened.pipeline,
            most_ahead=self._detection.workers * self._detection.batch + OVERTAKING_FRAMES,
            silence_s=None if self._rng is None else makers.silence_s,
        )

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


def inference_deadline_s(site: SiteSettings) -> float:
    """How long one inference may take before the engine counts as hung."""
    return float(site.model.inference_deadline) if isinstance(site.model, ModelSettings) else MOTION_DEADLINE_S
