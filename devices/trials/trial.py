"""What a trial found out about one engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from devices.engines.engine import Engine, EngineRequest, Tensors
from devices.measurement import Measurement, Stopwatch, measure
from devices.trials.exam import Exam


@dataclass(frozen=True, eq=False)
class Trial:
    """What a trial found out.

    Attributes:
        runtime_version: of the run-time that computed.
        precision: fp32, fp16 or int8.
        measurement: of the first question.
        answers: one mapping a question.
        memory_bytes: by which the process grew, run-time included, or None where it cannot be told.
        notes: of the engine.
    """

    runtime_version: str
    precision: str
    measurement: Measurement
    answers: tuple[Tensors, ...]
    memory_bytes: int | None = None
    notes: tuple[str, ...] = ()


TryOut = Callable[[str, EngineRequest, Exam], Trial]
"""Builds, times and examines an engine of the run-time of this name; the engine is closed after.

Raises:
    ModelFileError: the file is no model, whatever the run-time.
    DevicesError: this engine cannot be used; the message has the reason.
"""


def try_out_here(load: Callable[[], Engine], exam: Exam, stopwatch: Stopwatch) -> Trial:
    """A trial in this process.

    Raises:
        DevicesError: the engine cannot be loaded or run.
    """
    engine, measurement = measure(load, stopwatch, lambda spec: exam.questions_for(spec)[0], exam.inferences)
    try:
        return Trial(engine.spec.runtime_version, engine.spec.precision, measurement, answers_of(engine, exam),
                     notes=engine.spec.notes)  # fmt: skip
    finally:
        engine.close()


def answers_of(engine: Engine, exam: Exam) -> tuple[Tensors, ...]:
    """The engine's answer to every question.

    Raises:
        InferenceError: it fails at one.
    """
    session = engine.session()
    try:
        return tuple(session.infer(question) for question in exam.questions_for(engine.spec))
    finally:
        session.close()
