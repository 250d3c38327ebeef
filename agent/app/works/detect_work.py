"""The work of one detect worker: frames out of the slots, detections towards tracking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.app.inference_watch import WatchedWorker
from agent.app.works.ticketed import Ticketed
from agent.detect.detected import DetectedFrame
from agent.detect.detector import Detector
from agent.detect.label_choice import LabelFilter
from agent.errors import DetectionError
from agent.pipeline.channel import Beat, Channel
from agent.pipeline.slots import Slots, Taken
from agent.stream.frame import Frame
from agent.telemetry.stream import FrameDrop, StreamHappenings
from trackers import Detections

# An engine that fails this often in a row will not mend itself; a clean process may.
FAILURES_IN_A_ROW = 5


class DetectWork:
    """One detect worker's loop; `run` belongs to its thread."""

    def __init__(
        self,
        detector: Detector,
        slots: Slots[Frame],
        out: Channel[Ticketed],
        filters: Mapping[str, LabelFilter],
        happened: StreamHappenings,
        *,
        batch: int,
        watched: WatchedWorker,
        batch_wait_s: float = 0.0,
    ) -> None:
        """A worker not yet running.

        Args:
            detector: this worker's own.
            slots: one a camera, shared by all workers.
            out: towards tracking.
            filters: which labels count, by camera.
            happened: is told of frames lost here.
            batch: most frames one inference takes.
            batch_wait_s: how long the first of them waits for the others.
            watched: is told when an inference runs.
        """
        self._detector = detector
        self._slots = slots
        self._out = out
        self._filters = filters
        self._happened = happened
        self._batch = batch
        self._batch_wait_s = batch_wait_s
        self._watched = watched
        self._failures = 0
        self._is_dismissed = False

    def dismiss(self) -> None:
        """Make `run` end soon although frames go on coming: others take over. Any thread."""
        self._is_dismissed = True

    def run(self, beat: Beat) -> None:
        """Detect until every slot is closed and empty, or until dismissed.

        Raises:
            DetectionError: too many failures in a row.
        """
        try:
            for taken in self._slots.batches(self._batch, self._batch_wait_s, beat, lambda: self._is_dismissed):
                for ticketed in self._detect(taken):
                    self._out.put(ticketed, beat)
        finally:
            self._detector.close()

    def _detect(self, taken: Sequence[Taken[Frame]]) -> list[Ticketed]:
        try:
            with self._watched.inference(len(taken)):
                found = self._detector.detect([entry.item for entry in taken])
        except DetectionError:
            self._failures += 1
            if self._failures >= FAILURES_IN_A_ROW:
                raise
            return [self._passed_over(entry) for entry in taken]
        self._failures = 0
        return [self._ticketed(entry, detections) for entry, detections in zip(taken, found, strict=True)]

    def _ticketed(self, entry: Taken[Frame], detections: Detections) -> Ticketed:
        self._happened.detected(entry.key)
        kept = self._filters[entry.key](detections)
        return Ticketed(entry.key, entry.ticket, DetectedFrame(entry.item, kept, self._detector.labels))

    def _passed_over(self, entry: Taken[Frame]) -> Ticketed:
        self._happened.frame_dropped(entry.key, FrameDrop.INFERENCE_FAILED)
        return Ticketed(entry.key, entry.ticket, None)
