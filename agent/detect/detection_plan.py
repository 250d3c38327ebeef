"""How one model will be fed and read: everything decided once, before an engine is made ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from agent.detect.batch_trial import batch_fault
from agent.detect.decoders.decoder import Decoder, Limits
from agent.detect.golden import Bundled
from agent.detect.label_choice import score_thresholds
from agent.detect.labels import Labels, choose_labels
from agent.detect.model_picture import ModelPicture, find_picture
from agent.detect.preprocessing import Preprocessing
from agent.detect.recognition import Run, read_signature, recognise
from agent.errors import ModelError
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.any_model import read_any_model
from devices.engines.dry_run import dry_run
from devices.engines.engine import ImageInput, TensorSpec
from devices.engines.model_file import ModelFile
from devices.errors import DevicesError

# Low, so that a box which one engine is just sure of is found on the other.
EXAM_SCORE_THRESHOLD = 0.05


@dataclass(frozen=True, eq=False)
class DetectionPlan:
    """How one model is fed and read. Shared by every worker of an engine.

    Attributes:
        path: of the model.
        sha256: of the model's file.
        model: its name for people and metrics: the file's name without its ending.
        family: of the table of families.
        image: what the engine must make of uint8 BGR pictures.
        preprocessing: as the family asks, overruled by the site file.
        labels: of every class id, and where they were found.
        decoder: reads the outputs.
        decoder_for: makes one that reads the outputs with other limits.
        exam_decoder: the same with low thresholds and every label, to compare engines by.
        outputs: as `Session.infer` must give them, the first axis the batch's.
        size_input: the input that takes the size boxes shall be in, or None.
        batch: pictures in one inference, at most.
        is_batch_fixed: every inference takes exactly `batch`; what is missing is filled up.
        batch_fault: why the model, which leaves its batch open, gets one picture at a time all the same; or "".
        bundled: what came with it, of a model out of a bundle.
    """

    path: Path
    sha256: str
    model: str
    family: str
    image: ImageInput
    preprocessing: Preprocessing
    labels: Labels
    decoder: Decoder
    decoder_for: Callable[[Limits], Decoder]
    exam_decoder: Decoder
    outputs: tuple[TensorSpec, ...]
    size_input: TensorSpec | None
    batch: int
    is_batch_fixed: bool
    batch_fault: str = ""
    bundled: Bundled | None = None

    @property
    def engine_batch(self) -> int | None:
        """The batch to make an engine for; None to leave it open."""
        return self.batch if self.is_batch_fixed else None

    def as_loaded(self, inputs: Sequence[TensorSpec]) -> DetectionPlan:
        """The plan for an engine with these inputs: one that was made with a fixed batch takes exactly that many."""
        batch = next((spec.shape[0] for spec in inputs if spec.name == self.image.name), None)
        return self if batch is None else replace(self, batch=batch, is_batch_fixed=True)

    def told(self) -> str:
        """The plan as one sentence for people."""
        image, how = self.image, self.preprocessing
        return (
            f"{self.path.name}: family {self.family}, {image.width_px}x{image.height_px} {how.order}, "
            f"{how.fit.value}, {len(self.labels.texts)} labels from {self.labels.origin}, batch {self.batch}"
        )


def plan_model(path: Path, model: ModelSettings, detection: DetectionSettings, run: Run = dry_run) -> DetectionPlan:
    """Read a model, run it once on a plain picture, and decide how it is fed and read.

    Args:
        path: of the ONNX file, the Core ML package, or the OpenVINO model.
        model: what the site file says of it; overrules what is read off the model.
        detection: which detections count; labels not in its `keep_labels` are dismissed early. What single cameras
            keep is for each camera's `LabelFilter`, so give the labels of all of them together here.
        run: runs it; on the processor where not said otherwise.

    Raises:
        ModelError: the file is no model, fits no family, or its labels do not fit.
        SettingsError: a label named in `detection` is none of the model's.
    """
    try:
        return _planned(read_any_model(path), model, detection, run)
    except (DevicesError, ModelError) as error:
        told = str(error)
        raise ModelError(told if str(path) in told else f"{path}: {told}") from error


def _planned(file: ModelFile, model: ModelSettings, detection: DetectionSettings, run: Run) -> DetectionPlan:
    picture = find_picture(file.inputs, file.metadata, model.input_size)
    batch = _batch(picture, model.batch)
    signature = read_signature(file, picture, run)
    fault = batch_fault(file, picture, signature, batch) if picture.batch is None and batch > 1 else ""
    batch = 1 if fault else batch
    family, match = recognise(signature, model.family)
    usual = family.preprocessing
    preprocessing = (usual.for_whole_numbers() if picture.spec.dtype == "uint8" else usual).overruled_by(model)
    labels = choose_labels(model.labels, signature.names, match.class_count)
    return DetectionPlan(
        path=file.path,
        sha256=file.sha256,
        model=file.path.stem,
        family=family.name,
        image=_image(picture, preprocessing),
        preprocessing=preprocessing,
        labels=labels,
        decoder=match.decoder(_limits(labels.texts, detection)),
        decoder_for=match.decoder,
        exam_decoder=match.decoder(_exam_limits(labels.texts, detection)),
        outputs=tuple(replace(spec, shape=(None, *spec.shape[1:])) for spec in signature.outputs),
        size_input=next((spec for spec in file.inputs if spec.name == match.size_input), None),
        batch=batch,
        is_batch_fixed=picture.batch is not None or batch == 1,
        batch_fault=fault,
    )


def _batch(picture: ModelPicture, asked: int) -> int:
    """Pictures in one inference: the model's own number, else what the site file asks for."""
    if picture.batch is None:
        return asked
    if asked not in {1, picture.batch}:
        raise ModelError(
            f"model.batch: the model takes exactly {picture.batch} in one inference, the site file says {asked}"
        )
    return picture.batch


def _image(picture: ModelPicture, how: Preprocessing) -> ImageInput:
    return ImageInput(
        name=picture.spec.name,
        width_px=picture.width_px,
        height_px=picture.height_px,
        order=how.order,
        mean=how.mean,
        scale=how.scale,
    )


def _exam_limits(labels: tuple[str, ...], detection: DetectionSettings) -> Limits:
    thresholds = np.full(len(labels), EXAM_SCORE_THRESHOLD, np.float32)
    return Limits(thresholds, detection.iou_threshold, detection.max_detections)


def _limits(labels: tuple[str, ...], detection: DetectionSettings) -> Limits:
    thresholds = score_thresholds(labels, detection.score_threshold, detection.score_thresholds, detection.keep_labels)
    return Limits(thresholds, detection.iou_threshold, detection.max_detections)
