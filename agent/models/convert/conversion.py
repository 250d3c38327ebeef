"""What is asked of a conversion, what each format's converter gives, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan
from agent.models.whole_results import Content, Tree
from agent.settings.models import ModelSettings
from devices.engines.engine import Tensors
from devices.engines.model_file import ModelFile

Told = Callable[[str], None]
Ask = Callable[[tuple[Tensors, ...]], tuple[Tensors, ...]]
"""Answers to questions, one each; both by the result's own names, pictures as uint8 (N, height, width, 3) BGR."""

COMPUTE_UNITS = ("ALL", "CPU_AND_GPU", "CPU_AND_NE")


class Target(str, Enum):
    """Whose format."""

    OPENVINO = "openvino"
    COREML = "coreml"
    TENSORRT = "tensorrt"


SUFFIXES = {Target.OPENVINO: ".xml", Target.COREML: ".mlpackage", Target.TENSORRT: ".engine"}


@dataclass(frozen=True)
class CoreMlWish:
    """What only Core ML has.

    Attributes:
        compute_units: of `COMPUTE_UNITS`, noted in the package, for the engine to load it with.
        minimum_target: the oldest system it shall run on.
        takes_pictures: its input is a picture, which Core ML scales; else the model's own tensor.
    """

    compute_units: str = "ALL"
    minimum_target: str = "iOS16"
    takes_pictures: bool = True


@dataclass(frozen=True)
class Order:
    """What to make.

    Attributes:
        model: path of the ONNX file, and what a site file would say of it.
        target: whose format.
        out: what to write.
        is_half: weights (OpenVINO) or computation (the others) in float16, else float32.
        core_ml: for that format.
    """

    model: ModelSettings
    target: Target
    out: Path
    is_half: bool
    core_ml: CoreMlWish = field(default_factory=CoreMlWish)


@dataclass(frozen=True, eq=False)
class Source:
    """The model, read.

    Attributes:
        file: as it describes itself.
        plan: how the product feeds and reads it.
        notes: what the result shall say of itself: the exporter's notes, the labels.
    """

    file: ModelFile
    plan: DetectionPlan
    notes: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class Witness:
    """What computes the result, to hold it against ONNX Runtime.

    Attributes:
        name: for people: "OpenVINO 2026.4.1 on CPU".
        precision: fp32, fp16 or int8: how near it must be.
        ask: gives its answers.
    """

    name: str
    precision: str
    ask: Ask


@dataclass(frozen=True, eq=False)
class Made:
    """What a converter made, not yet where it shall be.

    Attributes:
        results: what to write, by the name beside `Order.out`.
        plan: how the product feeds and reads the result.
        output_names: of each of the model's outputs, its name in the result.
        witnesses: at least one.
        close: lets go of the witnesses.
        notes: what a person should know.
    """

    results: Mapping[str, Content | Tree]
    plan: DetectionPlan
    output_names: Mapping[str, str]
    witnesses: tuple[Witness, ...]
    close: Callable[[], None] = lambda: None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One comparison with ONNX Runtime.

    Attributes:
        asked: "pictures" or "noise".
        witness: what computed the result.
        precision: by which it was judged.
        text: how far apart they are, with numbers.
        is_within: as near as the precision asks.
    """

    asked: str
    witness: str
    precision: str
    text: str
    is_within: bool

    def told(self) -> str:
        """In one clause, for people."""
        return f"{self.asked}, {self.witness} ({self.precision}): {self.text}"


@dataclass(frozen=True)
class Conversion:
    """What came out.

    Attributes:
        source: what was read.
        family, labels: as the product recognises the result: the family, and how many labels from where.
        source_bytes, result_bytes: sizes.
        written: what lies there now; empty where it was refused.
        checks: every comparison.
        notes: what a person should know.
        refusal: why nothing was written; or "".
    """

    source: Path
    family: str
    labels: str
    source_bytes: int
    result_bytes: int
    written: tuple[Path, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...]
    refusal: str = ""
