"""YOLOv8, YOLO11 and what follows their layout: channels first, a box in pixels and a score a class, no objectness."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from agent.detect.decoders.candidates import corners, reaching, suppressed
from agent.detect.decoders.decoder import Family, Limits, Match, Misfit, Outputs
from agent.detect.decoders.grid import known_cell_counts
from agent.detect.decoders.signature import Signature, are_scores, lone_table, lone_table_name
from agent.detect.letterbox import Fit, Letterbox
from agent.detect.preprocessing import Preprocessing
from trackers import Detections


class Yolov8Decoder:
    """Columns are candidates; rows are centre x, centre y, width, height in model pixels, then classes."""

    def __init__(self, output: str, limits: Limits) -> None:
        self._output = output
        self._limits = limits

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        limits, found = self._limits, []
        for table, letterbox in zip(outputs[self._output], letterboxes, strict=False):
            # Whole rows are read as they lie in memory; only the few columns left are turned.
            columns = np.flatnonzero(table[4:].max(axis=0) >= limits.lowest)
            promising = np.ascontiguousarray(table[:, columns].T)
            candidates = reaching(promising[:, 4:], limits)
            boxes = corners(promising[candidates.rows, :4])
            found.append(suppressed(boxes, candidates, letterbox, limits))
        return found


def _recognise(signature: Signature) -> Match | Misfit:
    table = lone_table(signature)
    if isinstance(table, str):
        return Misfit(table)
    rows, columns = table.shape[1:]
    if rows < 5 or columns not in known_cell_counts(signature.width_px, signature.height_px):
        return Misfit(f"output is {rows} rows of {columns}, where at least 5 rows of one column a cell belong")
    if not are_scores(table[:, 4:]):
        return Misfit("rows from the fifth on are not between 0 and 1")
    return Match(rows - 4, partial(Yolov8Decoder, lone_table_name(signature)))


FAMILY = Family(
    name="yolov8",
    expects="one output (batch, 4 + classes, cells): centre and size in pixels, classes",
    preprocessing=Preprocessing(Fit.LETTERBOX_CENTRE, 114, "rgb", (0.0,) * 3, (1 / 255,) * 3),
    recognise=_recognise,
)
