"""Danger: detection is slower than the cameras. Live frames are dropped at the slot only, files lose nothing."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from agent.app.line import OVERTAKING_FRAMES
from agent.pipeline.channel import Beat, Channel, WhenFull
from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.pipeline.reorder import Reorder
from agent.pipeline.slots import Slots, Taken
from agent.pipeline.stage import Stage
from agent.pipeline.supervisor import EndReason, Outcome, Supervisor
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.teller import Teller

FRAMES = 300
WORKERS = 3


@dataclass
class Line:
    """Cameras, racing workers and one tracking thread, as the agent wires them, over plain numbers."""

    policies: dict[str, WhenFull]
    work: Callable[[Taken[int]], object] = lambda _taken: None
    frames: Callable[[], Iterable[int]] = lambda: range(FRAMES)
    deepest: int = 0

    def __post_init__(self) -> None:
        self.slots: Slots[int] = Slots(self.policies, FakeClock())
        self.detected: Channel[Taken[int]] = Channel(8, WhenFull.BLOCK)
        self.tracked: dict[str, list[int]] = {key: [] for key in self.policies}

    def run(self) -> Outcome:
        """Play every source to its end."""
        happened = PipelineHappenings(Teller(CollectorRegistry(), logging.getLogger("tests.dangers")))
        captures = [
            self._stage(f"capture-{key}", partial(self._capture, key), partial(self.slots.close, key))
            for key in self.policies
        ]
        workers = [self._stage(f"detect-{number}", self._detect, self.slots.close) for number in range(WORKERS)]
        tracking = [self._stage("track", self._track, self.detected.close)]
        return Supervisor([captures, workers, tracking], happened, Heartbeats(), stop_within_s=5.0).run()

    def _stage(self, name: str, work: Callable[[Beat], object], on_stop: Callable[[], object]) -> Stage:
        return Stage(name, work, on_stop, Heartbeat(name, FakeClock(), limit_s=10.0))

    def _capture(self, key: str, beat: Beat) -> None:
        for frame in self.frames():
            self.slots.put(key, frame, beat=beat)

    def _detect(self, beat: Beat) -> None:
        for batch in self.slots.batches(2, 0.0, beat):
            for taken in batch:
                self.work(taken)
                self.detected.put(taken, beat)

    def _track(self, beat: Beat) -> None:
        reorder: Reorder[int] = Reorder(limit=WORKERS * 2 + OVERTAKING_FRAMES)
        for taken in self.detected.items(beat):
            self.deepest = max(self.deepest, self.detected.depth)
            self.tracked[taken.key] += reorder.put(taken.key, taken.ticket, taken.item)


def test_files_lose_nothing_and_keep_their_order_behind_racing_workers() -> None:
    """Two clips, three workers in batches: every frame is tracked, in order."""
    line = Line({"one": WhenFull.BLOCK, "two": WhenFull.BLOCK})
    outcome = line.run()

    assert outcome == Outcome(EndReason.FINISHED)
    assert line.tracked == {"one": list(range(FRAMES)), "two": list(range(FRAMES))}


def test_live_frames_are_dropped_at_the_slot_and_nowhere_else() -> None:
    """What was not tracked was replaced in the slot; order holds; the newest always arrives; nothing piles up."""
    pause = threading.Event()
    line = Line({"live": WhenFull.DROP_OLDEST}, work=lambda _taken: pause.wait(0.002))
    outcome = line.run()

    seen = line.tracked["live"]
    assert outcome.is_clean
    assert seen == sorted(set(seen))
    assert seen[-1] == FRAMES - 1
    assert len(seen) + line.slots.drops("live").replaced == FRAMES
    assert line.deepest <= 8


@pytest.mark.parametrize("policy", list(WhenFull))
def test_a_worker_that_dies_takes_the_line_down_and_nobody_hangs(policy: WhenFull) -> None:
    """One bug while everything is full: every thread ends, and the outcome names the worker and its exception."""

    def die_at_the_tenth(taken: Taken[int]) -> None:
        if taken.ticket >= 9:
            raise ArithmeticError("a bug at the tenth frame")

    outcome = Line({"one": policy}, work=die_at_the_tenth, frames=itertools.count).run()

    assert outcome.reason is EndReason.FAILED
    assert (outcome.failed_stage or "").startswith("detect-")
    assert isinstance(outcome.error, ArithmeticError)
    assert outcome.leftover == ()
