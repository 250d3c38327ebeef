"""The batch of model pictures, painted in place: one buffer for the life of a worker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.detect.letterbox import Fit, Letterbox, fit_frame
from agent.stream.frame import BgrArray, Frame


class Canvas:
    """A reused uint8 (batch, height, width, 3) BGR buffer that frames are letterboxed into.

    Used by one thread. Borders are painted when a row's geometry changes, else only the frame's own region is.
    """

    def __init__(self, batch: int, model_px: tuple[int, int], fit: Fit, pad_value: int) -> None:
        """Make the buffer.

        Args:
            batch: rows, at least 1.
            model_px: width and height of the model's picture.
            fit: how frames are laid in.
            pad_value: of every channel of the borders, 0 to 255.
        """
        width_px, height_px = model_px
        self._pixels: BgrArray = np.full((batch, height_px, width_px, 3), pad_value, np.uint8)
        self._painted: list[Letterbox | None] = [None] * batch
        self._model_px = model_px
        self._fit = fit
        self._pad_value = pad_value

    @property
    def batch(self) -> int:
        """How many rows there are."""
        return len(self._painted)

    @property
    def pixels(self) -> BgrArray:
        """Every row, whatever it holds now; the canvas's own memory."""
        return self._pixels

    def paint(self, frames: Sequence[Frame]) -> list[Letterbox]:
        """Lay each frame into its row, from the first; at most `batch` of them."""
        return [self._paint_row(row, frame) for row, frame in enumerate(frames)]

    def _paint_row(self, row: int, frame: Frame) -> Letterbox:
        letterbox = fit_frame((frame.info.width_px, frame.info.height_px), self._model_px, self._fit)
        if self._painted[row] != letterbox:
            self._pixels[row] = self._pad_value
            self._painted[row] = letterbox
        left, top = letterbox.pad_x_px, letterbox.pad_y_px
        right, bottom = left + letterbox.width_px, top + letterbox.height_px
        self._pixels[row, top:bottom, left:right] = frame.picture.scaled(letterbox.width_px, letterbox.height_px)
        return letterbox
