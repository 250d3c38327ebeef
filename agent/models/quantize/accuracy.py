"""Scores of the float model and of what is made of it, on the same pictures and engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.errors import DetectionError, ModelError
from agent.models.evaluate.coco_folder import CocoFolder
from agent.models.evaluate.engine_use import EngineUse
from agent.models.evaluate.scoring import score_model
from agent.settings.models import ModelSettings

Progress = Callable[[str, int, int], None]
"""Called with what is scored, how many pictures are done, and of how many."""


@dataclass(frozen=True)
class Scored:
    """One engine's part.

    Attributes:
        engine: for a person: "openvino on cpu".
        before: COCO's AP of the float model.
        after: of the other; None where its answers are no detections any more.
        reason: why there is none, or "".
    """

    engine: str
    before: float
    after: float | None
    reason: str = ""

    @property
    def loss(self) -> float:
        """AP lost; below 0 where it became better."""
        return self.before - (self.after or 0.0)


class Accuracy:
    """Scores models made of one float model; that one is scored once an engine."""

    def __init__(
        self,
        folder: CocoFolder,
        uses: Sequence[EngineUse],
        model: ModelSettings,
        family: str,
        threads: int | None,
        progress: Progress = lambda _what, _done, _total: None,
    ) -> None:
        """Nothing runs yet.

        Args:
            folder: what is to be seen.
            uses: engines, each scored.
            model: the float model, and what a site file would say of it.
            family: of it; what is made of it is read alike.
            threads: of one inference.
            progress: is told of every picture.
        """
        self._folder = folder
        self._uses = tuple(uses)
        self._model = model
        self._family = family
        self._threads = threads
        self._progress = progress
        self._before: dict[str, float] = {}

    def of(self, path: Path, what: str) -> tuple[Scored, ...]:
        """Scores of the model at `path` on every engine, beside the float model's.

        Args:
            path: of a model made of the float one.
            what: its name for progress.

        Raises:
            ToolInputError, ToolUnavailableError: pictures or the evaluator cannot be used.
            ModelError, DevicesError, DetectionError: the float model, or an engine, fails.
        """
        settings = self._model.model_copy(update={"path": path, "family": self._family, "labels": self._model.labels})
        found = []
        for use in self._uses:
            before = self._float_ap(use)
            try:
                found.append(Scored(use.name, before, self._ap(settings, use, what)))
            except (DetectionError, ModelError) as error:
                found.append(Scored(use.name, before, None, str(error).splitlines()[0]))
        return tuple(found)

    def _float_ap(self, use: EngineUse) -> float:
        if use.name not in self._before:
            self._before[use.name] = self._ap(self._model, use, "float")
        return self._before[use.name]

    def _ap(self, settings: ModelSettings, use: EngineUse, what: str) -> float:
        def told(done: int, total: int) -> None:
            self._progress(f"{what} on {use.name}", done, total)

        return score_model(settings, use, self._folder, threads=self._threads, progress=told).ap


def worst_loss(scores: Sequence[Scored]) -> float:
    """The greatest loss of all engines."""
    return max(each.loss for each in scores)
