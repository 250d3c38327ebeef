"""Clips that tests draw themselves: coloured squares on known paths over noisy grey, with the truth of every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import numpy.typing as npt

RED_BGR, BLUE_BGR = (0, 0, 255), (255, 0, 0)
COLOURS_BGR = (RED_BGR, BLUE_BGR)
LABELS = ("red", "blue")
SIDE_PX = 64
ENCODERS = {"h264": "libx264", "hevc": "libx265", "mpeg4": "mpeg4"}
SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True)
class Square:
    """One square on a straight path.

    Attributes:
        number: which object, from 1.
        class_id: 0 red, 1 blue.
        first_s, last_s: when it is there, seconds.
        start, end: x and y of its top left corner at those moments; may lie outside the frame.
    """

    number: int
    class_id: int
    first_s: float
    last_s: float
    start: tuple[float, float]
    end: tuple[float, float]


class TruthBox(NamedTuple):
    """What is really in a frame: object number, class, and the visible part in pixels."""

    number: int
    class_id: int
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Truth:
    """What a rendered clip holds; `frames[i]` is what frame i shows."""

    size: tuple[int, int]
    fps: int
    frames: tuple[tuple[TruthBox, ...], ...]


def render_clip(
    path: Path,
    *,
    seconds: float = 4,
    fps: int = 10,
    size: tuple[int, int] = (640, 360),
    squares: Sequence[Square] | None = None,
    audio: bool = False,
    codec: str = "h264",
) -> Truth:
    """Write an MP4 (or what the name says) without B-frames, a key frame each second, and tell what is in it."""
    squares = default_squares(seconds, size) if squares is None else squares
    count = round(seconds * fps)
    truth = Truth(size, fps, tuple(tuple(_visible(squares, i / fps, size)) for i in range(count)))
    with av.open(str(path), "w") as container:
        stream = _video_stream(container, codec, fps, size)
        sound = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono") if audio else None
        for number, boxes in enumerate(truth.frames):
            frame = av.VideoFrame.from_ndarray(_picture(boxes, size, number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            _mux(container, stream.encode(frame), fps)
        _mux(container, stream.encode(None), fps)
        if sound is not None:
            _add_tone(container, sound, seconds)
    return truth


def default_squares(seconds: float, size: tuple[int, int]) -> tuple[Square, ...]:
    """A red square from left to right all the time, and lower down a blue one from right to left, later."""
    width, height = size
    upper, lower = height * 0.2, height * 0.6
    return (
        Square(1, 0, 0.0, seconds, (-SIDE_PX, upper), (width, upper)),
        Square(2, 1, seconds * 0.3, seconds, (width, lower), (0, lower)),
    )


def draw(boxes: Sequence[TruthBox], size: tuple[int, int], *, seed: int = 0) -> npt.NDArray[np.uint8]:
    """One picture, uint8 (height, width, 3) BGR, as the clip holds it before compression."""
    return _picture(boxes, size, seed)


def _visible(squares: Sequence[Square], at_s: float, size: tuple[int, int]) -> Iterator[TruthBox]:
    width, height = size
    for square in squares:
        if not square.first_s <= at_s <= square.last_s:
            continue
        part = (at_s - square.first_s) / max(square.last_s - square.first_s, 1e-9)
        # Whole even pixels: chroma is stored at half size, so an odd edge would bleed.
        x, y = (2 * round((a + (b - a) * part) / 2) for a, b in zip(square.start, square.end, strict=True))
        x1, y1, x2, y2 = max(x, 0), max(y, 0), min(x + SIDE_PX, width), min(y + SIDE_PX, height)
        if x2 - x1 >= 2 and y2 - y1 >= 2:
            yield TruthBox(square.number, square.class_id, x1, y1, x2, y2)


def _picture(boxes: Sequence[TruthBox], size: tuple[int, int], seed: int) -> npt.NDArray[np.uint8]:
    width, height = size
    grey = np.random.default_rng(seed).integers(122, 134, (height, width, 1), dtype=np.uint8)
    picture = np.repeat(grey, 3, axis=2)
    for box in boxes:
        picture[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)] = COLOURS_BGR[box.class_id]
    return picture


def _video_stream(container: Any, codec: str, fps: int, size: tuple[int, int]) -> Any:
    # One thread, one slice a picture: a receiver may take the slices of a key frame for pictures of their own.
    options = {"bf": "0", "g": str(fps), "threads": "1"}
    if codec != "mpeg4":
        options |= {"crf": "14", "preset": "veryfast", f"{ENCODERS[codec].removeprefix('lib')}-params": "scenecut=0"}
    if codec == "hevc":
        options["x265-params"] += f":bframes=0:keyint={fps}:log-level=none"
    stream = container.add_stream(ENCODERS[codec], rate=fps, options=options)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    if codec == "mpeg4":
        stream.bit_rate = 8_000_000
    return stream


def _mux(container: Any, packets: Sequence[Any], fps: int) -> None:
    for packet in packets:
        # Without it the last frame has no length, and a player that loops shows it together with the first.
        packet.duration = round(1 / fps / packet.time_base)
        container.mux(packet)


def _add_tone(container: Any, stream: Any, seconds: float) -> None:
    samples = np.sin(np.arange(int(seconds * SAMPLE_RATE_HZ)) * (2 * np.pi * 440 / SAMPLE_RATE_HZ)) * 8000
    for start in range(0, len(samples), 1024):
        block = samples[start : start + 1024].astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
        frame.sample_rate, frame.pts = SAMPLE_RATE_HZ, start
        frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
