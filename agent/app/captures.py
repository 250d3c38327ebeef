"""The cameras of a line as stages, each made at the start or while the line runs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from agent.app.happened import Happened
from agent.clock import Clock
from agent.pipeline.channel import Beat, WhenFull
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.slots import Slots
from agent.pipeline.stage import Stage
from agent.settings.models import CameraSettings, Pace
from agent.stream.camera import Camera
from agent.stream.due import DueGate
from agent.stream.frame import Frame
from agent.stream.open_source import open_source
from agent.stream.reconnect import Reconnect
from agent.stream.source import FrameNumbers
from agent.telemetry.stream import FrameDrop

HEARTBEAT_LIMIT_S = 30.0


@dataclass(frozen=True, eq=False)
class Capture:
    """One camera that is captured: its stage, and the camera in it."""

    stage: Stage
    camera: Camera


class Captures:
    """Makes the capture stages of a line and remembers those that there are.

    The numbering of a camera's frames goes on when its stage is made again, also under a name that was gone in between.
    """

    def __init__(
        self,
        slots: Slots[Frame],
        clock: Clock,
        happened: Happened,
        rng: random.Random | None,
        on_stop: Callable[[], object],
    ) -> None:
        """Nothing is made yet.

        Args:
            slots: where frames go.
            clock: for everything that needs time.
            happened: is told what happens.
            rng: for the jitter of reconnects; None: a lost camera ends the line with its error.
            on_stop: called before a camera is stopped together with the line.
        """
        self._slots = slots
        self._clock = clock
        self._happened = happened
        self._rng = rng
        self._on_stop = on_stop
        self._numbers: dict[str, FrameNumbers] = {}
        self._made: dict[str, Capture] = {}
        self._max_age_s: dict[str, float] = {}

    def stage_of(self, camera_id: str) -> Stage:
        """The stage made last for a camera."""
        return self._made[camera_id].stage

    def make(self, camera_id: str, settings: CameraSettings) -> Stage:
        """A stage that captures this camera; its slot must be there before it starts.

        Dismissed, it leaves its slot open, for the one that comes after it.
        """
        heartbeat = Heartbeat(f"capture-{camera_id}", self._clock, HEARTBEAT_LIMIT_S)
        camera = self.camera(camera_id, settings, heartbeat)
        dismissed: list[bool] = []

        def work(_beat: Beat) -> None:
            try:
                camera.run()
            finally:
                if not dismissed:
                    self._slots.close(camera_id)

        def stop() -> None:
            self._on_stop()
            camera.stop()

        def leave() -> None:
            dismissed.append(True)
            camera.stop()

        stage = Stage(heartbeat.name, work, stop, heartbeat, on_dismiss=leave)
        self._made[camera_id] = Capture(stage, camera)
        return stage

    def camera(self, camera_id: str, settings: CameraSettings, heartbeat: Heartbeat) -> Camera:
        """A camera that is not a stage of its own: whoever runs it beats `heartbeat` and cares for its slot."""
        numbers = self._numbers.setdefault(camera_id, FrameNumbers())
        stream, self._max_age_s[camera_id] = self._happened.stream, float(settings.max_frame_age)

        def deliver(frame: Frame) -> None:
            born_s = frame.info.captured_monotonic_s
            max_age_s = self._max_age_s[camera_id]
            replaced = self._slots.put(camera_id, frame, born_s, heartbeat.beat, max_age_s=max_age_s)
            if replaced is not None:
                stream.frame_dropped(camera_id, FrameDrop.SLOT)

        return Camera(
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

    def look_at(self, camera_id: str, settings: CameraSettings) -> None:
        """From now on let so many frames a second through, and so old ones, as these settings say."""
        self._made[camera_id].camera.look_at(DueGate(settings.detect_fps))
        self._max_age_s[camera_id] = float(settings.max_frame_age)

    def forget(self, camera_id: str) -> None:
        """Its stage has left; its numbering is kept, should the name come back."""
        del self._made[camera_id]

    def forget_for_good(self, camera_id: str) -> None:
        """It has run, and never comes back: its numbering need not go on."""
        del self._numbers[camera_id], self._max_age_s[camera_id]


def make_slots(cameras: Mapping[str, CameraSettings], clock: Clock, happened: Happened) -> Slots[Frame]:
    """One for each camera."""

    def tell_stale(camera_id: str, _frame: Frame) -> None:
        happened.stream.frame_dropped(camera_id, FrameDrop.STALE)

    return Slots({name: slot_policy(camera) for name, camera in cameras.items()}, clock, on_stale=tell_stale)


def slot_policy(camera: CameraSettings) -> WhenFull:
    """A clip played fast waits for detection, so that every frame is seen; everything else is live."""
    return WhenFull.BLOCK if camera.pace is Pace.FAST else WhenFull.DROP_OLDEST
