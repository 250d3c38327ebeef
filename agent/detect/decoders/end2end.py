"""End-to-end YOLO (YOLOv10, YOLO26, exports with suppression inside): rows of corners, score, class."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.candidates import best_first, passing
from agent.detect.decoders.decoder import Certainty, Family, Limits, Match, Misfit, Outputs
from agent.detect.decoders.grid import known_cell_counts
from agent.detect.decoders.signature import Signature, are_scores, lone_table, lone_table_name
from agent.detect.letterbox import Fit, Letterbox
from agent.detect.preprocessing import Preprocessing
from trackers import Detections


class End2endDecoder:
    """Rows are x1, y1, x2, y2 in model pixels, score, class; rows with a score of zero are not used."""

    def __init__(self, output: str, limits: Limits) -> None:
        self._output = output
        self._limits = limits

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        limits, found = self._limits, []
        for table, letterbox in zip(outputs[self._output], letterboxes, strict=False):
            rows = np.flatnonzero((table[:, 4] >= limits.lowest) & (table[:, 4] > 0.0))
            candidates = passing(rows, table[rows, 4], table[rows, 5].astype(np.intp), limits)
            found.append(best_first(table[candidates.rows, :4], candidates, letterbox, limits))
        return found


def _recognise(signature: Signature) -> Match | Misfit:
    table = lone_table(signature)
    if isinstance(table, str):
        return Misfit(table)
    rows, columns = table.shape[1:]
    if columns != 6:
        return Misfit(f"output is rows of {columns}, where 6 belong")
    if not _are_detections(table):
        return Misfit("the fifth column is no score, or the sixth no class number")
    names = signature.names
    decoder = partial(End2endDecoder, lone_table_name(signature))
    is_grid = rows in known_cell_counts(signature.width_px, signature.height_px)
    certainty = Certainty.POSSIBLE if is_grid else Certainty.CLEAR
    return Match(None if names is None else len(names), decoder, certainty)


def _are_detections(table: npt.NDArray[np.float32]) -> bool:
    class_ids = table[..., 5]
    return are_scores(table[..., 4]) and bool((class_ids == np.round(class_ids)).all() and (class_ids >= 0).all())


FAMILY = Family(
    name="end2end",
    expects="one output (batch, detections, 6): corners in pixels, score, class",
    preprocessing=Preprocessing(Fit.LETTERBOX_CENTRE, 114, "rgb", (0.0,) * 3, (1 / 255,) * 3),
    recognise=_recognise,
)
