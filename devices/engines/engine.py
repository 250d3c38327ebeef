"""The inference seam: tensors by name in, tensors by name out. Knows no model family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from devices.inventory import Accelerator

Tensors = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class TensorSpec:
    """One input or output as the model declares it.

    Attributes:
        name: as in the model.
        dtype: NumPy name: float32, float16, int64, uint8, ...
        shape: one entry an axis; an int, or None where the model leaves it open. An output of unknown rank
            has the empty shape.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True)
class ImageInput:
    """How the run-time turns uint8 pictures into the model's own image tensor.

    An engine loaded with one takes uint8 (N, height, width, 3) BGR under `name`, and computes
    (x - mean) * scale per channel, in the model's channel order, layout and dtype, inside the graph.

    Attributes:
        name: the model's input it feeds.
        width_px, height_px: the size pictures are given in.
        order: "rgb" or "bgr", what the model wants.
        mean, scale: three floats in the model's channel order, on the 0 to 255 scale.
    """

    name: str
    width_px: int
    height_px: int
    order: str
    mean: tuple[float, float, float]
    scale: tuple[float, float, float]


@dataclass(frozen=True)
class EngineRequest:
    """What to make ready, and on what.

    Attributes:
        model: path of the ONNX file.
        image: how pictures become the image tensor, or None to take the model's tensors as they are.
        accelerator: where to run.
        threads: processor threads one inference may use; at least 1.
        sessions: how many sessions will run at once.
        cache_dir: where engines may keep compiled files, or None.
        batch: how many pictures every inference will take; fixed in the graph where the model leaves it open
            (a third faster for some models). None keeps it open; a batch the model itself fixes stays.
    """

    model: Path
    accelerator: Accelerator
    image: ImageInput | None = None
    threads: int = 1
    sessions: int = 1
    cache_dir: Path | None = None
    batch: int | None = None


@dataclass(frozen=True)
class EngineSpec:
    """What was made ready; run-time, version and accelerator are told in logs, status and metrics.

    Attributes:
        runtime, runtime_version: "onnxruntime" and "1.31.1", say.
        accelerator: where it really runs.
        precision: fp32, fp16 or int8, of the weights.
        inputs, outputs: as `Session.infer` takes and gives them.
        model_sha256: of the file.
        notes: what a person should know of the loading: taken from the cache, or could not be kept there.
    """

    runtime: str
    runtime_version: str
    accelerator: Accelerator
    precision: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    model_sha256: str
    notes: tuple[str, ...] = ()


class Session(Protocol):
    """One worker's way into an engine. `infer` is called by one thread at a time, never after `close`."""

    def infer(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Tensors:
        """Run once. float16 outputs come as float32. The arrays given back are the caller's.

        Raises:
            InferenceError: this inference failed.
        """

    def close(self) -> None:
        """Let go of everything; may be called twice."""


class Engine(Protocol):
    """A model made ready on one run-time and one accelerator. Any thread may ask for a session."""

    @property
    def spec(self) -> EngineSpec:
        """What was made ready."""

    def session(self) -> Session:
        """A session of its own for one worker."""

    def close(self) -> None:
        """Let go of the model; sessions must be closed before; may be called twice."""
