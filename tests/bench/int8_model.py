"""A model quantised to eight bits, as ONNX Runtime does it for processors: U8S8, QDQ, calibrated on real pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from agent.detect.canvas import Canvas
from agent.detect.detection_plan import DetectionPlan
from agent.stream.array_picture import ArrayPicture
from agent.stream.frame import BgrArray, ClockSource, Frame, FrameInfo


class ReadyPicture(ArrayPicture):
    """A picture that has the model's size already, as a decoder or a camera gives it: nothing is scaled or copied."""

    def __init__(self, pixels: BgrArray) -> None:
        super().__init__(pixels)
        self._ready = pixels

    def scaled(self, width_px: int, height_px: int) -> BgrArray:
        """The pixels themselves, where that is their size."""
        is_ready = self._ready.shape[:2] == (height_px, width_px)
        return self._ready if is_ready else super().scaled(width_px, height_px)


class Pictures(CalibrationDataReader):  # type: ignore[misc]  # the run-time has no types
    """The model's own image tensors of pictures, one at a time."""

    def __init__(self, plan: DetectionPlan, frames: Sequence[Frame]) -> None:
        self._tensors = tensors(plan, frames)

    def get_next(self) -> dict[str, npt.NDArray[np.float32]] | None:
        """The next, or None at the end."""
        return next(self._tensors, None)


def quantised(plan: DetectionPlan, frames: Sequence[Frame], path: Path) -> Path:
    """Write the plan's model in eight bits."""
    prepared = path.with_suffix(".prepared.onnx")
    quant_pre_process(str(plan.path), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(path),
        Pictures(plan, frames),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    return path


def tensors(plan: DetectionPlan, frames: Sequence[Frame]) -> Iterator[dict[str, npt.NDArray[np.float32]]]:
    """What the model itself takes for each frame, by the name of its input."""
    size = (plan.image.width_px, plan.image.height_px)
    canvas = Canvas(1, size, plan.preprocessing.fit, plan.preprocessing.pad_value)
    for frame in frames:
        canvas.paint([frame])
        pixels = canvas.pixels if plan.image.order == "bgr" else canvas.pixels[..., ::-1]
        floats = (pixels.astype(np.float32) - np.float32(plan.image.mean)) * np.float32(plan.image.scale)
        yield {plan.image.name: np.ascontiguousarray(floats.transpose(0, 3, 1, 2))}


def read_frames(folder: Path, count: int, size_px: tuple[int, int] | None = None) -> list[Frame]:
    """The first pictures of a folder as frames, of their own size or brought to one."""
    paths = sorted(folder.rglob("*.jpg"))[:count]
    if not paths:
        raise SystemExit(f"no pictures (*.jpg) in {folder}")
    return [_frame(path, number, size_px) for number, path in enumerate(paths)]


def _frame(path: Path, number: int, size_px: tuple[int, int] | None) -> Frame:
    picture = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)
    if size_px is not None:
        picture = np.asarray(cv2.resize(picture, size_px, interpolation=cv2.INTER_AREA), np.uint8)
    height_px, width_px = picture.shape[:2]
    began = datetime.fromtimestamp(0, timezone.utc)
    return Frame(FrameInfo("bench", number, began, ClockSource.HOST, 0.0, width_px, height_px), ReadyPicture(picture))
