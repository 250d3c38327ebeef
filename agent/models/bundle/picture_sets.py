"""Pictures that go into a bundle, from folders and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.errors import ToolInputError
from agent.models.bundle.arrays import LARGEST_SIDE_PX, LONGEST_HEADER, Pictures, read_array
from agent.models.bundle.bundle import LARGEST_PICTURES_BYTES
from agent.models.bundle.fault import FaultError
from agent.models.bundle.manifest import MOST_PICTURES
from agent.models.bundle.stills import stills
from agent.models.evaluate.picture_files import read_pixels
from agent.stream.frame import BgrArray

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
Progress = Callable[[int, int], None]


def golden_pictures(named: Sequence[Path]) -> tuple[BgrArray, ...]:
    """Pictures of these files and folders, in their order, those of a folder by name.

    Raises:
        ToolInputError: there are none or too many, or one cannot be read or is too large.
    """
    paths = [path for each in named for path in _pictures(each)]
    if len(paths) > MOST_PICTURES:
        raise ToolInputError(f"{len(paths)} golden pictures; a bundle has at most {MOST_PICTURES}, so name a few")
    pictures = tuple(_golden(path) for path in paths)
    size = sum(each.nbytes + LONGEST_HEADER for each in pictures)
    if size > LARGEST_PICTURES_BYTES:
        raise ToolInputError(
            f"golden pictures of {size} bytes without compression; a bundle has at most {LARGEST_PICTURES_BYTES}: "
            "name fewer, or scale them down"
        )
    return pictures


def calibration_set(named: Path, plan: DetectionPlan, most: int, told: Progress) -> Pictures:
    """Pictures laid in as the model takes them: uint8 (N, height, width, 3) BGR.

    Args:
        named: a folder of pictures, or a `.npy` file that holds them already.
        plan: how the model is fed.
        most: of a folder with more, this many are taken evenly.
        told: is told how many are done, and of how many.

    Raises:
        ToolInputError: there are none, one cannot be read, or they have another size.
    """
    size = plan.image.width_px, plan.image.height_px
    if named.suffix == ".npy":
        return _array(named, size)
    paths = _evenly(_pictures(named), most)
    canvas = Canvas(1, size, plan.preprocessing.fit, plan.preprocessing.pad_value)
    pictures = np.empty((len(paths), size[1], size[0], 3), np.uint8)
    for number, path in enumerate(paths):
        canvas.paint(stills([read_pixels(path)]))
        pictures[number] = canvas.pixels[0]
        told(number + 1, len(paths))
    return pictures


def _golden(path: Path) -> BgrArray:
    pixels = read_pixels(path)
    if max(pixels.shape) > LARGEST_SIDE_PX:
        height_px, width_px = pixels.shape[:2]
        raise ToolInputError(f"{path}: {width_px}x{height_px} pixels are too many for a golden picture; scale it down")
    return pixels


def _array(path: Path, size: tuple[int, int]) -> Pictures:
    try:
        pictures = read_array(path.read_bytes(), str(path), axes=4)
    except FaultError as error:
        raise ToolInputError(str(error)) from error
    except OSError as error:
        raise ToolInputError(f"{path}: cannot be read: {error.strerror}") from error
    found = pictures.shape[2], pictures.shape[1]
    if found != size:
        raise ToolInputError(f"{path}: its pictures are {found[0]}x{found[1]}, and the model takes {size[0]}x{size[1]}")
    return pictures


def _pictures(named: Path) -> list[Path]:
    try:
        paths = [named] if named.is_file() else sorted(_of_folder(named))
    except OSError as error:
        raise ToolInputError(f"{named}: cannot be read: {error.strerror}") from error
    if not paths:
        raise ToolInputError(f"{named}: a folder without pictures ({', '.join(ENDINGS)})")
    return paths


def _of_folder(folder: Path) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)


def _evenly(paths: list[Path], most: int) -> list[Path]:
    if len(paths) <= most:
        return paths
    return [paths[number * len(paths) // most] for number in range(most)]
