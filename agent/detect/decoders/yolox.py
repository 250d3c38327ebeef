"""YOLOX: one row a cell, offsets from it; box size as logarithm; objectness times class score.

After Ge et al., "YOLOX: Exceeding YOLO Series in 2021" (arXiv 2107.08430), and its ONNX export, with or without the
decoding in the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.candidates import corners, scored_rows, suppressed
from agent.detect.decoders.decoder import Certainty, Family, Limits, Match, Misfit, Outputs
from agent.detect.decoders.grid import Head, cell_count, cells, head_kind
from agent.detect.decoders.signature import Signature, are_scores, lone_table, lone_table_name
from agent.detect.letterbox import Fit, Letterbox
from agent.detect.preprocessing import Preprocessing
from trackers import Detections


class YoloxDecoder:
    """Rows are dx, dy, log w, log h, objectness, classes; cells of strides 8, 16, 32 one after the other."""

    def __init__(self, output: str, picture_px: tuple[int, int], limits: Limits, *, is_decoded: bool = False) -> None:
        self._output = output
        self._places, self._strides = cells(*picture_px)
        self._limits = limits
        self._is_decoded = is_decoded

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        tables = outputs[self._output]
        return [self._picture(table, box) for table, box in zip(tables, letterboxes, strict=False)]

    def _picture(self, table: npt.NDArray[np.float32], letterbox: Letterbox) -> Detections:
        candidates = scored_rows(table, self._limits)
        return suppressed(self._boxes(table, candidates.rows), candidates, letterbox, self._limits)

    def _boxes(self, table: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
        boxes = table[rows, :4]
        if not self._is_decoded:
            boxes[:, :2] = (boxes[:, :2] + self._places[rows]) * self._strides[rows]
            with np.errstate(over="ignore"):  # an endless box is refused where all boxes are checked
                boxes[:, 2:] = np.exp(boxes[:, 2:]) * self._strides[rows]
        return corners(boxes)


def _recognise(signature: Signature) -> Match | Misfit:
    table = lone_table(signature)
    if isinstance(table, str):
        return Misfit(table)
    picture_px = (signature.width_px, signature.height_px)
    rows, columns = table.shape[1:]
    if rows != cell_count(*picture_px) or columns < 6:
        return Misfit(f"output is {rows} rows of {columns}, where {cell_count(*picture_px)} of at least 6 belong")
    if not are_scores(table[..., 4:]):
        return Misfit("columns from the fifth on are not between 0 and 1")
    head = head_kind(table[0], *picture_px)
    if head is Head.FRACTIONS:
        return Misfit(f"the first columns hold {head.value}")
    decoder = partial(YoloxDecoder, lone_table_name(signature), picture_px, is_decoded=head is Head.DECODED)
    certainty = Certainty.CLEAR if head is Head.RAW else Certainty.POSSIBLE
    return Match(columns - 5, decoder, certainty)


FAMILY = Family(
    name="yolox",
    expects="one output (batch, cells of strides 8, 16, 32, 5 + classes): offsets, log sizes, objectness, classes",
    preprocessing=Preprocessing(Fit.LETTERBOX_TOP_LEFT, 114, "bgr", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    recognise=_recognise,
)
