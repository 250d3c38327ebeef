"""Frames of several cameras in one inference: within a time, the longest waiting first, each in its camera's order."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable

import numpy as np
import pytest
from fakes.clock import FakeClock
from fakes.detector import FakeDetector, see_nothing
from models.detecting import make_frame
from prometheus_client import CollectorRegistry

from agent.app.inference_watch import WatchedWorker
from agent.app.works.detect_work import DetectWork
from agent.app.works.ticketed import Ticketed
from agent.detect.label_choice import LabelFilter
from agent.pipeline.channel import Channel, WhenFull, no_beat
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.slots import Slots
from agent.stream.frame import Frame
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.stream import StreamHappenings
from agent.telemetry.teller import Teller
from trackers import Detections

CAMERAS = ("a", "b", "c")
DEADLINE_S = 10.0


class Bench:
    """Slots, a worker on them, and what came out."""

    def __init__(self, answer: Callable[[Frame], Detections] = see_nothing) -> None:
        self.slots: Slots[Frame] = Slots(dict.fromkeys(CAMERAS, WhenFull.DROP_OLDEST), FakeClock())
        self.detector = FakeDetector(answer=answer)
        self.out: Channel[Ticketed] = Channel(1000, WhenFull.BLOCK)

    def work(self, batch: int, batch_wait_s: float = 0.0) -> DetectWork:
        """A worker that takes batches."""
        teller = Teller(CollectorRegistry(), logging.getLogger("test"))
        return DetectWork(
            self.detector,
            self.slots,
            self.out,
            {each: LabelFilter(("person",), None, "keep_labels") for each in CAMERAS},
            StreamHappenings(teller, PipelineHappenings(teller)),
            batch=batch,
            batch_wait_s=batch_wait_s,
            watched=WatchedWorker(Heartbeat("detect", FakeClock(), math.inf), DEADLINE_S),
        )

    def put(self, camera_id: str, sequence: int = 1) -> None:
        """A frame of a camera."""
        self.slots.put(camera_id, make_frame(np.zeros((2, 2, 3), np.uint8), camera_id, sequence))

    @property
    def batches(self) -> list[list[str]]:
        """Cameras in each inference."""
        return [[frame.info.camera_id for frame in frames] for frames in self.detector.batches]


@pytest.mark.parametrize(
    ("batch", "expected"), [(1, [["a"], ["b"], ["c"]]), (2, [["a", "b"], ["c"]]), (8, [["a", "b", "c"]])]
)
def test_what_is_there_goes_together(batch: int, expected: list[list[str]]) -> None:
    """Without a time to wait, a batch is what waits already, the longest waiting first."""
    bench = Bench()
    for camera_id in CAMERAS:
        bench.put(camera_id)
    bench.slots.close()

    bench.work(batch).run(no_beat)

    assert bench.batches == expected


def test_a_batch_waits_its_time_for_the_others() -> None:
    """The first frame waits for the other cameras; when all are in, it goes without the rest of the time."""
    bench = Bench()
    waits = threading.Event()
    bench.put("a")
    worker = threading.Thread(target=bench.work(8, 10 * DEADLINE_S).run, args=(waits.set,))
    worker.start()
    assert waits.wait(DEADLINE_S)

    for camera_id in ("b", "c"):
        bench.put(camera_id)
    bench.out.get(DEADLINE_S)
    bench.slots.close()
    worker.join(DEADLINE_S)

    assert bench.batches == [["a", "b", "c"]]


def test_batches_are_fair() -> None:
    """A camera that has another frame at once is not served again before those that wait; tickets have no gaps."""

    def see(frame: Frame) -> Detections:
        if len(bench.batches) < 6:
            bench.put(frame.info.camera_id)
        else:
            bench.slots.close()
        return Detections.empty()

    bench = Bench(see)
    for camera_id in CAMERAS:
        bench.put(camera_id)
    bench.work(2).run(no_beat)
    bench.out.close()

    assert bench.batches[:6] == [["a", "b"], ["c", "a"], ["b", "c"], ["a", "b"], ["c", "a"], ["b", "c"]]
    tickets: dict[str, list[int]] = {}
    for ticketed in bench.out.items():
        tickets.setdefault(ticketed.camera_id, []).append(ticketed.ticket)
    assert all(each == list(range(len(each))) for each in tickets.values())
