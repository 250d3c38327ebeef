"""The pictures that ranges are taken from: of a folder, a clip, a camera, or a set written earlier.

They are laid in as the model's plan says, so that they are exactly what the model will see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.errors import ToolInputError
from agent.models.evaluate.picture_files import make_frame, read_pixels
from agent.models.quantize.frames_of_source import frames_of_clip, frames_of_live, parse_source
from agent.settings.types import SourceKind
from agent.stream.frame import BgrArray, Frame

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
SET_ENDING = ".npy"

Progress = Callable[[int, int], None]
"""Called with how many are done, and of how many."""


@dataclass(frozen=True, eq=False)
class CalibrationSet:
    """Pictures as the engine takes them.

    Attributes:
        pixels: uint8 (N, height, width, 3) BGR.
        origin: where they came from, for a person; without credentials.
    """

    pixels: BgrArray
    origin: str


def gather(
    source: str, plan: DetectionPlan, count: int, *, interval_s: float, progress: Progress = lambda _d, _t: None
) -> CalibrationSet:
    """Take up to `count` pictures, evenly spread over what there is.

    Args:
        source: a folder of pictures, a clip, an address of a camera, or a `.npy` set.
        plan: of the model.
        count: at most so many.
        interval_s: seconds between two pictures of a camera.
        progress: is told after every picture.

    Raises:
        ToolInputError: there is nothing there that can be used.
        SourceError: the clip or camera does not deliver.
    """
    path = Path(source)
    if path.suffix == SET_ENDING:
        return CalibrationSet(_read_set(path, plan)[:count], str(path))
    painter = _Painter(plan)
    if path.is_dir():
        files = _spread(_pictures_in(path), count)
        pictures = []
        for file in files:
            pictures.append(painter.paint(make_frame(read_pixels(file))))
            progress(len(pictures), len(files))
        return CalibrationSet(np.stack(pictures), f"{len(files)} pictures of {path}")
    address = parse_source(source)
    if address.kind is SourceKind.FILE:
        if not path.exists():
            raise ToolInputError(f"{source}: there is no such folder, clip or set; a camera is given by its address")
        found = frames_of_clip(address, count, painter.paint, progress)
    else:
        found = frames_of_live(address, count, interval_s, painter.paint, progress)
    if not found:
        raise ToolInputError(f"{address}: there was no picture in it")
    return CalibrationSet(np.stack(found), f"{len(found)} pictures of {address}")


def refuse_scored(pictures: CalibrationSet, plan: DetectionPlan, scored: Iterator[Frame]) -> None:
    """Refuse pictures that the result is scored on too: the loss would be told too small.

    Raises:
        ToolInputError: at least one is among them.
    """
    painter = _Painter(plan)
    seen = {picture.tobytes() for picture in pictures.pixels}
    same = sum(painter.paint(frame).tobytes() in seen for frame in scored)
    if same:
        raise ToolInputError(
            f"{pictures.origin}: {same} of the pictures are among those scored (--dataset); calibrate on others"
        )


class _Painter:
    """Lays one frame in after the other."""

    def __init__(self, plan: DetectionPlan) -> None:
        size_px = (plan.image.width_px, plan.image.height_px)
        self._canvas = Canvas(1, size_px, plan.preprocessing.fit, plan.preprocessing.pad_value)

    def paint(self, frame: Frame) -> BgrArray:
        """The model's picture of a frame: uint8 (height, width, 3) BGR, the caller's own."""
        self._canvas.paint([frame])
        return np.array(self._canvas.pixels[0])


def _pictures_in(folder: Path) -> list[Path]:
    files = sorted(each for each in folder.iterdir() if each.suffix.lower() in ENDINGS)
    if not files:
        raise ToolInputError(f"{folder}: there is no picture in it; known are {', '.join(ENDINGS)}")
    return files


def _spread(files: list[Path], count: int) -> list[Path]:
    """At most so many, from the first to the last."""
    if len(files) <= count:
        return files
    return [files[place] for place in np.linspace(0, len(files) - 1, count).round().astype(int)]


def _read_set(path: Path, plan: DetectionPlan) -> BgrArray:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ToolInputError(f"{path}: no calibration set (.npy): {error}") from error
    wanted = (plan.image.height_px, plan.image.width_px, 3)
    if found.dtype != np.uint8 or found.ndim != 4 or found.shape[1:] != wanted or not len(found):
        sides = ", ".join(map(str, wanted))
        raise ToolInputError(f"{path}: holds {found.dtype} {found.shape}; the set of this model is uint8 (N, {sides})")
    return np.asarray(found, np.uint8)
