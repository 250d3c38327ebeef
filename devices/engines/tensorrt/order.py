"""What the parent asks the build process to build: plain values, as JSON in a folder made for the one build."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from devices.engines.engine import ImageInput, TensorSpec
from devices.engines.image_input import ImageTensor
from devices.engines.tensorrt.profiles import Shapes

ORDER = "order.json"
MODEL = "model.onnx"
PLAN = "engine.plan"
TIMING = "timing.cache"
CALIBRATION = "calibration.cache"


@dataclass(frozen=True)
class BuildOrder:
    """One build.

    Attributes:
        device: number of the CUDA device.
        dla_core: number of the DLA, or None for the GPU.
        is_strong, flags, cleared, convert, calibrate: as `PrecisionPlan`.
        profiles: least, usual and largest shape of every input with open axes.
        profile_count: how many equal profiles.
        workspace_share, workspace_limit_mib: as `Preset`.
        calibration_set: file or folder of pictures, or None.
        image: the model's image input, for calibration; None where it has none.
    """

    device: int
    dla_core: int | None
    is_strong: bool
    flags: tuple[str, ...]
    cleared: tuple[str, ...]
    convert: str | None
    calibrate: bool
    profiles: dict[str, Shapes]
    profile_count: int
    workspace_share: float
    workspace_limit_mib: int
    calibration_set: str | None = None
    image: ImageTensor | None = None

    def write(self, folder: Path) -> None:
        """Into the job's folder."""
        (folder / ORDER).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> BuildOrder:
        """From the job's folder."""
        fields: dict[str, Any] = json.loads((folder / ORDER).read_text(encoding="utf-8"))
        fields["profiles"] = {name: _shapes(*three) for name, three in fields["profiles"].items()}
        fields["image"] = _image(fields["image"])
        for name in ("flags", "cleared"):
            fields[name] = tuple(fields[name])
        return cls(**fields)


def _shapes(least: list[int], usual: list[int], largest: list[int]) -> Shapes:
    return tuple(least), tuple(usual), tuple(largest)


def _image(fields: dict[str, Any] | None) -> ImageTensor | None:
    if fields is None:
        return None
    spec, image = fields["spec"], fields["image"]
    spec["shape"] = tuple(spec["shape"])
    image["mean"], image["scale"] = tuple(image["mean"]), tuple(image["scale"])
    return ImageTensor(TensorSpec(**spec), fields["layout"], ImageInput(**image))
