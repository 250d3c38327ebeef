from __future__ import annotations

import threading
from collections.abc import Callable

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from agent.stream.array_picture import ArrayPicture
from agent.stream.av_picture import AvPicture, Scalers
from agent.stream.frame import BgrArray, GreyArray, Picture

BT709, BT601, UNTOLD = 1, 5, 2
LIMITED, FULL = 1, 2


def flat(
    y: int, u: int, v: int, *, size: tuple[int, int] = (64, 48), matrix: int = UNTOLD, scale: int = 0
) -> av.VideoFrame:
    """A YUV 4:2:0 frame of one colour."""
    frame = av.VideoFrame(*size, "yuv420p")
    for plane, value in zip(frame.planes, (y, u, v), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.colorspace, frame.color_range = matrix, scale
    return frame


def colour(frame: av.VideoFrame, *, scaled: bool = True) -> list[int]:
    picture = AvPicture(frame, Scalers())
    pixels = picture.scaled(30, 20) if scaled else picture.full()
    return [int(value) for value in pixels[10, 10]]


@pytest.mark.parametrize("scaled", [True, False])
@pytest.mark.parametrize(
    ("frame", "bgr"),
    [
        (flat(235, 128, 128, scale=LIMITED), [255, 255, 255]),
        (flat(16, 128, 128, scale=LIMITED), [0, 0, 0]),
        (flat(255, 128, 128, scale=FULL), [255, 255, 255]),
        (flat(0, 128, 128, scale=FULL), [0, 0, 0]),
        (flat(128, 128, 128, scale=FULL), [128, 128, 128]),
        (flat(81, 90, 240, matrix=BT601), [0, 0, 254]),
        (flat(63, 102, 240, matrix=BT709), [0, 0, 254]),
        (flat(81, 90, 240), [0, 0, 254]),
        (flat(63, 102, 240, size=(1280, 720)), [0, 0, 254]),
    ],
    ids=["white", "black", "full white", "full black", "full grey", "601 red", "709 red", "small red", "HD red"],
)
def test_colours_are_those_of_the_stream(frame: av.VideoFrame, bgr: list[int], *, scaled: bool) -> None:
    """Range and matrix are the stream's own; one that names no matrix is BT.601 below 720 lines, else BT.709."""
    assert colour(frame, scaled=scaled) == pytest.approx(bgr, abs=3)


def brightness(frame: av.VideoFrame) -> int:
    return int(AvPicture(frame, Scalers()).grey(30, 20)[10, 10])


@pytest.mark.parametrize(
    ("frame", "level"),
    [
        (flat(235, 128, 128, scale=LIMITED), 255),
        (flat(16, 128, 128, scale=LIMITED), 0),
        (flat(255, 128, 128, scale=FULL), 255),
        (flat(0, 128, 128, scale=FULL), 0),
        (flat(126, 128, 128), 128),
        (flat(126, 90, 240, matrix=BT709, size=(1280, 720)), 128),
    ],
    ids=["white", "black", "full white", "full black", "untold", "red does not count"],
)
def test_grey_reaches_from_black_to_white(frame: av.VideoFrame, level: int) -> None:
    """Whatever range the stream uses; it is the luma, so colour does not matter."""
    assert brightness(frame) == pytest.approx(level, abs=2)


MAKERS = {
    "array": ArrayPicture,
    "decoder that gives BGR": lambda pixels: AvPicture(av.VideoFrame.from_ndarray(pixels, format="bgr24"), Scalers()),
    "decoder that gives grey": lambda pixels: AvPicture(
        av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="gray"), Scalers()
    ),
    "decoder that gives YUV": lambda pixels: AvPicture(
        av.VideoFrame.from_ndarray(pixels, format="bgr24").reformat(format="yuv420p"), Scalers()
    ),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
@pytest.mark.parametrize(("width", "height"), [(480, 270), (333, 187), (640, 360), (33, 19), (1, 1)])
def test_grey_of_any_size_is_made_whole(make: Callable[[BgrArray], Picture], width: int, height: int) -> None:
    """Every kind of picture gives the same brightness at any size: uint8, contiguous, and the caller's own."""
    source = drawn(640, 360)
    expected: GreyArray = cv2.resize(cv2.cvtColor(source, cv2.COLOR_BGR2GRAY), (width, height))
    picture = make(source)

    grey = picture.grey(width, height)

    assert (grey.shape, grey.dtype, grey.flags.c_contiguous) == ((height, width), np.uint8, True)
    assert np.abs(grey.astype(int) - expected.astype(int)).mean() < 4
    grey[:] = 0
    assert picture.grey(width, height).any()


def drawn(width: int, height: int) -> BgrArray:
    """A smooth colourful picture."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], axis=2).astype(np.uint8)


@pytest.mark.parametrize(("width", "height"), [(416, 234), (417, 235), (33, 19), (1280, 720), (1, 1)])
def test_any_size_is_made_whole(width: int, height: int) -> None:
    """Rows with and without padding, larger and smaller: the picture is the drawn one, uint8 and contiguous."""
    source = drawn(640, 360)
    picture = AvPicture(av.VideoFrame.from_ndarray(source, format="bgr24").reformat(format="yuv444p"), Scalers())

    pixels = picture.scaled(width, height)

    assert pixels.shape == (height, width, 3)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    if width > 1:
        difference = np.abs(pixels.astype(int) - drawn(width, height).astype(int))
        assert difference.mean() < 6


def test_shrinking_averages() -> None:
    """A fine checkerboard becomes grey, not stripes: nothing is skipped."""
    board = np.indices((480, 640)).sum(axis=0) % 2 * 255
    source = np.repeat(board[:, :, None], 3, axis=2).astype(np.uint8)
    picture = AvPicture(av.VideoFrame.from_ndarray(source, format="bgr24").reformat(format="yuv444p"), Scalers())

    pixels = picture.scaled(128, 96)

    assert pixels.mean() == pytest.approx(127, abs=6)
    assert pixels.std() < 12


def test_many_threads_may_ask_at_once() -> None:
    """Eight threads at two sizes of one picture get what one thread gets."""
    scalers = Scalers()
    picture = AvPicture(flat(81, 90, 240, size=(320, 240), matrix=BT601), scalers)
    wanted = {
        size: AvPicture(flat(81, 90, 240, size=(320, 240), matrix=BT601), Scalers()).scaled(*size)
        for size in [(64, 48), (100, 75)]
    }
    wrong: list[tuple[int, int]] = []

    def ask(size: tuple[int, int]) -> None:
        wrong.extend(size for _ in range(30) if not np.array_equal(picture.scaled(*size), wanted[size]))

    threads = [threading.Thread(target=ask, args=([(64, 48), (100, 75)][i % 2],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


@pytest.mark.parametrize(
    "make",
    [ArrayPicture, lambda pixels: AvPicture(av.VideoFrame.from_ndarray(pixels, format="bgr24"), Scalers())],
    ids=["array", "decoder that gives BGR"],
)
def test_results_are_the_callers_own(make: type[ArrayPicture]) -> None:
    """Drawing on a result changes neither the picture nor the next result."""
    picture = make(np.full((24, 32, 3), 7, np.uint8))

    for size in [(32, 24), (16, 12)]:
        picture.scaled(*size)[:] = 200
        picture.full()[:] = 200

    assert (picture.full() == 7).all()
    assert (picture.scaled(16, 12) == 7).all()


@pytest.mark.parametrize("pixels", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)])
def test_an_array_of_another_shape_is_refused(pixels: npt.NDArray[np.uint8]) -> None:
    """An array picture is uint8 BGR or nothing."""
    with pytest.raises(ValueError, match="expected uint8"):
        ArrayPicture(pixels)
