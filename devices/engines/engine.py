"""The inference seam: tensors by name in, tensors by name out. Knows no model family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
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


class Precision(str, Enum):
    """What an engine computes with."""

    AUTO = "auto"
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


@dataclass(frozen=True)
class BuildProgress:
    """How far a build is.

    Attributes:
        step: what is being done, for a person.
        fraction: 0 to 1, or None where the run-time does not tell.
    """

    step: str
    fraction: float | None = None


def _silent(_progress: BuildProgress) -> None:
    """Nobody watches."""


def _unheard(_sentence: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class BuildWatch:
    """Who is told of a build, and how long it may take; and of the restarts of an engine worker.

    Attributes:
        told: called with every progress, on the thread that loads.
        deadline_s: seconds after which the build is ended and the engine counts as unusable.
        restarted: called with a sentence after every restart of the engine's worker, on the thread that infers.
    """

    told: Callable[[BuildProgress], None] = _silent
    deadline_s: float = 3600.0
    restarted: Callable[[str], None] = _unheard


@dataclass(frozen=True)
class WorkerUse:
    """Whether and how an engine runs in an engine worker, a process of its own.

    Attributes:
        is_isolated: an engine that could run in this process runs in a worker, under this Python.
        interpreter: the Python, or script that ends in one, of run-times that this Python cannot have.
    """

    is_isolated: bool = False
    interpreter: Path | None = None


@dataclass(frozen=True)
class RemoteUse:
    """Servers that hold the model, all of them the same.

    Attributes:
        servers: addresses, "grpc://host:8001" or "http://host:8000", with an s behind grpc or http for TLS; a user and
            password in one are sent along and never shown.
        model: its name on the servers; "" takes the file's name without its ending.
        version: of the model there; "" lets the server choose.
        timeout_s: for every call.
        shares_memory: whether tensors may go through shared memory to a server on this machine.
    """

    servers: tuple[str, ...] = field(repr=False)
    model: str = ""
    version: str = ""
    timeout_s: float = 5.0
    shares_memory: bool = True


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
        precision: of the computation; AUTO takes what suits the accelerator.
        calibration: pictures to build int8 of a float model with: a `.npy` file of uint8 (N, height, width, 3) BGR in
            the model's size, or a folder of such; None where there are none.
        build: what a run-time that builds for minutes tells, and how long it may take.
        worker: whether it runs in a process of its own.
        device: the run-time's own name of the device, for run-times that have names for several at once
            ("HETERO:NPU,CPU", "AUTO:GPU,CPU"); None takes the one that is `accelerator`.
        remote: where the model is held, for an accelerator that is a server.
        largest_batch: pictures that one inference takes at most where `batch` is open; what cannot leave it open is
            made for this many.
    """

    model: Path
    accelerator: Accelerator
    image: ImageInput | None = None
    threads: int = 1
    sessions: int = 1
    cache_dir: Path | None = None
    batch: int | None = None
    precision: Precision = Precision.AUTO
    calibration: Path | None = None
    build: BuildWatch = field(default_factory=BuildWatch)
    worker: WorkerUse = field(default_factory=WorkerUse)
    device: str | None = None
    largest_batch: int = 1
    remote: RemoteUse | None = None


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
