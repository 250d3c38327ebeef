"""YOLOv5 and YOLOv7: rows of a box in pixels, objectness, classes; the decoding is in the graph.

Layout as the exporters of that family write it; with three anchors a cell, or one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from agent.detect.decoders.candidates import corners, scored_rows, suppressed
from agent.detect.decoders.decoder import Certainty, Family, Limits, Match, Misfit, Outputs
from agent.detect.decoders.grid import Head, cell_count, head_kind, known_cell_counts
from agent.detect.decoders.signature import Signature, are_scores, lone_table, lone_table_name
from agent.detect.letterbox import Fit, Letterbox
from agent.detect.preprocessing import Preprocessing
from trackers import Detections

ANCHORS = 3


class Yolov5Decoder:
    """Rows are centre x, centre y, width, height in model pixels, objectness, classes."""

    def __init__(self, output: str, limits: Limits) -> None:
        self._output = output
        self._limits = limits

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        found = []
        for table, letterbox in zip(outputs[self._output], letterboxes, strict=False):
            candidates = scored_rows(table, self._limits)
            boxes = corners(table[candidates.rows, :4])
            found.append(suppressed(boxes, candidates, letterbox, self._limits))
        return found


def _recognise(signature: Signature) -> Match | Misfit:
    table = lone_table(signature)
    if isinstance(table, str):
        return Misfit(table)
    picture_px = (signature.width_px, signature.height_px)
    rows, columns = table.shape[1:]
    counts = known_cell_counts(*picture_px)
    if columns < 6 or rows not in {cell_count(*picture_px), *(ANCHORS * count for count in counts)}:
        return Misfit(f"output is {rows} rows of {columns}, where one or three a cell, of at least 6, belong")
    if not are_scores(table[..., 4:]):
        return Misfit("columns from the fifth on are not between 0 and 1")
    match = partial(Match, columns - 5, partial(Yolov5Decoder, lone_table_name(signature)))
    if rows != cell_count(*picture_px):
        return match(Certainty.CLEAR)
    head = head_kind(table[0], *picture_px)
    if head in {Head.RAW, Head.FRACTIONS}:
        return Misfit(f"the first columns hold {head.value}")
    # With one row a cell a decoded YOLOX looks the same; only exporters of this family note the labels.
    is_noted = head is Head.DECODED and signature.names is not None
    return match(Certainty.CLEAR if is_noted else Certainty.POSSIBLE)


FAMILY = Family(
    name="yolov5",
    expects="one output (batch, 3 or 1 a cell, 5 + classes): centre and size in pixels, objectness, classes",
    preprocessing=Preprocessing(Fit.LETTERBOX_CENTRE, 114, "rgb", (0.0,) * 3, (1 / 255,) * 3),
    recognise=_recognise,
)
