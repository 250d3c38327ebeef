"""The work of one session's thread: batches out of the queue, answers to whoever asked."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from agent.detect.detector import Detector
from agent.errors import DetectionError
from agent.pipeline.channel import Beat, ChannelClosed
from agent.serve.asked import AskedDecoder
from agent.serve.batch_queue import BatchQueue, Lane
from agent.serve.job import Found, Job
from agent.serve.refusal import Code, RefusedRequestError
from agent.stream.frame import Frame
from agent.telemetry.serve import ServeHappenings

# An engine that fails this often in a row will not mend itself; a clean process may.
FAILURES_IN_A_ROW = 5
# What one size of batch is measured with.
TRIALS = 4
TRIALS_WITHIN_S = 2.0
# A larger batch makes everybody in it wait longer, so it must save at least this share of a picture's time.
WORTH = 0.03


class Watched(Protocol):
    """Notices an inference that never comes back."""

    def inference(self, pictures: int) -> AbstractContextManager[None]:
        """While entered, an inference runs."""


@dataclass(frozen=True, eq=False)
class LaneDetector:
    """A detector and the decoder within, which is told what each picture was asked for."""

    detector: Detector
    decoder: AskedDecoder


Jobs = Sequence[tuple[Job, float]]


class BatchWork:
    """One lane's loop; `run` belongs to its thread."""

    def __init__(
        self,
        lane: Lane,
        detectors: Mapping[int, LaneDetector],
        queue: BatchQueue,
        happened: ServeHappenings,
        *,
        plain: Frame,
        watched: Watched,
        on_warm: Callable[[], None] = lambda: None,
        is_measured: bool = True,
    ) -> None:
        """A lane not yet running.

        Args:
            lane: which.
            detectors: by the most pictures that each takes at once; the smallest that fits is used.
            queue: shared by all lanes.
            happened: is told what happens.
            plain: a frame to warm up with.
            watched: is told when an inference runs.
            on_warm: is called when the first picture can come.
            is_measured: batches only grow to the size that pays.
        """
        self._lane = lane
        self._detectors = dict(sorted(detectors.items()))
        self._queue = queue
        self._happened = happened
        self._plain = plain
        self._watched = watched
        self._on_warm = on_warm
        self._is_measured = is_measured
        self._failures = 0

    def run(self, beat: Beat) -> None:
        """Search until the queue is closed and empty.

        Raises:
            DetectionError: too many failures in a row.
        """
        try:
            self._warm_up(beat)
            self._on_warm()
            while True:
                jobs = self._queue.take(self._lane, beat)
                beat()
                self._search(jobs)
        except ChannelClosed:
            pass
        except BaseException as error:
            self._queue.lose(f"{self._lane.name} failed: {' '.join(str(error).split())}")
            raise
        finally:
            for each in self._detectors.values():
                each.detector.close()

    def _warm_up(self, beat: Beat) -> None:
        """Search a plain picture with each size of batch, and keep to those that pay."""
        took_s = {}
        for count in sizes_up_to(max(self._detectors)):
            took_s[count] = self._least_s(count, beat)
        self._lane.most = best_size(took_s) if self._is_measured else max(took_s)
        self._happened.measured(self._lane.name, took_s, self._lane.most)

    def _least_s(self, count: int, beat: Beat) -> float:
        """Seconds of the quickest of a few inferences; the first may make something ready and does not count."""
        chosen, frames = self._chosen(count), [self._plain] * count
        took_s: list[float] = []
        until_s = math.inf
        while len(took_s) <= TRIALS and (not took_s or time.monotonic() < until_s):
            began_s = time.monotonic()
            with self._watched.inference(1):
                chosen.detector.detect(frames)
            took_s.append(time.monotonic() - began_s)
            until_s = min(until_s, time.monotonic() + TRIALS_WITHIN_S)
            beat()
        return min(took_s[1:] or took_s)

    def _chosen(self, count: int) -> LaneDetector:
        """The smallest that takes so many."""
        return next(each for most, each in self._detectors.items() if most >= count)

    def _search(self, jobs: Jobs) -> None:
        if not jobs:  # all of them have gone meanwhile
            return
        began_s = time.monotonic()
        chosen = self._chosen(len(jobs))
        chosen.decoder.asked = [job.asked for job, _ in jobs]
        try:
            # Always the same number: every one was tried when warming up.
            with self._watched.inference(1):
                found = chosen.detector.detect([job.frame for job, _ in jobs])
        except DetectionError as error:
            self._failed(jobs, error)
            return
        finally:
            chosen.decoder.asked = ()
        self._failures = 0
        self._queue.finish(self._lane)
        took_s = time.monotonic() - began_s
        self._happened.searched(self._lane.device, len(jobs))
        for (job, waited_s), detections in zip(jobs, found, strict=True):
            job.settle(Found(detections, self._lane.name, len(jobs), waited_s, took_s))

    def _failed(self, jobs: Jobs, error: DetectionError) -> None:
        """Of several, find out whose fault it is: each is searched alone."""
        if len(jobs) > 1:
            for each in jobs:
                self._search([each])
            return
        self._failures += 1
        jobs[0][0].refuse(RefusedRequestError(Code.INFERENCE_FAILED, f"the inference failed: {error}"))
        if self._failures >= FAILURES_IN_A_ROW:
            raise DetectionError(
                f"{self._failures} inferences in a row failed, the last: {error}; only a new process can mend that"
            ) from error


def sizes_up_to(most: int) -> list[int]:
    """1, 2, 4, ... and the most."""
    return sorted({most, *(2**power for power in range(most.bit_length()))})


def best_size(took_s: Mapping[int, float]) -> int:
    """The batch to go up to: the one with the least time a picture, if it saves enough over each smaller one.

    On a processor a batch often costs as much as its pictures one by one, or more; an accelerator gains by it.
    """
    best = min(took_s)
    for count in sorted(took_s):
        if took_s[count] / count < (1 - WORTH) * took_s[best] / best:
            best = count
    return best
