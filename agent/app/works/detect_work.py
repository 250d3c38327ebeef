"""The work of one detect worker: frames out of the slots, detections towards tracking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.app.works.ticketed import Ticketed
from agent.detect.detected import DetectedFrame
from agent.detect.detector import Detector
from agent.detect.kept_labels import KeptLabels
from agent.errors import DetectionError
from agent.pipeline.channel import Beat, Channel
from agent.pipeline.slots import Slots, Taken
from agent.stream.frame import Frame
from agent.telemetry.stream import StreamHappenings
from agent.telemetry.detect import DetectHappenings

# An engine that fails this often in a row will not mend itself; a clean process may.
FAILURES_IN_A_ROW = 5


class DetectWork:
    """One detect worker's loop; `run` belongs to its thread."""

    def __init__(
        self,
        detector: Detector,
        slots: Slots[Frame],
        out: Channel[Ticketed],
        kept: Mapping[str, KeptLabels],
        happened: DetectHappenings,
        *,
        batch: int,
        batch_wait_s: float,
    ) -> None:
        """A worker not yet running.

        Args:
            detector: this worker's own.
            slots: one a camera, shared by the workers of one model.
            out: towards tracking.
            kept: which labels each camera wants.
            happened: told what happens.
            batch: most frames one inference takes.
            batch_wait_s: how long to wait for a full batch once a frame is there.
        """
        self._detector = detector
        self._slots = slots
        self._out = out
        self._kept = kept
        self._happened = happened
        self._batch = batch
        self._batch_wait_s = batch_wait_s
        self._failures = 0

    def run(self, beat: Beat) -> None:
        """Detect until every slot is closed and empty.

        Raises:
            DetectionError: too many failures in a row.
        """
        for taken in self._slots.batches(self._batch, self._batch_wait_s, beat):
            for ticketed in self._detect(taken):
                self._out.put(ticketed, beat)

    def _detect(self, taken: Sequence[Taken[Frame]]) -> list[Ticketed]:
        try:
            found = self._detector.detect([entry.item for entry in taken])
        except DetectionError as error:
            self._failures += 1
            for entry in taken:
                self._happened.inference_failed(entry.key, str(error))
            if self._failures >= FAILURES_IN_A_ROW:
                raise
            return [Ticketed(entry.key, entry.ticket, None) for entry in taken]
        self._failures = 0
        return [
            Ticketed(entry.key, entry.ticket, self._detected(entry, detections))
            for entry, detections in zip(taken, found, strict=True)
        ]
