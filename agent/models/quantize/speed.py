"""How long an inference takes before and after: both models on each engine in turns, so that a busy machine is fair."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from agent.detect.detection_plan import DetectionPlan
from agent.models.evaluate.engine_use import EngineUse, open_engine
from agent.settings.models import ModelSettings
from devices.engines.any_model import read_any_model
from devices.engines.engine import Session, Tensors

ROUNDS = 21
_WARM = 2


@dataclass(frozen=True)
class Timed:
    """One engine's part, each the median of the processor milliseconds of an inference on one thread."""

    engine: str
    before_ms: float
    after_ms: float

    @property
    def factor(self) -> float:
        """How many times as fast."""
        return self.before_ms / self.after_ms if self.after_ms else 1.0


def compare_speed(
    plan: DetectionPlan,
    made: Path,
    uses: Sequence[EngineUse],
    question: Tensors,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Timed, ...]:
    """Time both models; one thread, alternating, processor time.

    Args:
        plan: of the float model.
        made: the model made of it.
        uses: engines on the processor; on others, the processor's time says nothing.
        question: one inference.
        progress: is told after every round.

    Raises:
        DevicesError: an engine fails.
    """
    other = replace(plan, path=made, sha256=read_any_model(made).sha256)
    with ExitStack() as stack:
        sessions: list[tuple[EngineUse, tuple[Session, Session]]] = []
        for use in uses:
            pair = [
                stack.enter_context(open_engine(each, ModelSettings(path=each.path), use, threads=1))
                for each in (plan, other)
            ]
            sessions.append((use, (pair[0].session(), pair[1].session())))
        return _measured(sessions, question, progress)


def _measured(
    sessions: Sequence[tuple[EngineUse, tuple[Session, Session]]],
    question: Tensors,
    progress: Callable[[int, int], None],
) -> tuple[Timed, ...]:
    spent: list[tuple[list[float], list[float]]] = [([], []) for _ in sessions]
    for number in range(_WARM + ROUNDS):
        for (_, pair), lists in zip(sessions, spent, strict=True):
            for session, found in zip(pair, lists, strict=True):
                began_s = time.process_time()
                session.infer(question)
                found.append(time.process_time() - began_s)
        progress(number + 1, _WARM + ROUNDS)
    for _, pair in sessions:
        for session in pair:
            session.close()
    return tuple(
        Timed(use.name, *(1e3 * statistics.median(found[_WARM:]) for found in lists))
        for (use, _), lists in zip(sessions, spent, strict=True)
    )
