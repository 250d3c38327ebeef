"""What every detector built for tests sees: squares of pure red or blue, from cells of some stride."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from models.graph import Graph

MEAN_BGR = np.array([103.53, 116.28, 123.675], np.float32).reshape(1, 3, 1, 1)
DEVIATION_BGR = np.array([57.375, 57.12, 58.395], np.float32).reshape(1, 3, 1, 1)


@dataclass(frozen=True)
class SquareSize:
    """How large a square is in the model's picture, and how large the window that looks for it: pixels."""

    width: float
    height: float
    window_width: int
    window_height: int

    @classmethod
    def of(cls, input_size: int, frame_px: tuple[int, int], side_px: int, *, is_stretched: bool) -> SquareSize:
        """The size after a frame was brought to a square model picture."""
        scale_x, scale_y = (input_size / side for side in frame_px)
        if not is_stretched:
            scale_x = scale_y = min(scale_x, scale_y)
        width, height = side_px * scale_x, side_px * scale_y
        return cls(width, height, *(max(32, round(side * 1.5 / 8) * 8) for side in (width, height)))


@dataclass(frozen=True)
class Planes:
    """Names of (batch, 1, height, width) tensors: how red and how blue each pixel is, and its centre."""

    red: str
    blue: str
    x: str
    y: str


@dataclass(frozen=True)
class Cells:
    """Names of (batch, 1, rows, columns) tensors: of each cell the centre of what it sees, the score, and the class."""

    stride: int
    x: str
    y: str
    score: str
    is_red: str
    column: str
    row: str


def planes(graph: Graph, rgb: str) -> Planes:
    """Redness and blueness, 0 to 1, of an RGB picture 0 to 1; grey is neither."""
    red, green, blue = graph.ops("Split", 3, rgb, axis=1)
    reddish = graph.op("Relu", graph.op("Sub", red, graph.op("Max", green, blue)))
    bluish = graph.op("Relu", graph.op("Sub", blue, graph.op("Max", green, red)))
    return Planes(reddish, bluish, _places(graph, reddish, axis=3), _places(graph, reddish, axis=2))


def rgb_of_bgr(graph: Graph, bgr: str) -> str:
    """The same picture with its channels turned round."""
    blue, green, red = graph.ops("Split", 3, bgr, axis=1)
    return graph.op("Concat", red, green, blue, axis=1)


def cells(graph: Graph, seen: Planes, stride: int, size: SquareSize) -> Cells:
    """Cells whose window shows most of a square: the score is how much of it, the centre is its centre of mass."""
    red = _window(graph, seen.red, stride, size)
    blue = _window(graph, seen.blue, stride, size)
    is_red = graph.op("Cast", graph.op("GreaterOrEqual", red, blue), to=1)
    mass = graph.op("Max", red, blue)
    column, row = (graph.op("Sub", _places(graph, mass, axis=axis), 0.5) for axis in (3, 2))
    centre = [graph.op("Mul", graph.op("Add", place, 0.5), float(stride)) for place in (column, row)]
    both = [_centre_of_mass(graph, seen, axis, (is_red, mass), (stride, size, centre[axis])) for axis in (0, 1)]
    coverage = graph.op("Mul", mass, size.window_width * size.window_height / (size.width * size.height))
    certainty = graph.op("Clip", graph.op("Mul", graph.op("Sub", coverage, 0.7), 4.0), 0.0, 1.0)
    score = graph.op("Mul", certainty, _nearness(graph, both, centre))
    return Cells(stride, both[0], both[1], score, is_red, column, row)


def peaks(graph: Graph, score: str) -> str:
    """Scores, zero wherever a cell nearby has a better one; cells further along lose ties by a hair."""
    unlike = graph.op("Mul", _places(graph, score, axis=3), graph.op("Add", _places(graph, score, axis=2), 0.3))
    told_apart = graph.op("Mul", score, graph.op("Sub", 1.0, graph.op("Mul", unlike, 1e-6)))
    best = graph.op("MaxPool", told_apart, kernel_shape=[9, 9], pads=[4, 4, 4, 4])
    return graph.op("Mul", score, graph.op("Cast", graph.op("Equal", told_apart, best), to=1))


def _places(graph: Graph, like: str, *, axis: int) -> str:
    """0.5, 1.5, 2.5 .. along an axis of a tensor of the same shape, whatever its size."""
    ones = graph.op("Add", graph.op("Mul", like, 0.0), 1.0)
    return graph.op("Sub", graph.op("CumSum", ones, np.array(axis, np.int64)), 0.5)


def _window(graph: Graph, plane: str, stride: int, size: SquareSize) -> str:
    """The mean over each cell's window, black outside the picture."""
    top, left = (size.window_height - stride) // 2, (size.window_width - stride) // 2
    return graph.op(
        "AveragePool",
        plane,
        kernel_shape=[size.window_height, size.window_width],
        strides=[stride, stride],
        pads=[top, left, top, left],
        count_include_pad=1,
    )


def _centre_of_mass(
    graph: Graph, seen: Planes, axis: int, found: tuple[str, str], cell: tuple[int, SquareSize, str]
) -> str:
    """Centre of the stronger colour in each window; of nothing, the cell's own centre."""
    (is_red, mass), (stride, size, own) = found, cell
    place = (seen.x, seen.y)[axis]
    moments = [_window(graph, graph.op("Mul", plane, place), stride, size) for plane in (seen.red, seen.blue)]
    moment = graph.op("Where", graph.op("Cast", is_red, to=9), *moments)
    little = 1e-5
    weighted = graph.op("Add", moment, graph.op("Mul", own, little))
    return graph.op("Div", weighted, graph.op("Add", mass, little))


def _nearness(graph: Graph, found: list[str], centre: list[str]) -> str:
    """1 where a cell lies on what it sees, a little less further off, so that the nearest cell is the best."""
    gaps = [graph.op("Sub", a, b) for a, b in zip(found, centre, strict=True)]
    squared = graph.op("Add", *(graph.op("Mul", gap, gap) for gap in gaps))
    return graph.op("Clip", graph.op("Sub", 1.0, graph.op("Mul", squared, 5e-5)), 0.5, 1.0)
