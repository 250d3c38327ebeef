"""What each layer costs when it alone is quantised: those that cost most are kept in float first."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from agent.detect.detection_plan import DetectionPlan
from agent.detect.exam_questions import Questions
from agent.models.quantize.apartness import apart
from devices.engines.onnxruntime_quantised import rearranged
from devices.models.calibration_histogram import Range
from devices.models.onnx_running import OnnxRun
from devices.models.onnx_whole import whole_bytes
from devices.models.qdq_layers import Layer
from devices.models.qdq_writing import quantised
from trackers import Detections

LOOKED_AT = 8
"""Pictures that layers are compared on: those of the calibration set in which the float model finds most."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LayerCost:
    """How far the model is apart from the float one with this layer alone quantised; 0 to 1."""

    layer: Layer
    apart: float


class Sensitivity:
    """Asks models the same questions as the float one; used by one thread."""

    def __init__(self, proto: onnx.ModelProto, plan: DetectionPlan, questions: Questions, threads: int) -> None:
        """Ask the float model.

        Raises:
            DevicesError, DetectionError: it does not run, or answer.
        """
        self._proto = proto
        self._plan = plan
        self._threads = threads
        found = self._found(proto, questions)
        weights = [float(sum(each.scores.sum() for each in row)) for row in found]
        chosen = sorted(sorted(range(len(found)), key=lambda place: -weights[place])[:LOOKED_AT])
        self._expected = [found[place] for place in chosen]
        self._questions = Questions(
            tuple(questions.tensors[place] for place in chosen), tuple(questions.letterboxes[place] for place in chosen)
        )

    def costs(
        self, layers: Sequence[Layer], ranges: Mapping[str, Range], progress: Progress = lambda _d, _t: None
    ) -> list[LayerCost]:
        """Quantise each layer alone; the costliest first.

        Raises:
            DevicesError: a model does not run.
        """
        found = []
        for layer in layers:
            found.append(LayerCost(layer, self.apart_with([layer], ranges)))
            progress(len(found), len(layers))
        return sorted(found, key=lambda cost: -cost.apart)

    def apart_with(self, layers: Sequence[Layer], ranges: Mapping[str, Range]) -> float:
        """With all of these quantised, as ONNX Runtime would run it: the arrangement that rounds most.

        Raises:
            DevicesError: the model does not run.
        """
        made = quantised(self._proto, layers, ranges)
        rearranged(made)
        given = self._found(made, self._questions)
        return apart([each for row in self._expected for each in row], [each for row in given for each in row])

    def _found(self, proto: onnx.ModelProto, questions: Questions) -> list[list[Detections]]:
        with tempfile.TemporaryDirectory(prefix="sitewatch-") as folder:
            path = Path(folder) / "model.onnx"
            path.write_bytes(whole_bytes(path, proto))
            run = OnnxRun(path, self._plan.image, optimised=True, threads=self._threads)
            asked = zip(questions.tensors, questions.letterboxes, strict=True)
            return [self._plan.exam_decoder.decode(run.answer(tensors), boxes) for tensors, boxes in asked]


def without(layers: Sequence[Layer], costs: Sequence[LayerCost], count: int) -> list[Layer]:
    """The layers without the `count` costliest."""
    kept = {cost.layer.name for cost in costs[:count]}
    return [layer for layer in layers if layer.name not in kept]
