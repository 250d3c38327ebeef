"""The work of one session's thread: batches out of the queue, answers to whoever asked."""

from __future__ import annotations

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
        """
        self._lane = lane
        self._detectors = dict(sorted(detectors.items()))
        self._queue = queue
        self._happened = happened
        self._plain = plain
        self._watched = watched
        self._on_warm = on_warm
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
        """Once with each number of pictures, as some run-times make something ready for each."""
        for most in self._detectors:
            for count in {1, most} | {2**power for power in range(most.bit_length() - 1)}:
                with self._watched.inference(1):
                    self._detectors[most].detector.detect([self._plain] * count)
                beat()

    def _search(self, jobs: Jobs) -> None:
        if not jobs:  # all of them have gone meanwhile
            return
        began_s = time.monotonic()
        chosen = next(each for most, each in self._detectors.items() if most >= len(jobs))
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
