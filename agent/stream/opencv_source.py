"""USB cameras and GStreamer pipelines, through OpenCV.

Imports little, so that it also runs on a system's own Python, whose OpenCV has GStreamer.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from agent.errors import SourceError, SourceFailure
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import BgrArray, Frame
from agent.stream.limits import Limits
from agent.stream.source import CameraContext, OpenedStream
from agent.stream.stamp import frame_info
from agent.stream.stream_clock import StreamClock
from agent.stream.supply import Closed, DetachedSupply, Ended

TURN_S = 0.5
FRAMES_AHEAD = 2
GSTREAMER_MISSING = (
    "the installed OpenCV has no GStreamer: on Debian, Ubuntu and Jetson install the system's `python3-opencv`, take "
    "opencv-python-headless out of sitewatch's environment and let it see the system's packages"
)
PIPELINE_HINT = "try it with gst-launch-1.0, fakesink in appsink's place; GST_DEBUG=2 tells more"
BGR_HINT = "end the pipeline in: ! videoconvert ! video/x-raw,format=BGR ! appsink"


class DeviceKind(str, Enum):
    """What OpenCV opens."""

    USB = "usb"
    GSTREAMER = "gstreamer"


@dataclass(frozen=True)
class ArrivedPixels:
    """One picture as it came: uint8 (height, width, 3) BGR, its time in the stream if it has one, and ours."""

    pixels: BgrArray
    stream_s: float | None
    arrival_s: float
    fps: float | None


class OpencvSource:
    """One USB camera or one GStreamer pipeline; a `FrameSource`.

    OpenCV opens and reads in a thread beside the consumer's, since nothing interrupts it. It tells no reasons; those
    of a device are found out by looking at its node.

    Args:
        context: the camera's.
        kind: what `location` is.
        location: a device's number or node, or a pipeline that ends in appsink (`gst:` before it is left out).
        limits: time-outs.
        shown: the location as it may be printed; a pipeline may hold a password.
    """

    def __init__(self, context: CameraContext, kind: DeviceKind, location: str, limits: Limits, *, shown: str) -> None:
        self._context = context
        self._camera_id = context.camera_id
        self._clock = context.clock
        self._kind = kind
        self._location = location.removeprefix("gst:").strip()
        self._limits = limits
        self._shown = shown
        self._is_closed = threading.Event()
        self._supply: DetachedSupply[ArrivedPixels] | None = None

    def frames(self) -> Iterator[Frame]:
        """Yield frames until the device fails or is closed.

        Raises:
            SourceError: with the reason; of a pipeline also when it ends.
        """
        if self._is_closed.is_set():
            return
        supply = DetachedSupply(f"reader {self._camera_id}", self._read, capacity=FRAMES_AHEAD)
        self._supply = supply
        supply.start()
        if self._is_closed.is_set():
            supply.close()
        try:
            yield from self._stamped(supply)
        except Closed:
            return
        except Ended:
            raise self._error(SourceFailure.ENDED, "the stream ended") from None
        finally:
            supply.close()

    def close(self) -> None:
        """End `frames()` soon and let go of the device."""
        self._is_closed.set()
        if self._supply is not None:
            self._supply.close()

    def _stamped(self, supply: DetachedSupply[ArrivedPixels]) -> Iterator[Frame]:
        clock = StreamClock()
        size_px = (0, 0)
        for arrived in self._arrivals(supply):
            height, width = arrived.pixels.shape[:2]
            if (width, height) != size_px:
                size_px = (width, height)
                self._context.listener.opened(
                    self._camera_id, OpenedStream(width, height, arrived.fps, self._kind.value)
                )
            arrival_at = self._clock.now() - timedelta(seconds=self._clock.monotonic_s() - arrived.arrival_s)
            stamp = clock.stamp(arrived.stream_s, arrived.arrival_s, arrival_at)
            info = frame_info(self._camera_id, self._context.numbers, stamp, size_px)
            yield Frame(info, ArrayPicture(arrived.pixels))

    def _arrivals(self, supply: DetachedSupply[ArrivedPixels]) -> Iterator[ArrivedPixels]:
        waiting_since_s, has_frame = self._clock.monotonic_s(), False
        while True:
            self._context.beat()
            arrived = supply.take(TURN_S)
            if arrived is not None:
                yield arrived
                waiting_since_s, has_frame = self._clock.monotonic_s(), True
                continue
            limit_s = self._limits.stall_s if has_frame else max(self._limits.open_s, self._limits.stall_s)
            if self._clock.monotonic_s() - waiting_since_s > limit_s:
                failure = SourceFailure.STALLED if has_frame else SourceFailure.TIMEOUT
                hint = f": {PIPELINE_HINT}" if self._kind is DeviceKind.GSTREAMER and not has_frame else ""
                raise self._error(failure, f"no picture for {limit_s:g} s{hint}")

    def _read(self) -> Generator[ArrivedPixels]:
        """Open and read; run by the thread that may block."""
        capture = self._open()
        try:
            fps = capture.get(cv2.CAP_PROP_FPS)
            last_s = float("-inf")
            while True:
                is_read, pixels = capture.read()
                if not is_read:
                    return
                stream_s = capture.get(cv2.CAP_PROP_POS_MSEC) / 1e3
                told_s, last_s = (stream_s if stream_s > last_s else None), stream_s
                yield ArrivedPixels(
                    self._bgr(np.asarray(pixels), capture), told_s, self._clock.monotonic_s(), fps if fps > 0 else None
                )
        except cv2.error as error:
            raise self._error(SourceFailure.OTHER, f"OpenCV failed: {error.err}") from error
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture:
        if self._kind is DeviceKind.GSTREAMER:
            if not has_gstreamer(cv2.getBuildInformation()):
                raise self._error(SourceFailure.UNSUPPORTED, GSTREAMER_MISSING)
            capture = cv2.VideoCapture(self._location, cv2.CAP_GSTREAMER)
        else:
            device = int(self._location) if self._location.isdigit() else self._location
            capture = cv2.VideoCapture(device, _usb_backend())
        if capture.isOpened():
            return capture
        capture.release()
        raise self._error(*self._why_not_opened())

    def _why_not_opened(self) -> tuple[SourceFailure, str]:
        if self._kind is DeviceKind.GSTREAMER:
            return SourceFailure.UNSUPPORTED, f"GStreamer cannot start this pipeline: {PIPELINE_HINT}"
        node = Path(f"/dev/video{self._location}" if self._location.isdigit() else self._location)
        if platform.system() != "Linux":
            return SourceFailure.NOT_FOUND, "there is no such camera, or this program may not use cameras"
        if not node.exists():
            return SourceFailure.NOT_FOUND, f"there is no {node}: is the camera plugged in?"
        if not os.access(node, os.R_OK | os.W_OK):
            return SourceFailure.UNAUTHORISED, f"this user may not use {node}: add it to the group `video`"
        return SourceFailure.UNSUPPORTED, f"{node} gives no video: another program has it, or it is no capture device"

    def _bgr(self, pixels: npt.NDArray[Any], capture: cv2.VideoCapture) -> BgrArray:
        """Grey becomes BGR; anything else is refused, also YUV, which looks like a grey picture that is too high."""
        is_whole = pixels.shape[0] == int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)) and pixels.dtype == np.uint8
        if is_whole and (pixels.ndim == 2 or pixels.shape[2] == 1):
            return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
        if is_whole and pixels.ndim == 3 and pixels.shape[2] == 3:
            return pixels
        found = f"pictures come as {pixels.dtype} {pixels.shape}, not as BGR"
        raise self._error(SourceFailure.UNSUPPORTED, f"{found}: {BGR_HINT}")

    def _error(self, failure: SourceFailure, sentence: str) -> SourceError:
        return SourceError(self._camera_id, failure, f"{self._shown}: {sentence}")


def has_gstreamer(build_information: str) -> bool:
    """Whether OpenCV was built with GStreamer, by what `cv2.getBuildInformation()` says."""
    lines = (line.strip() for line in build_information.splitlines())
    return any(line.startswith("GStreamer:") and "YES" in line for line in lines)


def _usb_backend() -> int:
    if platform.system() == "Linux":
        return int(cv2.CAP_V4L2)
    return int(cv2.CAP_AVFOUNDATION if platform.system() == "Darwin" else cv2.CAP_ANY)
