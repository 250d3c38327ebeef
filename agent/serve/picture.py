"""Bytes that strangers sent become pixels: header first, limits next, and only then the decoder.

Every kind of picture becomes 8 bits of blue, green and red, as it is meant to be seen: EXIF orientation applied, alpha
laid on white, 16 bits cut to their upper 8, palette, grey and CMYK converted. More than one frame is refused.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from agent.serve.refusal import Code, RefusedRequestError
from agent.stream.frame import BgrArray

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
ALLOWED = "allowed: JPEG, PNG, WebP, BMP, GIF of one frame"
# Pillow itself warns from this many pixels on.
MOST_PIXELS = 89_478_485
# Each scan of a progressive JPEG goes over the whole picture; encoders write about ten.
MOST_SCANS = 100
SCAN = b"\xff\xda"
WHITE = (255, 255, 255, 255)
# What Pillow's readers raise on bytes that are not what they say, beside its own OSError.
HOSTILE = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, AttributeError, EOFError, RuntimeError,
    AssertionError, MemoryError, struct.error, zlib.error,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class SentPicture:
    """A picture somebody sent.

    Attributes:
        pixels: uint8 (height, width, 3) BGR, upright.
        format: JPEG, PNG, WEBP, BMP or GIF.
    """

    pixels: BgrArray
    format: str


def load_readers() -> None:
    """Import every reader now, rather than while the first picture waits; may be left out."""
    Image.init()


def read_picture(content: bytes, max_pixels: int) -> SentPicture:
    """Decode one picture; takes as long as its pixels ask for. Any thread.

    Args:
        content: the file.
        max_pixels: most that its header may promise, at most `MOST_PIXELS`.

    Raises:
        RefusedRequestError: it is empty, no picture, too large, damaged or several pictures.
    """
    if not content:
        raise RefusedRequestError(Code.EMPTY, f"the picture has no bytes; {ALLOWED}")
    image = _opened(content, max_pixels)
    width_px, height_px = image.size
    if width_px * height_px > max_pixels:
        raise _too_large(f"{width_px}x{height_px}", max_pixels)
    form = "JPEG" if image.format == "MPO" else str(image.format)  # phones put further pictures behind a JPEG
    if form == "JPEG" and content.count(SCAN) > MOST_SCANS:
        raise RefusedRequestError(Code.DAMAGED, f"the JPEG has more than {MOST_SCANS} scans; allowed: {MOST_SCANS}")
    try:
        if form != "JPEG" and getattr(image, "is_animated", False):
            raise RefusedRequestError(Code.ANIMATED, f"the {form} has several frames; send one picture at a time")
        return SentPicture(_pixels(image), form)
    except HOSTILE as error:
        raise RefusedRequestError(Code.DAMAGED, f"the {form} is damaged or cut short: {_reason(error)}") from error


def _opened(content: bytes, max_pixels: int) -> Image.Image:
    """The picture with its header read, not decoded."""
    try:
        return Image.open(BytesIO(content), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large("far too many", max_pixels) from error
    except UnidentifiedImageError as error:
        raise RefusedRequestError(Code.NO_IMAGE, f"the body is no picture that can be read; {ALLOWED}") from error
    except HOSTILE as error:
        raise RefusedRequestError(Code.DAMAGED, f"the picture's header is damaged: {_reason(error)}") from error


def _too_large(found: str, max_pixels: int) -> RefusedRequestError:
    return RefusedRequestError(
        Code.TOO_MANY_PIXELS, f"the picture has {found} pixels; allowed: {max_pixels} in all; send a smaller one"
    )


def _pixels(image: Image.Image) -> BgrArray:
    image.load()
    upright = _upright(image)
    if upright.mode.startswith("I"):
        return _upper_bits(upright)
    if upright.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in upright.info:
        white = Image.new("RGBA", upright.size, WHITE)
        upright = Image.alpha_composite(white, upright.convert("RGBA"))
    rgb = np.asarray(upright.convert("RGB"), np.uint8)
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF data say; where those are damaged, as it is."""
    try:
        return ImageOps.exif_transpose(image)
    except HOSTILE:
        return image


def _upper_bits(image: Image.Image) -> BgrArray:
    """Grey of 16 bits as three channels of 8."""
    deep: npt.NDArray[np.int64] = np.asarray(image, np.int64)
    grey = np.clip(deep >> 8, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
