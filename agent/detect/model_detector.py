"""The detector that runs a model: frames are painted, inferred in batches, and read by the family's decoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.clock import Clock
from agent.detect.canvas import Canvas
from agent.detect.decoders.signature import told
from agent.detect.detection_plan import DetectionPlan
from agent.detect.letterbox import fit_frame
from agent.errors import DetectionError, ModelError
from agent.stream.frame import Frame
from agent.telemetry.detect import DetectHappenings
from agent.telemetry.pipeline import PipelineHappenings
from devices.engines.engine import Session, Tensors, TensorSpec
from devices.errors import InferenceError
from trackers import Detections


class ModelDetector:
    """One detect worker's way from frames to detections; used by that one thread."""

    def __init__(
        self,
        session: Session,
        plan: DetectionPlan,
        *,
        runtime: str,
        clock: Clock,
        happened: DetectHappenings,
        stages: PipelineHappenings,
    ) -> None:
        """Put the parts together; the buffer for one batch of pictures is made here and reused.

        Args:
            session: of an engine that was loaded with `plan.image`; closed by `close`.
            plan: how the model is fed and read.
            runtime: the run-time's name, for metrics.
            clock: times each step.
            happened: is told what happens.
            stages: is told how long each step took.
        """
        self._session = session
        self._plan = plan
        self._runtime = runtime
        self._clock = clock
        self._happened = happened
        self._stages = stages
        size = (plan.image.width_px, plan.image.height_px)
        self._canvas = Canvas(plan.batch, size, plan.preprocessing.fit, plan.preprocessing.pad_value)
        # Boxes are asked for in the model's own pixels; the letterbox leads back from there.
        self._sizes = (
            None if plan.size_input is None else np.tile(np.array(size, plan.size_input.dtype), (plan.batch, 1))
        )

    @property
    def labels(self) -> tuple[str, ...]:
        """Text of every class id, in order."""
        return self._plan.labels.texts

    def verify(self) -> None:
        """Run once on an empty picture, for warmth, and hold the answer against the plan.

        Raises:
            ModelError: the engine does not answer as the plan says.
        """
        size = (self._plan.image.width_px, self._plan.image.height_px)
        plain = fit_frame(size, size, self._plan.preprocessing.fit)
        try:
            for count in sorted({self._plan.batch, self._rows(1)}):
                self._plan.decoder.decode(self._infer(count), [plain] * count)
        except DetectionError as error:
            raise ModelError(f"{self._plan.path} on {self._runtime}: {error}") from error

    def detect(self, frames: Sequence[Frame]) -> list[Detections]:
        """What is in each frame, in frame pixels, not clipped, best score first.

        Raises:
            DetectionError: this call failed; the next may work.
        """
        found: list[Detections] = []
        for start in range(0, len(frames), self._plan.batch):
            found += self._detect_batch(frames[start : start + self._plan.batch])
        return found

    def close(self) -> None:
        """Let go of the session; may be called twice."""
        self._session.close()

    def _detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        began_s = self._clock.monotonic_s()
        letterboxes = self._canvas.paint(frames)
        painted_s = self._clock.monotonic_s()
        try:
            outputs = self._infer(self._rows(len(frames)))
            inferred_s = self._clock.monotonic_s()
            found = self._plan.decoder.decode(outputs, letterboxes)
        except DetectionError as error:
            self._happened.inference_failed(self._plan.model, self._runtime, error)
            raise
        self._tell(frames, (began_s, painted_s, inferred_s, self._clock.monotonic_s()), found)
        return found

    def _rows(self, count: int) -> int:
        """How many pictures one inference of `count` frames takes."""
        return self._plan.batch if self._plan.is_batch_fixed else count

    def _infer(self, rows: int) -> Tensors:
        tensors: dict[str, npt.NDArray[Any]] = {self._plan.image.name: self._canvas.pixels[:rows]}
        if self._plan.size_input is not None and self._sizes is not None:
            tensors[self._plan.size_input.name] = self._sizes[:rows]
        try:
            outputs = self._session.infer(tensors)
        except InferenceError as error:
            raise DetectionError(str(error)) from error
        for spec in self._plan.outputs:
            _refuse_unfit(spec, outputs.get(spec.name), rows)
        return outputs

    def _tell(
        self, frames: Sequence[Frame], times_s: tuple[float, float, float, float], found: Sequence[Detections]
    ) -> None:
        began_s, painted_s, inferred_s, done_s = times_s
        self._happened.inferred(self._plan.model, self._runtime, len(frames), inferred_s - painted_s)
        share = 1.0 / len(frames)
        for frame, detections in zip(frames, found, strict=True):
            camera_id = frame.info.camera_id
            self._stages.stage_took("preprocess", camera_id, (painted_s - began_s) * share)
            self._stages.stage_took("inference", camera_id, (inferred_s - painted_s) * share)
            self._stages.stage_took("postprocess", camera_id, (done_s - inferred_s) * share)
            self._happened.detected(camera_id, self.labels, detections.class_ids)


def _refuse_unfit(spec: TensorSpec, output: npt.NDArray[Any] | None, rows: int) -> None:
    """Raise DetectionError unless an output has the planned shape and holds numbers only."""
    if output is None:
        raise DetectionError(f"expected output {told(spec)}, got none of that name")
    if output.shape != (rows, *spec.shape[1:]):
        raise DetectionError(f"expected output {told(spec)} for {rows} pictures, got shape {output.shape}")
    if output.dtype.kind == "f" and not _is_finite(output):
        raise DetectionError(f"output {spec.name} holds values that are not a number, or infinite")


def _is_finite(output: npt.NDArray[Any]) -> bool:
    """By the sum, which takes half the time: it is finite only where every value is; a huge one may still be fine."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = output.sum()
    return bool(np.isfinite(total)) or bool(np.isfinite(output).all())
