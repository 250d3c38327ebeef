"""A session's loop: whose picture spoils a batch, and when an engine is given up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from models.detecting import make_frame, make_teller

from agent.errors import DetectionError
from agent.pipeline.channel import no_beat
from agent.serve.asked import Asked
from agent.serve.batch_queue import BatchQueue, Lane
from agent.serve.batch_work import BatchWork, LaneDetector, best_size, sizes_up_to
from agent.serve.job import Job
from agent.serve.refusal import Code, RefusedRequestError
from agent.stream.frame import Frame
from agent.telemetry.serve import ServeHappenings
from trackers import Detections

PLAIN = make_frame(np.zeros((4, 4, 3), np.uint8), sequence=0)
ASKED = Asked(0.5, 0.5, 10)


class Picky:
    """A detector that fails at a batch with certain pictures in it."""

    def __init__(self, bad: Sequence[int] = (), *, takes_s: float = 0.002, takes_s_each: float = 0.0) -> None:
        self.takes_s = takes_s
        self._takes_s_each = takes_s_each
        self.labels = ("thing",)
        self.batches: list[list[int]] = []
        self.is_closed = False
        self._bad = set(bad)

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        numbers = [frame.info.sequence for frame in frames]
        self.batches.append(numbers)
        time.sleep((0.0 if self._takes_s_each else self.takes_s) + self._takes_s_each * len(frames))
        if self._bad & set(numbers):
            raise DetectionError("cannot bear this one")
        return [Detections.empty()] * len(frames)

    def close(self) -> None:
        self.is_closed = True


class Unwatched:
    """Nobody watches."""

    @contextmanager
    def inference(self, pictures: int) -> Iterator[None]:
        assert pictures == 1
        yield


def job(number: int) -> Job:
    """A picture with a number."""
    return Job(make_frame(np.zeros((4, 4, 3), np.uint8), sequence=number), ASKED)


def work(detectors: dict[int, Picky], numbers: Sequence[int], batch: int) -> tuple[BatchWork, list[Job]]:
    """A lane's loop over these pictures, then the end."""
    lane = Lane("a", "cpu 0")
    queue = BatchQueue([lane], batch, 0.0)
    jobs = [job(number) for number in numbers]
    for each in jobs:
        queue.put(each)
    queue.close()
    made = {
        most: LaneDetector(detector, cast("Any", SimpleNamespace(asked=()))) for most, detector in detectors.items()
    }
    return BatchWork(lane, made, queue, ServeHappenings(make_teller()), plain=PLAIN, watched=Unwatched()), jobs


def outcomes(jobs: Sequence[Job]) -> list[Code | None]:
    """Why each was refused, or None."""
    errors = [each.future.exception(0) for each in jobs]
    return [error.code if isinstance(error, RefusedRequestError) else None for error in errors]


def test_one_bad_picture_does_not_spoil_the_batch() -> None:
    """When an inference of several fails, each is searched alone; only the bad one is refused."""
    detector = Picky(bad=[3])
    loop, jobs = work({4: detector}, [1, 2, 3, 4], batch=4)
    loop.run(no_beat)

    assert outcomes(jobs) == [None, None, Code.INFERENCE_FAILED, None]
    assert detector.batches[-5:] == [[1, 2, 3, 4], [1], [2], [3], [4]]
    assert detector.is_closed


def test_failures_in_a_row_end_the_loop() -> None:
    """The fifth raises; what still waits is refused."""
    loop, jobs = work({1: Picky(bad=range(2, 9))}, range(1, 9), batch=1)
    with pytest.raises(DetectionError, match="5 inferences in a row failed"):
        loop.run(no_beat)

    assert outcomes(jobs) == [None, *[Code.INFERENCE_FAILED] * 5, *[Code.ENGINE_LOST] * 2]


def test_the_smallest_engine_that_fits_is_used() -> None:
    """One picture goes to the engine made for one."""
    single, whole = Picky(), Picky(takes_s=0.002)
    loop, jobs = work({8: whole, 1: single}, range(1, 10), batch=8)
    loop.run(no_beat)

    assert outcomes(jobs) == [None] * 9
    assert whole.batches[-1] == list(range(1, 9))
    assert single.batches[-1] == [9]
    assert {len(batch) for batch in whole.batches} == {2, 4, 8}
    assert {len(batch) for batch in single.batches} == {1}


def test_batches_that_do_not_pay_are_not_made() -> None:
    """Where eight pictures take eight times as long as one, each goes alone, whatever waits."""
    detector = Picky(takes_s_each=0.003)
    loop, jobs = work({8: detector}, range(1, 5), batch=8)
    loop.run(no_beat)

    assert outcomes(jobs) == [None] * 4
    assert detector.batches[-4:] == [[1], [2], [3], [4]]


@pytest.mark.parametrize(
    ("took_s", "best"),
    [
        ({1: 1.0, 2: 2.0, 4: 4.0, 8: 8.0}, 1),
        ({1: 1.0, 2: 1.99, 4: 3.95, 8: 7.9}, 1),
        ({1: 1.0, 2: 1.2, 4: 2.0, 8: 3.9}, 4),
        ({1: 1.0, 2: 2.2, 4: 3.0, 8: 3.0}, 8),
        ({3: 5.0}, 3),
    ],
)
def test_the_best_size(took_s: dict[int, float], best: int) -> None:
    """The least time a picture, and of nearly equal ones the smaller."""
    assert best_size(took_s) == best


def test_the_sizes_that_are_tried() -> None:
    """Powers of two, and the largest."""
    assert [sizes_up_to(most) for most in (1, 2, 6, 8)] == [[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]]
