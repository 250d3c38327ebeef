"""One model on several engines: scores of each, and parity with the first."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from agent.detect.detection_plan import DetectionPlan
from agent.errors import DetectionError, ModelError
from agent.models.evaluate.answers import Answers, ask_engine
from agent.models.evaluate.coco_folder import CocoFolder
from agent.models.evaluate.coco_score import CocoScore
from agent.models.evaluate.engine_use import EngineUse
from agent.models.evaluate.parity import Parity, compare_found
from agent.models.evaluate.scoring import score_answers
from agent.settings.models import ModelSettings
from devices.errors import DevicesError

EngineProgress = Callable[[EngineUse, int, int], None]
"""Called with the engine, how many pictures are done, and of how many."""


@dataclass(frozen=True)
class EngineOutcome:
    """What became of a model on one engine.

    Attributes:
        model: its file.
        use: where.
        score: None where it failed.
        parity: with the reference; None of the reference itself, and where either failed.
        seconds: for all pictures, reading them and making the engine ready included.
        failure: why there is no score, or "".
    """

    model: str
    use: EngineUse
    score: CocoScore | None = None
    parity: Parity | None = None
    seconds: float = 0.0
    failure: str = ""


def evaluate_on(
    plan: DetectionPlan,
    model: ModelSettings,
    uses: Sequence[EngineUse],
    folder: CocoFolder,
    score_threshold: float,
    *,
    threads: int | None = None,
    progress: EngineProgress = lambda _use, _done, _total: None,
) -> list[EngineOutcome]:
    """Score a model on every engine; the first is what the others are compared with. One that fails is an outcome too.

    Args:
        plan: how the model is fed and read.
        model: what a site file would say of it.
        uses: the engines, the reference first.
        folder: pictures and what is to be seen in them.
        score_threshold: of the plan.
        threads: of one inference; None takes every processor this process may use.
        progress: is told after every picture.

    Raises:
        ToolUnavailableError: the evaluator is not installed.
        ToolInputError: a picture cannot be read, or labels and categories have no name in common.
    """
    reference: Answers | None = None
    outcomes = []
    for use in uses:
        began_s = time.monotonic()
        try:
            answers = ask_engine(plan, model, use, folder.pictures, threads=threads, progress=partial(progress, use))
        except (DevicesError, ModelError, DetectionError) as error:
            outcomes.append(EngineOutcome(plan.path.name, use, failure=str(error)))
            continue
        score = score_answers(answers, folder, score_threshold)
        parity = None if reference is None else compare_found(reference.found, answers.found, score.precision)
        reference = answers if use == uses[0] else reference
        outcomes.append(EngineOutcome(plan.path.name, use, score, parity, time.monotonic() - began_s))
    return outcomes
