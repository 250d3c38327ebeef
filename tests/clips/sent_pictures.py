"""Pictures as people send them: every kind of file, good ones, odd ones and hostile ones."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from clips.rendered import TruthBox, draw
from PIL import Image

SIZE_PX = (640, 360)
SQUARES = (TruthBox(1, 0, 164, 72, 228, 136), TruthBox(2, 1, 402, 216, 466, 280))


def square_pixels() -> npt.NDArray[np.uint8]:
    """One red square and one blue one on noisy grey: uint8 (360, 640, 3) BGR."""
    return draw(SQUARES, SIZE_PX, seed=0)


def as_image() -> Image.Image:
    """The same as Pillow has it."""
    return Image.fromarray(np.ascontiguousarray(square_pixels()[:, :, ::-1]))


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    """A file of it."""
    stream = BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def png() -> bytes:
    """Without loss."""
    return encoded(as_image(), "PNG")


def turned_jpeg(orientation: int) -> bytes:
    """Stored as a camera held otherwise stores it: upright only for those that heed its EXIF data."""
    turns: dict[int, Callable[[Image.Image], Image.Image]] = {
        3: lambda image: image.transpose(Image.Transpose.ROTATE_180),
        6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
        8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(turns[orientation](as_image()), "JPEG", quality=95, exif=exif)


def transparent_png() -> bytes:
    """The squares are solid, everything else is hidden behind an alpha of 0."""
    image = as_image().convert("RGBA")
    alpha = np.zeros((SIZE_PX[1], SIZE_PX[0]), np.uint8)
    for square in SQUARES:
        alpha[int(square.y1) : int(square.y2), int(square.x1) : int(square.x2)] = 255
    image.putalpha(Image.fromarray(alpha))
    return encoded(image, "PNG")


def grey_16_bit_png() -> bytes:
    """Brightness in 16 bits."""
    grey = np.asarray(as_image().convert("L"), np.uint16) * 257
    return encoded(Image.fromarray(grey), "PNG")


def rgb_16_bit_png() -> bytes:
    """Colours in 16 bits each, which Pillow reads and does not write."""
    rows = square_pixels()[:, :, ::-1].astype(">u2") * 257
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return _png_of(*SIZE_PX, depth=16, raw=zlib.compress(raw, 1))


def animated(form: str) -> bytes:
    """Two frames."""
    other = Image.new("RGB", SIZE_PX, "white")
    return encoded(as_image(), form, save_all=True, append_images=[other], duration=100)


def promised_png(width_px: int, height_px: int) -> bytes:
    """A small file whose header promises this size: what a decompression bomb looks like from outside."""
    return _png_of(width_px, height_px, depth=8, raw=zlib.compress(b"\0" * 1000))


def text_bomb_png() -> bytes:
    """A picture of one pixel with a compressed text of 100 MB."""
    squeezer = zlib.compressobj(9)
    text = b"".join(squeezer.compress(b" " * 1_000_000) for _ in range(100)) + squeezer.flush()
    chunk = _chunk(b"zTXt", b"Comment\0\0" + text)
    plain = _png_of(1, 1, depth=8, raw=zlib.compress(b"\0\0\0\0"))
    return plain[:33] + chunk + plain[33:]


def many_scans_jpeg() -> bytes:
    """A progressive JPEG whose last scan is sent a thousand times."""
    whole = encoded(as_image(), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * 1000 + whole[-2:]


def _png_of(width_px: int, height_px: int, *, depth: int, raw: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width_px, height_px, depth, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", raw) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
