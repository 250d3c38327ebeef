"""What a detector saw in one frame, as columns of equal length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]
Int32Array = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes, scores and class ids of one frame; checked and made read-only when built.

    Attributes:
        boxes: (N, 4) float32, or float64 when given so; x1 y1 x2 y2 in frame pixels, not clipped to the frame.
        scores: (N,) float32, or float64 when given so; detector confidence 0 to 1.
        class_ids: (N,) int32; index into the model's labels.

    Raises:
        ValueError: a column has another shape, or the columns differ in length.
    """

    boxes: FloatArray
    scores: FloatArray
    class_ids: Int32Array

    def __post_init__(self) -> None:
        boxes, scores = _floats(self.boxes), _floats(self.scores)
        class_ids = np.asarray(self.class_ids, dtype=np.int32)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"boxes: expected (N, 4), got {boxes.shape}")
        for name, column in (("scores", scores), ("class_ids", class_ids)):
            if column.shape != (len(boxes),):
                raise ValueError(f"{name}: expected ({len(boxes)},), got {column.shape}")
        object.__setattr__(self, "boxes", read_only(boxes))
        object.__setattr__(self, "scores", read_only(scores))
        object.__setattr__(self, "class_ids", read_only(class_ids))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: npt.NDArray[Any] | slice) -> Detections:
        """The rows chosen by a mask, an index array or a slice."""
        return Detections(self.boxes[index], self.scores[index], self.class_ids[index])

    @classmethod
    def empty(cls) -> Detections:
        """A frame in which nothing was seen."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))


def read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view that cannot be written through; the caller's own array stays as it is."""
    view = array.view()
    view.flags.writeable = False
    return view


def _floats(column: npt.ArrayLike) -> FloatArray:
    array = np.asarray(column)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)
