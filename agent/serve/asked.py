"""What a request asks for: which detections count. Defaults are the server's."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from agent.detect.decoders.decoder import Decoder, Limits, Outputs
from agent.detect.detection_plan import DetectionPlan
from agent.detect.letterbox import Letterbox
from agent.serve.refusal import Code, RefusedRequestError
from trackers import Detections

REMEMBERED = 64


@dataclass(frozen=True)
class Asked:
    """Which detections count.

    Attributes:
        score_threshold, iou_threshold: 0 to 1.
        max_detections: the best so many.
        labels: those that count, or None for all.
    """

    score_threshold: float
    iou_threshold: float
    max_detections: int
    labels: frozenset[str] | None = None


def refuse_unknown(labels: Sequence[str], known: Sequence[str]) -> None:
    """Raise RefusedRequestError where a label is none of the model's."""
    unknown = [label for label in labels if label not in known]
    if unknown:
        near = difflib.get_close_matches(unknown[0], known, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, known[:10]))}, ..."
        raise RefusedRequestError(Code.BAD_PARAMETER, f"label: {unknown[0][:60]!r} is no label of this model; {advice}")


class AskedDecoder:
    """Reads each picture of a batch with what its request asked for; used by one thread.

    Attributes:
        asked: of the pictures of the next call, in order; where their number is another, the plan's limits hold.
    """

    def __init__(self, plan: DetectionPlan) -> None:
        self.asked: Sequence[Asked] = ()
        self._plan = plan
        self._decoder_for = lru_cache(REMEMBERED)(self._made)

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        if len(self.asked) != len(letterboxes):
            return self._plan.decoder.decode(outputs, letterboxes)
        if len(set(self.asked)) == 1:
            return self._decoder_for(self.asked[0]).decode(outputs, letterboxes)
        return [
            self._decoder_for(asked).decode({name: each[row : row + 1] for name, each in outputs.items()}, [letterbox])[
                0
            ]
            for row, (asked, letterbox) in enumerate(zip(self.asked, letterboxes, strict=True))
        ]

    def _made(self, asked: Asked) -> Decoder:
        labels = self._plan.labels.texts
        thresholds = np.full(len(labels), asked.score_threshold, np.float32)
        if asked.labels is not None:
            thresholds[[label not in asked.labels for label in labels]] = np.inf
        return self._plan.decoder_for(Limits(thresholds, asked.iou_threshold, asked.max_detections))
