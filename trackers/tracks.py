"""The confirmed tracks of one frame, as columns of equal length."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from trackers.detections import FloatArray, Int32Array, read_only

Int64Array = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tracks:
    """Identities after one update; checked and made read-only when built.

    Attributes:
        boxes: (M, 4) float64; x1 y1 x2 y2 in frame pixels, the filter's estimate, not clipped to the frame.
        scores: (M,) score of the detection each track was last matched with.
        class_ids: (M,) int32.
        track_ids: (M,) int64, at least 1, unique per tracker for its life.
        ended_ids: (K,) int64; tracks given up in this update, told once.

    Raises:
        ValueError: a column has another shape, or the columns differ in length.
    """

    boxes: FloatArray
    scores: FloatArray
    class_ids: Int32Array
    track_ids: Int64Array
    ended_ids: Int64Array = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        boxes = read_only(np.asarray(self.boxes, np.float64))
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f"boxes: expected (M, 4), got {boxes.shape}")
        columns = {
            "scores": read_only(np.asarray(self.scores)),
            "class_ids": read_only(np.asarray(self.class_ids, np.int32)),
            "track_ids": read_only(np.asarray(self.track_ids, np.int64)),
        }
        for name, column in columns.items():
            if column.shape != (len(boxes),):
                raise ValueError(f"{name}: expected ({len(boxes)},), got {column.shape}")
        # Written at once: one call of the frozen class's own setter a column would take longer than all else here.
        self.__dict__.update(columns, boxes=boxes, ended_ids=read_only(np.asarray(self.ended_ids, np.int64)))

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls, ended_ids: npt.ArrayLike = ()) -> Tracks:
        """No confirmed track now; some may just have ended."""
        return cls(
            np.zeros((0, 4)), np.zeros(0), np.zeros(0, np.int32), np.zeros(0, np.int64),
            np.asarray(ended_ids, np.int64),
        )  # fmt: skip
