"""NanoDet: for each stride class scores, and the distance to each side as a distribution over bins.

After Li et al., "Generalized Focal Loss" (arXiv 2006.04388), as NanoDet-m exports it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from agent.detect.decoders.candidates import Candidates, reaching, suppressed
from agent.detect.decoders.decoder import Family, Limits, Match, Misfit, Outputs
from agent.detect.decoders.signature import Signature, are_scores
from agent.detect.letterbox import Fit, Letterbox
from agent.detect.preprocessing import Preprocessing
from trackers import Detections

Float32Array = npt.NDArray[np.float32]

_NAME = re.compile(r"(?P<kind>cls|dis)_pred_stride_(?P<stride>\d+)")


@dataclass(frozen=True)
class StrideHead:
    """The two outputs of one stride, and how many cells a row of the picture has."""

    stride: int
    columns: int
    scores: str
    distances: str


class NanodetDecoder:
    """Reads every stride's cells, and suppresses over all of them together."""

    def __init__(self, heads: tuple[StrideHead, ...], limits: Limits) -> None:
        self._heads = heads
        self._limits = limits

    def decode(self, outputs: Outputs, letterboxes: Sequence[Letterbox]) -> list[Detections]:
        """See `Decoder`."""
        return [self._picture(outputs, number, letterbox) for number, letterbox in enumerate(letterboxes)]

    def _picture(self, outputs: Outputs, number: int, letterbox: Letterbox) -> Detections:
        boxes, found = [], []
        for head in self._heads:
            candidates = reaching(outputs[head.scores][number], self._limits)
            boxes.append(_boxes(head, outputs[head.distances][number], candidates.rows))
            found.append(candidates)
        together = Candidates(*(np.concatenate(column) for column in zip(*found, strict=True)))
        return suppressed(np.concatenate(boxes), together, letterbox, self._limits)


def _boxes(head: StrideHead, distances: Float32Array, rows: npt.NDArray[np.intp]) -> Float32Array:
    """Corners of some cells: left, top, right and bottom are each the expectation over the bins, in strides."""
    bins = distances[rows].reshape(len(rows), 4, distances.shape[1] // 4)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    sides = (weights @ np.arange(bins.shape[2], dtype=np.float32)) / weights.sum(axis=2) * head.stride
    cells = np.stack([rows % head.columns, rows // head.columns], axis=1)
    centres = (cells * head.stride + (head.stride - 1) / 2).astype(np.float32)
    return np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], axis=1)


def _recognise(signature: Signature) -> Match | Misfit:
    named = {spec.name: _NAME.fullmatch(spec.name) for spec in signature.outputs}
    kinds = {match["kind"] + match["stride"]: name for name, match in named.items() if match}
    strides = sorted(int(kind[3:]) for kind in kinds if kind.startswith("cls"))
    if not strides or set(kinds) != {f"{kind}{stride}" for kind in ("cls", "dis") for stride in strides}:
        return Misfit("it does not give cls_pred_stride_S and dis_pred_stride_S for each stride S, and nothing else")
    if len(signature.inputs) > 1 or len(kinds) != len(signature.outputs):
        return Misfit("it takes or gives more than a picture and the heads of its strides")
    columns = {stride: -(-signature.width_px // stride) for stride in strides}
    heads = tuple(StrideHead(s, columns[s], kinds[f"cls{s}"], kinds[f"dis{s}"]) for s in strides)
    return _fitting(signature, heads)


def _fitting(signature: Signature, heads: tuple[StrideHead, ...]) -> Match | Misfit:
    """Whether every head has the shape its stride asks for."""
    shapes: Mapping[str, tuple[int | None, ...]] = {spec.name: spec.shape for spec in signature.outputs}
    class_counts = {shapes[head.scores][-1] for head in heads}
    for head in heads:
        cells = head.columns * -(-signature.height_px // head.stride)
        scores, distances = shapes[head.scores], shapes[head.distances]
        if len(scores) != 3 or len(distances) != 3 or scores[1] != cells or distances[1] != cells:
            return Misfit(f"its heads of stride {head.stride} do not have {cells} cells")
        if signature.sample[head.distances].shape[2] % 4 or not are_scores(signature.sample[head.scores]):
            return Misfit(f"its heads of stride {head.stride} are not scores from 0 to 1 and four sides")
    if len(class_counts) != 1:
        return Misfit("its strides differ in the number of classes")
    return Match(class_counts.pop(), partial(NanodetDecoder, heads))


FAMILY = Family(
    name="nanodet",
    expects="for each stride S outputs cls_pred_stride_S (batch, cells, classes), dis_pred_stride_S (.., 4 x bins)",
    preprocessing=Preprocessing(
        Fit.LETTERBOX_CENTRE, 0, "bgr", (103.53, 116.28, 123.675), (1 / 57.375, 1 / 57.12, 1 / 58.395)
    ),
    recognise=_recognise,
)
