"""The model, which detections count, and how they are tracked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, Tag

from agent.settings.models.camera import KeptLabels
from agent.settings.models.choices import KeepOverRestart
from agent.settings.models.record import Fraction, Label, Record, chosen_by_kind
from agent.settings.types import Duration, PictureSize, RefusedError
from agent.settings.types.limits import Number, Text, WholeNumber, Within
from agent.settings.types.site_path import SitePath

Labels = Annotated[
    Annotated[SitePath, Tag("<text>")] | Annotated[tuple[Label, ...], Field(min_length=1), Tag("<list>")],
    chosen_by_kind("the path of a text file with a label a line, or a list of labels"),
]
ModelName = Annotated[str, Text(r"[A-Za-z0-9_.-]{1,128}", "up to 128 letters, digits, _ . and -")]
ServerAddress = Annotated[
    str, Text(r"(grpc|http)s?://[^\s@/]+(:\d+)?/?", "an address such as grpc://10.0.0.5:8001 or https://models:8000")
]
DeviceName = Annotated[
    str, Text(r"[A-Za-z0-9_.:,()-]{1,64}", "a device as the run-time names it: GPU.1, HETERO:NPU,CPU")
]
Mean = Annotated[float, Number(-100_000.0, 100_000.0)]
Scale = Annotated[float, Number(0.0, 100_000.0, open_low=True)]


def _three(written: object) -> object:
    if not isinstance(written, (list, tuple)) or len(written) != 3:
        raise RefusedError("a list of three numbers, one a channel")
    return written


Means = Annotated[tuple[Mean, Mean, Mean], BeforeValidator(_three)]
Scales = Annotated[tuple[Scale, Scale, Scale], BeforeValidator(_three)]
BatchWait = Annotated[Duration, Within(Duration(0.0), Duration(1.0))]
Patience = Annotated[Duration, Within(Duration(0.0), Duration(600.0))]


class ModelSettings(Record):
    """The detection model and how it is fed; what is left out is read off the model."""

    path: SitePath
    """The ONNX file, or a bundle: one file of it and all that belongs to it."""

    labels: Labels | None = None
    """Text of every class in order: path of a file with one a line, or a list; null reads the model's metadata."""

    engine: Literal[
        "auto", "fastest", "efficient",
        "tensorrt", "coreml", "openvino", "onnxruntime", "onnxruntime_tensorrt", "onnxruntime_plugin", "kserve",
        "myriad", "tensorrt_worker",
    ] = "auto"  # fmt: skip
    """The run-time; auto and fastest take the fastest that works here, efficient the one with least processor time."""

    device: DeviceName | None = None
    """OpenVINO's own name of the devices to use, such as HETERO:NPU,CPU; null takes the device the choice falls on."""

    servers: tuple[ServerAddress, ...] = ()
    """Servers that hold the model (KServe v2: Triton, OpenVINO Model Server), beside what this machine has."""

    remote_model: ModelName | None = None
    """The model's name on the servers; null takes the file's name without its ending."""

    remote_version: ModelName | None = None
    """Its version on the servers; null lets them choose."""

    remote_timeout: Annotated[Duration, Within(Duration(0.1), Duration(60.0))] = Duration(5.0)
    """How long a server may take for one answer."""

    precision: Literal["auto", "fp32", "fp16", "int8"] = "auto"
    """What the engine computes with; auto takes what suits the accelerator."""

    calibration: SitePath | None = None
    """Pictures to build int8 of a float model with on TensorRT: a .npy file of them, or a folder of such."""

    isolate: bool = False
    """Run the engine in a process of its own: a crash of a vendor's library costs one restart of it, not the agent."""

    worker_python: SitePath | None = None
    """A Python of its own for run-times that this one cannot have: OpenVINO 2022.3 for MYRIAD, JetPack 5's TensorRT."""

    family: Literal["auto", "yolox", "yolov5", "yolov8", "end2end", "detr", "nanodet"] = "auto"
    """How the model's output is read; auto tells it from the shapes, and refuses what is not clear."""

    input_size: PictureSize | None = None
    """Size the model is fed with, such as 640x480 or 416; needed only where the model leaves it open."""

    color_order: Literal["rgb", "bgr"] | None = None
    """Channel order of the model's input; null takes the family's."""

    mean: Means | None = None
    """Taken off each channel, on the 0 to 255 scale, in the model's channel order; null takes the family's."""

    scale: Scales | None = None
    """Multiplied with each channel after mean; null takes the family's."""

    fit: Literal["letterbox_top_left", "letterbox_centre", "stretch"] | None = None
    """How a frame is brought to input_size; null takes the family's."""

    pad_value: Annotated[int, WholeNumber(0, 255)] | None = None
    """Grey value of the letterbox's empty part; null takes the family's."""

    threads: Annotated[int, WholeNumber(1, 256)] | None = None
    """Processor threads one inference may use; null shares half of the cores among the sessions."""

    sessions: Annotated[int, WholeNumber(1, 16)] = 1
    """Inferences that may run at once."""

    inference_deadline: Annotated[Duration, Within(Duration(1.0), Duration(600.0))] = Duration(30.0)
    """How long one inference may take before the engine counts as hung and the process ends: 1s to 10m."""

    batch: Annotated[int, WholeNumber(1, 64)] = 1
    """Frames of different cameras in one inference, at most; above 1 the model must take it."""

    batch_wait: BatchWait = Duration(0.0)
    """How long the first frame of a batch waits for the others, up to 1s; 0s takes those that are there already."""


class DetectionSettings(Record):
    """Which detections count."""

    score_threshold: Fraction = 0.1
    """Detections below it are dropped; keep it low, the tracker uses weak detections too."""

    score_thresholds: dict[Label, Fraction] = Field(default_factory=dict)
    """The same for single labels, such as {person: 0.3}."""

    iou_threshold: Fraction = 0.65
    """Suppression: of two boxes of a class that overlap more than this, the weaker goes."""

    keep_labels: KeptLabels | None = None
    """Labels that count, on every camera that does not say its own; null keeps all."""

    max_detections: Annotated[int, WholeNumber(1, 10_000)] = 300
    """Detections a frame, at most; the best stay."""


class TrackingSettings(Record):
    """ByteTrack's thresholds and patience."""

    high_threshold: Fraction = 0.6
    """Detections from this score on are matched with tracks first."""

    low_threshold: Fraction = 0.2
    """Detections between this and high_threshold may still continue a track."""

    new_track_threshold: Fraction = 0.7
    """Score from which an unmatched detection begins a track."""

    lost_patience: Patience = Duration(2.0)
    """How long a track that is no longer seen is kept: up to 10m."""

    keep_over_restart: KeepOverRestart = KeepOverRestart.OFF
    """on: tracks go on when the agent starts again within lost_patience, and keep their ids; files excepted. Costs
    about half a millisecond a second and camera, and a file of 1 kB a track that is written once a second."""
