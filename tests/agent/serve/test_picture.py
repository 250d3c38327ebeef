"""Pictures of every kind become pixels, and what is none, or too much of one, is refused by name."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from clips import sent_pictures
from clips.sent_pictures import SIZE_PX, as_image, encoded, promised_png, square_pixels
from PIL import Image

from agent.serve.picture import read_picture
from agent.serve.refusal import Code, RefusedRequestError

MAX_PIXELS = 1_000_000
NEAR = 12.0
"""Mean difference of a channel that lossy compression and conversion may make."""


def read(content: bytes) -> np.ndarray:
    """As the server does it."""
    return read_picture(content, MAX_PIXELS).pixels


def mean_off(pixels: np.ndarray, expected: np.ndarray) -> float:
    """How far two pictures are apart."""
    assert pixels.shape == expected.shape
    return float(np.abs(pixels.astype(int) - expected.astype(int)).mean())


@pytest.mark.parametrize("form", ["PNG", "BMP", "WEBP"])
def test_pictures_without_loss_are_the_same_pixels(form: str) -> None:
    """Blue, green, red, in rows from the top; and what was sent is told."""
    options = {"lossless": True} if form == "WEBP" else {}
    sent = read_picture(encoded(as_image(), form, **options), MAX_PIXELS)

    assert sent.format == form
    np.testing.assert_array_equal(sent.pixels, square_pixels())


LOSSY: dict[str, Callable[[], bytes]] = {
    "JPEG": lambda: encoded(as_image(), "JPEG", quality=95),
    "progressive": lambda: encoded(as_image(), "JPEG", quality=95, progressive=True),
    "CMYK": lambda: encoded(as_image().convert("CMYK"), "JPEG", quality=95),
    "palette": lambda: encoded(as_image().quantize(256), "PNG"),
    "GIF of one frame": lambda: encoded(as_image().quantize(256), "GIF"),
    "16 bits a colour": sent_pictures.rgb_16_bit_png,
    "two pictures in a JPEG": lambda: encoded(as_image(), "MPO", quality=95, save_all=True, append_images=[as_image()]),
    **{f"EXIF {each}": (lambda each=each: sent_pictures.turned_jpeg(each)) for each in (3, 6, 8)},  # type: ignore[misc]
}


@pytest.mark.parametrize("kind", LOSSY)
def test_every_kind_looks_as_it_is_meant_to(kind: str) -> None:
    """Converted, upright, in its own colours."""
    assert mean_off(read(LOSSY[kind]()), square_pixels()) < NEAR


def test_grey_of_16_bits_keeps_its_upper_8() -> None:
    """Not clipped to white."""
    grey = np.asarray(as_image().convert("L"))

    np.testing.assert_array_equal(read(sent_pictures.grey_16_bit_png()), np.repeat(grey[:, :, None], 3, axis=2))


def test_black_and_white_and_grey() -> None:
    """One bit, and eight."""
    for mode in ("1", "L"):
        image = as_image().convert(mode)
        expected = np.asarray(image.convert("RGB"))[:, :, ::-1]
        np.testing.assert_array_equal(read(encoded(image, "PNG")), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode: str) -> None:
    """As people see it in a browser; colours behind an alpha of 0 are not searched."""
    content = sent_pictures.transparent_png()
    if mode != "RGBA":
        with Image.open(sent_pictures.BytesIO(content)) as image:
            content = encoded(image.convert("LA") if mode == "LA" else image.quantize(16), "PNG")
    pixels = read(content)

    assert (pixels[0, 0] == 255).all()
    assert (pixels[100, 200] < 250).any()


HOSTILE: dict[str, tuple[Callable[[], bytes], Code]] = {
    "zero bytes": (bytes, Code.EMPTY),
    "text": (lambda: b"GET / HTTP/1.1\r\n\r\n", Code.NO_IMAGE),
    "a video": (lambda: b"\0\0\0\x18ftypmp42" + bytes(500), Code.NO_IMAGE),
    "a vector drawing": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", Code.NO_IMAGE),
    "a TIFF": (lambda: encoded(as_image(), "TIFF"), Code.NO_IMAGE),
    "an animated GIF": (lambda: sent_pictures.animated("GIF"), Code.ANIMATED),
    "an animated PNG": (lambda: sent_pictures.animated("PNG"), Code.ANIMATED),
    "an animated WebP": (lambda: sent_pictures.animated("WEBP"), Code.ANIMATED),
    "too wide": (lambda: promised_png(2_000_000, 1), Code.TOO_MANY_PIXELS),
    "a bomb": (lambda: promised_png(50_000, 50_000), Code.TOO_MANY_PIXELS),
    "a bomb beyond all": (lambda: promised_png(2**31 - 1, 2**31 - 1), Code.TOO_MANY_PIXELS),
    "a bomb of text": (sent_pictures.text_bomb_png, Code.DAMAGED),
    "a JPEG of a thousand scans": (sent_pictures.many_scans_jpeg, Code.DAMAGED),
    "no pixels": (lambda: promised_png(0, 0), Code.NO_IMAGE),
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.filterwarnings("default::PIL.Image.DecompressionBombWarning")
def test_what_is_no_picture_is_refused(kind: str) -> None:
    """By its code, in one line, without spending memory on it."""
    make, code = HOSTILE[kind]
    content = make()
    tracemalloc.start()
    with pytest.raises(RefusedRequestError) as refused:
        read(content)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert refused.value.code is code
    assert "\n" not in str(refused.value)
    assert peak_bytes < 30_000_000


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_what_was_cut_short_is_refused(form: str, share: float) -> None:
    """At the head, in the middle, near the end: never half a picture."""
    whole = encoded(as_image(), form)
    with pytest.raises(RefusedRequestError) as refused:
        read(whole[: int(len(whole) * share)])

    assert refused.value.code in {Code.DAMAGED, Code.NO_IMAGE}


def test_the_limit_is_what_is_still_allowed() -> None:
    """As many pixels as the limit pass; one more row does not."""
    width_px, height_px = SIZE_PX
    content = sent_pictures.png()

    assert read_picture(content, width_px * height_px).pixels.shape == (height_px, width_px, 3)
    with pytest.raises(RefusedRequestError, match=r"640x360 pixels; allowed: 230399 in all"):
        read_picture(content, width_px * height_px - 1)


def test_spoilt_bytes_never_surprise() -> None:
    """Whatever is changed in a file, it is a picture or refused."""
    rng = np.random.default_rng(7)
    small = as_image().resize((64, 36))
    for form in ("JPEG", "PNG", "WEBP", "BMP", "GIF"):
        whole = np.frombuffer(encoded(small, form), np.uint8)
        for _ in range(60):
            spoilt = whole.copy()
            spoilt[rng.integers(0, len(whole), 6)] = rng.integers(0, 256, 6)
            try:
                found = read(spoilt.tobytes())
            except RefusedRequestError:
                continue
            assert found.dtype == np.uint8
            assert found.ndim == 3
