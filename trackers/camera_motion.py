"""How the camera's own motion moved the picture between two frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trackers.detections import read_only

LARGEST_ZOOM = 10.0
FARTHEST_PX = 1e6


@dataclass(frozen=True, eq=False)
class CameraMotion:
    """Where a point of the background lies now, by where it lay in the frame before; checked and read-only when built.

    Attributes:
        matrix: (2, 3) float64; now = matrix[:, :2] @ before + matrix[:, 2], in frame pixels. Shift, turn and zoom
            (a similarity) are carried over to tracks exactly; of a shear, what their upright boxes can show.

    Raises:
        ValueError: another shape, a number that is not finite, a mirrored or flattened picture, a zoom beyond
            10 or 1 / 10, a shift beyond 1e6 px.
    """

    matrix: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        if matrix.shape != (2, 3):
            raise ValueError(f"matrix: expected (2, 3), got {matrix.shape}")
        if not np.isfinite(matrix).all():
            raise ValueError(f"matrix: expected finite numbers, got {matrix.tolist()}")
        if np.linalg.det(matrix[:, :2]) <= 0.0:
            raise ValueError(f"matrix: expected a picture neither mirrored nor flat, got {matrix[:, :2].tolist()}")
        zooms = np.linalg.svd(matrix[:, :2], compute_uv=False)
        if zooms[0] > LARGEST_ZOOM or zooms[1] < 1.0 / LARGEST_ZOOM:
            raise ValueError(f"matrix: expected zooms of 1/{LARGEST_ZOOM:g} to {LARGEST_ZOOM:g}, got {zooms.tolist()}")
        if np.abs(matrix[:, 2]).max() > FARTHEST_PX:
            raise ValueError(f"matrix: expected a shift of at most {FARTHEST_PX:g} px, got {matrix[:, 2].tolist()}")
        object.__setattr__(self, "matrix", read_only(matrix))
