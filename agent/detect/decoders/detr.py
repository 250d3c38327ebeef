"""DETR exports (RT-DETR, D-FINE, DEIM): labels, boxes, scores, and an input for the size boxes shall be in.

That size is the model's own here, and the letterbox leads back to the frame, whatever the fit; in half precision it
also keeps boxes finer than the size of a large frame would.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.detect.decoders.candidates import best_first, passing
from agent.detect.decoders.decoder import Family, Limits, Match, Misfit, Outputs
from agent.detect.decoders.signature import Signature, are_scores
from agent.detect.letterbox import Fit, Letterbox
from agent.detect.preprocessing import Preprocessing
from devices.engines.engine import TensorSpec
from trackers import Detections

LABELS, BOXES, SCORES, SIZES = "labels", "boxes", "scores", "orig_target_sizes"


class DetrDecoder:
    """Of each query its class, its corners in model pixels and its score; nothing to suppress."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        limits, found = self._limits, []
        columns = (outputs[LABELS], outputs[BOXES], outputs[SCORES], letterboxes)
        for class_ids, boxes, scores, letterbox in zip(*columns, strict=False):
            rows = np.flatnonzero(scores >= limits.lowest)
            candidates = passing(rows, scores[rows], class_ids[rows].astype(np.intp), limits)
            found.append(best_first(boxes[candidates.rows], candidates, letterbox, limits))
        return found


def _recognise(signature: Signature) -> Match | Misfit:
    outputs = {spec.name: spec for spec in signature.outputs}
    if set(outputs) != {LABELS, BOXES, SCORES}:
        return Misfit(f"it does not give {LABELS}, {BOXES} and {SCORES}")
    sizes = next((spec for spec in signature.inputs if spec.name == SIZES), None)
    if sizes is None or len(signature.inputs) != 2:
        return Misfit(f"it does not take a picture and {SIZES}, so the unit of its boxes is unknown")
    queries = outputs[SCORES].shape
    if len(queries) != 2 or outputs[LABELS].shape != queries or outputs[BOXES].shape != (*queries, 4):
        return Misfit(f"{LABELS}, {BOXES} and {SCORES} are not one label, four numbers and one score a query")
    if not _is_size(sizes):
        return Misfit(f"{SIZES} is not two numbers a picture")
    if not are_scores(signature.sample[SCORES]):
        return Misfit("scores are not between 0 and 1")
    names = signature.names
    return Match(None if names is None else len(names), DetrDecoder, size_input=SIZES)


def _is_size(spec: TensorSpec) -> bool:
    return len(spec.shape) == 2 and spec.shape[1] in {2, None}


FAMILY = Family(
    name="detr",
    expects=f"inputs picture and {SIZES} (batch, 2); outputs {LABELS} (batch, queries), {BOXES} (.., 4), {SCORES}",
    preprocessing=Preprocessing(Fit.STRETCH, 0, "rgb", (0.0,) * 3, (1 / 255,) * 3),
    recognise=_recognise,
)
