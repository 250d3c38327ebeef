"""Small real detectors in each family's layout with known answers: they find the squares of rendered clips."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from models.graph import FLOAT, HALF, INT64, Graph
from models.square_cells import (
    DEVIATION_BGR,
    MEAN_BGR,
    Cells,
    Planes,
    SquareSize,
    cells,
    peaks,
    planes,
    rgb_of_bgr,
)

FAMILIES = ("yolox", "yolov5", "yolov8", "end2end", "detr", "nanodet")
LABELS = ("red", "blue")
STRIDES = (8, 16, 32)
QUERIES = 20
BINS = 8
# Families whose exporters note the labels.
NOTED = {"yolov5", "yolov8", "end2end"}


def build_detector(
    family: str,
    path: Path,
    *,
    input_size: int = 320,
    batch: Literal["dynamic"] | int = 1,
    fp16: bool = False,
    dynamic_size: bool = False,
    frame_px: tuple[int, int] = (640, 360),
    side_px: int = 64,
    names: Sequence[str] | None = LABELS,
) -> Path:
    """Write a detector that finds red (class 0) and blue (class 1) squares on grey.

    Args:
        family: one of `FAMILIES`; input, output and normalisation are as that family has them.
        path: of the ONNX file to write.
        input_size: side of the model's picture, a multiple of 32; of an open size, the one it is good for.
        batch: pictures in one inference, or "dynamic" to leave it open.
        fp16: inputs and outputs in half precision.
        dynamic_size: leave the picture's size open.
        frame_px: size of the frames.
        side_px: side of the squares in them.
        names: labels for the metadata of those families that have it; None leaves it out.
    """
    graph = Graph()
    rows = "N" if batch == "dynamic" else batch
    sides: tuple[int | str, int | str] = ("H", "W") if dynamic_size else (input_size, input_size)
    element = HALF if fp16 else FLOAT
    image = graph.op("Cast", graph.input("images", element, (rows, 3, *sides)), to=FLOAT)
    size = SquareSize.of(input_size, frame_px, side_px, is_stretched=family == "detr")
    seen = planes(graph, _rgb(graph, family, image))
    OUTPUTS[family](graph, seen, size, (rows, element))
    noted = family in NOTED and names is not None
    return graph.write(path, {"names": repr(dict(enumerate(names or ()))), "task": "detect"} if noted else {})


Head = tuple["int | str", int]


def _rgb(graph: Graph, family: str, image: str) -> str:
    """The picture as RGB 0 to 1, whatever the family is fed."""
    if family == "yolox":
        return rgb_of_bgr(graph, graph.op("Div", image, 255.0))
    if family == "nanodet":
        raw = graph.op("Add", graph.op("Mul", image, DEVIATION_BGR), MEAN_BGR)
        return rgb_of_bgr(graph, graph.op("Div", raw, 255.0))
    return image


def _yolox(graph: Graph, seen: Planes, size: SquareSize, head: Head) -> None:
    tables = []
    for found in (cells(graph, seen, stride, size) for stride in STRIDES):
        x, y = (graph.op("Div", place, float(found.stride)) for place in (found.x, found.y))
        offsets = [graph.op("Sub", x, found.column), graph.op("Sub", y, found.row)]
        sides = [_flat(graph, found, float(np.log(side / found.stride))) for side in (size.width, size.height)]
        tables.append(_table(graph, [*offsets, *sides, found.score, *_classes(graph, found)]))
    graph.output(graph.op("Concat", *tables, axis=1), "output", head[1], (head[0], "cells", 7))


def _yolov5(graph: Graph, seen: Planes, size: SquareSize, head: Head) -> None:
    tables = []
    for found in (cells(graph, seen, stride, size) for stride in STRIDES):
        box = [found.x, found.y, *(_flat(graph, found, side) for side in (size.width, size.height))]
        for weight in (1.0, 0.0, 0.0):  # three anchors, of which one sees
            objectness = graph.op("Mul", found.score, weight)
            tables.append(_table(graph, [*box, objectness, *_classes(graph, found)]))
    graph.output(graph.op("Concat", *tables, axis=1), "output0", head[1], (head[0], "anchors", 7))


def _yolov8(graph: Graph, seen: Planes, size: SquareSize, head: Head) -> None:
    tables = []
    for found in (cells(graph, seen, stride, size) for stride in STRIDES):
        sides = [_flat(graph, found, side) for side in (size.width, size.height)]
        scores = [graph.op("Mul", found.score, share) for share in _classes(graph, found)]
        tables.append(_table(graph, [found.x, found.y, *sides, *scores]))
    together = graph.op("Transpose", graph.op("Concat", *tables, axis=1), perm=[0, 2, 1])
    graph.output(together, "output0", head[1], (head[0], 6, "cells"))


def _end2end(graph: Graph, seen: Planes, size: SquareSize, head: Head) -> None:
    boxes, scores, class_ids = _best(graph, seen, size)
    rows = graph.op("Concat", boxes, scores, class_ids, axis=2)
    is_used = graph.op("Cast", graph.op("Greater", scores, 0.0), to=FLOAT)
    graph.output(graph.op("Mul", rows, is_used), "output0", head[1], (head[0], QUERIES, 6))


def _detr(graph: Graph, seen: Planes, size: SquareSize, head: Head) -> None:
    sizes = graph.op("Cast", graph.input("orig_target_sizes", INT64, (head[0], 2)), to=FLOAT)
    boxes, scores, class_ids = _best(graph, seen, size)
    shape = graph.op("Cast", graph.op("Shape", seen.red, start=2), to=FLOAT)
    height, width = graph.ops("Split", 2, shape, axis=0)
    fractions = graph.op("Div", boxes, graph.op("Concat", width, height, width, height, axis=0))
    units = graph.op("Unsqueeze", graph.op("Concat", sizes, sizes, axis=1), np.array([1]))
    last = np.array([2])
    graph.output(graph.op("Squeeze", class_ids, last), "labels", INT64, (head[0], QUERIES))
    graph.output(graph.op("Mul", fractions, units), "boxes", head[1], (head[0], QUERIES, 4))
    graph.output(graph.op("Squeeze", scores, last), "scores", head[1], (head[0], QUERIES))


def _nanodet(graph: Graph, seen: Planes, size: SquareSize, head: Head) -> None:
    for found in (cells(graph, seen, stride, size) for stride in STRIDES):
        scores = _table(graph, [graph.op("Mul", found.score, share) for share in _classes(graph, found)])
        graph.output(scores, f"cls_pred_stride_{found.stride}", head[1], (head[0], "n", 2))
        sides = []
        for sign in (-1.0, 1.0):
            for middle, cell, side in ((found.x, found.column, size.width), (found.y, found.row, size.height)):
                edge = graph.op("Add", middle, sign * side / 2)
                centre = graph.op("Add", graph.op("Mul", cell, float(found.stride)), (found.stride - 1) / 2)
                sides.append(graph.op("Mul", graph.op("Sub", edge, centre), sign / found.stride))
        steps = graph.op("Unsqueeze", _table(graph, sides), np.array([3]))
        bins = _spread(graph, graph.op("Clip", steps, 0.0, float(BINS - 1)))
        graph.output(bins, f"dis_pred_stride_{found.stride}", head[1], (head[0], "n", 4 * BINS))


OUTPUTS: dict[str, Callable[[Graph, Planes, SquareSize, Head], None]] = {
    "yolox": _yolox,
    "yolov5": _yolov5,
    "yolov8": _yolov8,
    "end2end": _end2end,
    "detr": _detr,
    "nanodet": _nanodet,
}


def _spread(graph: Graph, steps: str) -> str:
    """Logits over the bins whose softmax has the expectation asked for: the two bins beside it share the weight."""
    away = graph.op("Abs", graph.op("Sub", steps, np.arange(BINS, dtype=np.float32)))
    weights = graph.op("Relu", graph.op("Sub", 1.0, away))
    logits = graph.op("Log", graph.op("Add", weights, 1e-6))
    return graph.op("Reshape", logits, np.array([0, 0, 4 * BINS]))


def _best(graph: Graph, seen: Planes, size: SquareSize) -> tuple[str, str, str]:
    """Boxes (batch, queries, 4), scores and class ids (batch, queries, 1), best first, each square once."""
    found = cells(graph, seen, 8, size)
    score = peaks(graph, found.score)
    edges = [
        graph.op("Add", middle, sign * side / 2)
        for sign in (-1, 1)
        for middle, side in ((found.x, size.width), (found.y, size.height))
    ]
    class_id = graph.op("Sub", 1.0, found.is_red)
    table = _table(graph, [*edges, score, class_id])
    scores = graph.ops("Split", 6, table, axis=2)[4]
    rows = graph.ops("TopK", 2, scores, np.array([QUERIES]), axis=1)[1]
    picked = graph.op("GatherElements", table, graph.op("Expand", rows, np.array([1, 1, 6])), axis=1)
    boxes, best, class_ids = graph.ops("Split", 3, picked, np.array([4, 1, 1]), axis=2)
    return boxes, best, class_ids


def _classes(graph: Graph, found: Cells) -> list[str]:
    return [found.is_red, graph.op("Sub", 1.0, found.is_red)]


def _flat(graph: Graph, found: Cells, value: float) -> str:
    """The same value in every cell."""
    return graph.op("Add", graph.op("Mul", found.score, 0.0), value)


def _table(graph: Graph, columns: list[str]) -> str:
    """(batch, cells, columns) of maps (batch, 1, rows, columns)."""
    stacked = graph.op("Concat", *columns, axis=1)
    return graph.op("Transpose", graph.op("Reshape", stacked, np.array([0, len(columns), -1])), perm=[0, 2, 1])
