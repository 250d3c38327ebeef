"""A picture that is already BGR pixels: from USB cameras, GStreamer and image files."""

from __future__ import annotations

import cv2
import numpy as np

from agent.stream.frame import BgrArray, GreyArray


class ArrayPicture:
    """BGR pixels in memory; any thread may ask, results are the caller's own.

    Scaling is bilinear (`cv2.INTER_LINEAR`), as the models' authors prepare their images: scores are to be
    comparable with theirs.

    Args:
        pixels: uint8 (height, width, 3) BGR; not written to by anybody from now on.

    Raises:
        ValueError: another shape or dtype.
    """

    def __init__(self, pixels: BgrArray) -> None:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"pixels: expected uint8 (height, width, 3), got {pixels.dtype} {pixels.shape}")
        self._pixels = pixels

    def scaled(self, width_px: int, height_px: int) -> BgrArray:
        """The whole picture at another size: uint8 (height, width, 3) BGR."""
        if self._pixels.shape[:2] == (height_px, width_px):
            return self._pixels.copy()
        resized = cv2.resize(self._pixels, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
        return np.asarray(resized, dtype=np.uint8)

    def full(self) -> BgrArray:
        """The whole picture: uint8 (height, width, 3) BGR."""
        return self._pixels.copy()

    def grey(self, width_px: int, height_px: int) -> GreyArray:
        """The whole picture's brightness at another size: uint8 (height, width), 0 black to 255 white.

        Shrinking averages (`cv2.INTER_AREA`), as it does in pictures of a decoder: no pixel is skipped.
        """
        grey = cv2.cvtColor(self._pixels, cv2.COLOR_BGR2GRAY)
        return np.asarray(cv2.resize(grey, (width_px, height_px), interpolation=cv2.INTER_AREA), dtype=np.uint8)
