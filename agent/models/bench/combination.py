"""What is measured side by side: a model, an engine, and how the two are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.detect.model_picture import ModelPicture, find_picture
from agent.errors import ModelError
from agent.models.evaluate.engine_use import EngineUse
from agent.models.evaluate.told_settings import told_settings
from agent.settings.models import DetectionSettings, ModelSettings
from agent.settings.types import PictureSize
from devices.engines.any_model import read_any_model

DETECTION = DetectionSettings()


@dataclass(frozen=True)
class Wanted:
    """What to vary; every one of these with every other.

    Attributes:
        sizes: of pictures; None takes the model's own.
        batches: pictures in one inference; None takes the model's own, or 1.
        precisions: that engines compute with: auto, fp32, fp16, int8.
        sessions: inferences at once.
        threads: of one inference; None shares the processors among the sessions.
    """

    sizes: tuple[PictureSize | None, ...] = (None,)
    batches: tuple[int | None, ...] = (None,)
    precisions: tuple[str, ...] = ("auto",)
    sessions: tuple[int, ...] = (1,)
    threads: int | None = None


@dataclass(frozen=True, eq=False)
class Combination:
    """One row of the table.

    Attributes:
        model: what a site file would say of it.
        use: the engine.
        size: of pictures, "416x416".
        batch: pictures in one inference.
        precision: as asked for; what it really is comes with the figures.
        sessions: inferences at once.
        threads: of each.
        plan: how the model is fed and read; None where that cannot be.
        reason: why that cannot be, or "".
    """

    model: ModelSettings
    use: EngineUse
    size: str
    batch: int
    precision: str
    sessions: int
    threads: int
    plan: DetectionPlan | None
    reason: str = ""

    @property
    def name(self) -> str:
        """For a person: "yolox.onnx on openvino on cpu, 416x416, batch 1, auto, 2 sessions"."""
        at_once = "1 session" if self.sessions == 1 else f"{self.sessions} sessions"
        model = self.model.path.name
        return f"{model} on {self.use.name}, {self.size}, batch {self.batch}, {self.precision}, {at_once}"


def combine(model: ModelSettings, uses: Sequence[EngineUse], wanted: Wanted, processors: int) -> list[Combination]:
    """Everything asked for of one model; what the model cannot do is a combination with a reason.

    Args:
        model: what a site file would say of it, but size, batch, precision and sessions.
        uses: the engines.
        wanted: what to vary.
        processors: to share among sessions.

    Raises:
        ModelError: the model cannot be used at all.
    """
    plan_model(model.path, model, DETECTION)  # a model that cannot be used is no row of a table
    planner = _Planner(model)
    return [
        planner.planned(use, size, batch, precision, sessions, wanted.threads or max(1, processors // sessions))
        for size, batch, precision, sessions, use in product(
            wanted.sizes, wanted.batches, wanted.precisions, wanted.sessions, uses
        )
    ]


class _Planner:
    """Plans one model for every size and batch, each once."""

    def __init__(self, model: ModelSettings) -> None:
        file = read_any_model(model.path)
        self._model = model
        self._picture = find_picture(file.inputs, file.metadata, model.input_size)
        self._plans: dict[tuple[PictureSize | None, int | None], DetectionPlan | str] = {}

    def planned(
        self, use: EngineUse, size: PictureSize | None, batch: int | None, precision: str, sessions: int, threads: int
    ) -> Combination:
        """One combination."""
        if (size, batch) not in self._plans:
            self._plans[size, batch] = self._plan(size, batch)
        plan = self._plans[size, batch]
        own = f"{self._picture.width_px}x{self._picture.height_px}"
        return Combination(
            model=_changed(self._model, size, batch, precision, sessions),
            use=use,
            size=str(size or own) if isinstance(plan, str) else f"{plan.image.width_px}x{plan.image.height_px}",
            batch=(batch or 1) if isinstance(plan, str) else plan.batch,
            precision=precision,
            sessions=sessions,
            threads=threads,
            plan=None if isinstance(plan, str) else plan,
            reason=plan if isinstance(plan, str) else "",
        )

    def _plan(self, size: PictureSize | None, batch: int | None) -> DetectionPlan | str:
        """The plan, or why there is none."""
        if unfit := _unfit(self._picture, size, batch):
            return unfit
        settings = _changed(self._model, size, batch)
        try:
            plan = plan_model(settings.path, settings, DETECTION)
        except ModelError as error:
            return str(error)
        return plan.batch_fault or plan


def _changed(
    model: ModelSettings, size: PictureSize | None, batch: int | None, precision: str = "auto", sessions: int = 1
) -> ModelSettings:
    said = {name: getattr(model, name) for name in model.model_fields_set}
    said |= {"precision": precision, "sessions": sessions, "batch": batch or model.batch}
    return told_settings(**{**said, "input_size": size or model.input_size})


def _unfit(picture: ModelPicture, size: PictureSize | None, batch: int | None) -> str:
    """Why the model cannot take pictures of this size, or so many, or ""."""
    height, width = picture.spec.shape[1:3] if picture.is_channels_last else picture.spec.shape[2:4]
    if size is not None and not (width in {None, size.width_px} and height in {None, size.height_px}):
        return f"the model takes pictures of {width or 'any'}x{height or 'any'} only, not of {size}"
    if batch is not None and picture.batch not in {None, batch}:
        return f"the model takes exactly {picture.batch} in one inference; export it with an open batch for {batch}"
    return ""
