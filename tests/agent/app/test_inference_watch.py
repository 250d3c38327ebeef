"""An inference that does not come back is noticed; one that may take its time is not."""

from __future__ import annotations

import pytest
from fakes.clock import FakeClock
from fakes.events import metric, teller

from agent.app.inference_watch import FIRST_LIMIT_S, InferenceWatch, WatchedWorker
from agent.errors import EngineHungError
from agent.pipeline.heartbeat import Heartbeat
from agent.telemetry.detect import DetectHappenings

LIMIT_S = 5.0


class Watched:
    """A watch over one worker that has had its first inference."""

    def __init__(self) -> None:
        self.clock, self.teller = FakeClock(), teller()
        self.watch = InferenceWatch("yolox_nano", "a run-time", LIMIT_S, self.clock, DetectHappenings(self.teller))
        self.heartbeat = Heartbeat("detect-0", self.clock, 30.0)
        self.worker: WatchedWorker = self.watch.worker(self.heartbeat)
        with self.worker.inference(1):
            pass

    def pass_time(self, seconds: float, turn_s: float = 0.25) -> None:
        """The watch turns meanwhile."""
        for _ in range(round(seconds / turn_s)):
            self.clock.advance(turn_s)
            self.watch.turn()


def test_a_hang_is_noticed_and_named() -> None:
    """Beyond the limit everything ends with an error that names model, engine and key; the worker is given up."""
    watched, given_up = Watched(), []
    watched.worker.give_up = lambda: given_up.append(1)
    watched.watch.turn()
    with watched.worker.inference(1), pytest.raises(EngineHungError, match=r"yolox_nano on a run-time.*deadline"):
        watched.pass_time(LIMIT_S + 1)

    assert given_up == [1]
    assert metric(watched.teller, "engine_hangs_total", model="yolox_nano") == 1


def test_many_inferences_in_time_are_no_hang() -> None:
    """Each has its own time; between them nothing counts."""
    watched = Watched()
    for _ in range(20):
        with watched.worker.inference(1):
            watched.pass_time(LIMIT_S - 1)
        watched.pass_time(LIMIT_S * 2)


def test_the_first_inference_of_a_size_may_compile() -> None:
    """It has minutes, and the worker counts as alive meanwhile; the second has not."""
    watched = Watched()
    with watched.worker.inference(4):
        watched.pass_time(FIRST_LIMIT_S - 10)
        assert not watched.heartbeat.is_stalled
    with watched.worker.inference(4), pytest.raises(EngineHungError):
        watched.pass_time(LIMIT_S + 1)


def test_a_process_that_stood_still_does_not_blame_the_engine() -> None:
    """Stopped and continued an hour later in the middle of an inference: that is one turn."""
    watched = Watched()
    with watched.worker.inference(1):
        watched.pass_time(1.0)
        watched.clock.advance(3600.0)
        watched.watch.turn()


def test_a_worker_that_left_is_not_watched() -> None:
    """Whatever it was doing."""
    watched = Watched()
    with watched.worker.inference(1):
        watched.watch.forget(watched.worker)
        watched.pass_time(LIMIT_S * 2)
