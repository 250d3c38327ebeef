"""Pictures of files, as frames."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np

from agent.errors import ToolInputError
from agent.models.evaluate.coco_rows import CocoPicture
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import BgrArray, ClockSource, Frame, FrameInfo

SOURCE = "pictures"
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"


def read_frame(picture: CocoPicture) -> Frame:
    """A picture in the size that its boxes are told in.

    Pixels are taken as they are stored, as those who draw the boxes do; turned by the file's own note of how the
    camera was held only where that gives the size that is told.

    Raises:
        ToolInputError: it cannot be read, is cut short, or has another size.
    """
    told = (picture.height_px, picture.width_px)
    pixels = read_pixels(picture.path)
    if pixels.shape[:2] != told and pixels.shape[1::-1] == told:
        pixels = read_pixels(picture.path, is_turned=True)
    if pixels.shape[:2] != told:
        height_px, width_px = pixels.shape[:2]
        raise ToolInputError(
            f"{picture.path}: the picture is {width_px}x{height_px}, but its boxes are of one of "
            f"{picture.width_px}x{picture.height_px}"
        )
    return make_frame(pixels, picture.picture_id)


def make_frame(pixels: BgrArray, sequence: int = 0) -> Frame:
    """Pixels as a frame of no camera."""
    height_px, width_px = pixels.shape[:2]
    began = datetime.fromtimestamp(0, timezone.utc)
    info = FrameInfo(SOURCE, sequence, began, ClockSource.HOST, 0.0, width_px, height_px)
    return Frame(info, ArrayPicture(pixels))


def read_pixels(path: Path, *, is_turned: bool = False) -> BgrArray:
    """A picture file as uint8 (height, width, 3) BGR; the first picture of several.

    Args:
        path: of any kind that OpenCV reads.
        is_turned: by the file's own note of how the camera was held.

    Raises:
        ToolInputError: it cannot be read, is no picture, too large, or cut short.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ToolInputError(f"{path}: the picture cannot be read: {error.strerror or error}") from error
    if content.startswith(_JPEG_START) and content.rfind(_JPEG_END) < len(content) // 2:
        raise ToolInputError(f"{path}: the picture is cut short: {len(content)} bytes of a JPEG without its end")
    flags = cv2.IMREAD_COLOR if is_turned else cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags) if content else None
    except cv2.error as error:
        raise ToolInputError(f"{path}: the picture cannot be decoded: {error.err or error}") from error
    if pixels is None:
        raise ToolInputError(f"{path}: {len(content)} bytes that are no picture, or a damaged one")
    return np.asarray(pixels, np.uint8)
