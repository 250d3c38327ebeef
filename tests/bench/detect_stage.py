"""The agent's detect stage alone and saturated: cameras, slots, workers, and one who reads.

In it: handing over between threads, fairness, painting the frame into the batch, mean and scale in the engine's graph,
inference, decoding and suppression, label filters, metrics. Not in it: capture, colour conversion and scaling of
frames that are larger than the model's picture.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from agent.app.works.detect_work import DetectWork
from agent.app.works.ticketed import Ticketed
from agent.clock import SystemClock
from agent.detect.detection_plan import DetectionPlan
from agent.detect.label_choice import LabelFilter
from agent.detect.model_detector import ModelDetector
from agent.pipeline.channel import Channel, ChannelClosed, WhenFull, no_beat
from agent.pipeline.slots import Slots
from agent.stream.frame import Frame
from agent.telemetry.detect import DetectHappenings
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.stream import StreamHappenings
from agent.telemetry.teller import Teller
from devices.engines.engine import Engine

CAMERAS = ("north", "east", "south", "west")
DETECTED_CAPACITY = 8


class DetectStage:
    """Engine and metrics of the stage; every `run` starts its threads anew."""

    def __init__(self, engine: Engine, plan: DetectionPlan, sessions: int, frames: Sequence[Frame]) -> None:
        """Nothing runs yet.

        Args:
            engine: loaded for the plan.
            plan: how the model is fed and read.
            sessions: workers.
            frames: what every camera shows, again and again.
        """
        self._engine = engine
        self._plan = plan
        self._sessions = sessions
        self._frames = frames
        self._clock = SystemClock()
        teller = Teller(CollectorRegistry(), logging.getLogger("bench"))
        self._stages = PipelineHappenings(teller)
        self._stream, self._detect = StreamHappenings(teller, self._stages), DetectHappenings(teller)

    def run(self, count: int, offered: float) -> tuple[float, float]:
        """Frames a second, and processor seconds a frame, of `count` frames after the first.

        Args:
            count: how many answers are timed.
            offered: frames a second that the cameras give together; more than can be done, so that slots are full.
        """
        slots: Slots[Frame] = Slots(dict.fromkeys(CAMERAS, WhenFull.DROP_OLDEST), self._clock)
        out: Channel[Ticketed] = Channel(DETECTED_CAPACITY, WhenFull.BLOCK)
        threads = [
            threading.Thread(target=self._worker(slots, out).run, args=(no_beat,)) for _ in range(self._sessions)
        ]
        threads += [threading.Thread(target=self._show, args=(slots, each, offered)) for each in CAMERAS]
        for thread in threads:
            thread.start()
        answers = iter(out.items(no_beat))
        next(answers)
        began = (time.perf_counter(), time.process_time())
        for _ in range(count):
            next(answers)
        took_s, work_s = time.perf_counter() - began[0], time.process_time() - began[1]
        slots.close()
        ender = threading.Thread(target=_close_after, args=(threads, out))
        ender.start()
        for _ in answers:  # a worker with an answer in hand must be able to hand it over
            pass
        ender.join()
        return count / took_s, work_s / count

    def _worker(self, slots: Slots[Frame], out: Channel[Ticketed]) -> DetectWork:
        detector = ModelDetector(
            self._engine.session(),
            self._plan,
            runtime=self._engine.spec.runtime,
            clock=self._clock,
            happened=self._detect,
            stages=self._stages,
        )
        labels = self._plan.labels.texts
        filters = {each: LabelFilter(labels, None, "detection.keep_labels") for each in CAMERAS}
        return DetectWork(detector, slots, out, filters, self._stream, batch=self._plan.batch)

    def _show(self, slots: Slots[Frame], camera_id: str, offered: float) -> None:
        """A camera: a frame at its time, the one before replaced where nobody took it."""
        interval_s = len(CAMERAS) / offered
        began_s = time.monotonic()
        for number in itertools.count():
            try:
                slots.put(camera_id, self._frames[number % len(self._frames)])
            except ChannelClosed:
                return
            time.sleep(max(0.0, began_s + (number + 1) * interval_s - time.monotonic()))


def _close_after(threads: Sequence[threading.Thread], out: Channel[Ticketed]) -> None:
    for thread in threads:
        thread.join()
    out.close()
