"""Which engine runs the model: every usable way is tried, examined and timed, the best kept, every reason told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from devices.candidates import Candidate
from devices.engines.catalogue import EVERY_ENGINE, Runtime
from devices.engines.engine import Engine, EngineRequest, Tensors
from devices.errors import DevicesError, EngineLoadError, EngineUnavailable, ModelFileError
from devices.inventory import Accelerator, AcceleratorKind
from devices.measurement import Measurement
from devices.trials.exam import Difference, Exam
from devices.trials.trial import Trial, TryOut, answers_of

REFERENCE = ("onnxruntime", AcceleratorKind.CPU)
"""What the others are compared with: the run-time of the format's own makers, on the processor."""

MakeRequest = Callable[[Accelerator], EngineRequest]


class Policy(str, Enum):
    """What is best: the least time, or the least processor time, which decoding and power are short of."""

    FASTEST = "fastest"
    EFFICIENT = "efficient"


@dataclass(frozen=True)
class Verdict:
    """What became of one candidate.

    Attributes:
        candidate: which.
        is_chosen: whether it runs now.
        reason: why, or why not, without the candidate's name.
        runtime_version, precision, measurement, memory_bytes: of its trial, where it was tried.
        difference: from the reference's answers, where both were tried.
        outcome: the reason without numbers: "chosen", "1.23 times the chosen one's time".
    """

    candidate: Candidate
    is_chosen: bool
    reason: str
    runtime_version: str | None = None
    precision: str | None = None
    measurement: Measurement | None = None
    memory_bytes: int | None = None
    difference: Difference | None = None
    outcome: str = ""

    @property
    def is_refused(self) -> bool:
        """Tried, or to be tried, and found unfit."""
        is_tried = self.candidate.is_wanted and self.candidate.availability.usable
        is_different = self.difference is not None and not self.difference.is_within
        return is_tried and (self.measurement is None or is_different)

    @property
    def sentence(self) -> str:
        """For a person: "openvino 2026.4.1 on cpu: 9.8 ms, chosen"."""
        name = self.candidate.name
        if self.candidate.runtime and self.runtime_version:
            name = name.replace(self.candidate.runtime, f"{self.candidate.runtime} {self.runtime_version}", 1)
        return f"{name}: {self.reason}"


@dataclass(frozen=True, eq=False)
class Choice:
    """The engine that runs, and why.

    Attributes:
        engine: loaded and examined; the caller closes it.
        verdicts: one a candidate, in the candidates' order.
        answers: of the engine's trial to the exam's questions, by which it is known again.
    """

    engine: Engine
    verdicts: tuple[Verdict, ...]
    answers: tuple[Tensors, ...] = field(repr=False)

    @property
    def chosen(self) -> Verdict:
        """The verdict on the engine that runs."""
        return next(verdict for verdict in self.verdicts if verdict.is_chosen)


def choose(
    candidates: Sequence[Candidate],
    request: MakeRequest,
    exam: Exam,
    try_out: TryOut,
    *,
    policy: Policy = Policy.FASTEST,
    engines: Mapping[str, Runtime] = EVERY_ENGINE,
) -> Choice:
    """Try every usable candidate out, refuse those whose answers differ, load the best.

    Args:
        candidates: as `candidates` gives them.
        request: what to load on an accelerator.
        exam: what each is asked.
        try_out: builds, times and examines one.
        policy: what is best; of equals the first in the candidates' order.
        engines: the catalogue.

    Raises:
        ModelFileError: the model's file is at fault, whatever the run-time.
        EngineUnavailable: no candidate can be used; the message has every reason.
    """
    found = _judged([_tried(each, request, exam, try_out) for each in candidates], exam)
    ranked = sorted((each for each in found if each.is_fit), key=lambda each: _figure(each, policy))
    for best in ranked:
        try:
            engine = load_examined(best.candidate, request, exam, best.answers, engines)
        except ModelFileError:
            raise
        except DevicesError as error:
            best.reason = f"passed its trial, but not as the agent's engine: {error}"
            continue
        return Choice(engine, tuple(_verdict(each, best) for each in found), best.answers)
    reasons = "; ".join(f"{each.candidate.name}: {each.reason}" for each in found)
    raise EngineUnavailable(f"no engine can run this model: {reasons}")


def load_examined(
    candidate: Candidate,
    request: MakeRequest,
    exam: Exam,
    answers: tuple[Tensors, ...],
    engines: Mapping[str, Runtime] = EVERY_ENGINE,
) -> Engine:
    """Load an engine and see that it answers as it did before.

    Raises:
        DevicesError: it cannot be loaded or run, or answers otherwise.
    """
    if candidate.runtime is None or candidate.accelerator is None:
        raise EngineUnavailable(candidate.availability.reason)
    engine = engines[candidate.runtime].load(request(candidate.accelerator))
    try:
        _require_within(exam.judge(answers, answers_of(engine, exam), engine.spec.precision))
    except BaseException:
        engine.close()
        raise
    return engine


def _require_within(difference: Difference) -> None:
    if not difference.is_within:
        raise EngineLoadError(f"it does not answer as it did before: {difference.text}")


@dataclass(eq=False)
class _Found:
    """What is known of one candidate so far."""

    candidate: Candidate
    reason: str = ""
    trial: Trial | None = None
    difference: Difference | None = None

    @property
    def is_fit(self) -> bool:
        """Wanted, tried, and not different."""
        same = self.difference is None or self.difference.is_within
        return self.candidate.is_wanted and self.trial is not None and same

    @property
    def answers(self) -> tuple[Tensors, ...]:
        return () if self.trial is None else self.trial.answers


def _tried(candidate: Candidate, request: MakeRequest, exam: Exam, try_out: TryOut) -> _Found:
    """The reference is tried even where it is not wanted, so that the others can be compared with it."""
    is_reference = (candidate.runtime, candidate.kind) == REFERENCE
    if candidate.runtime is None or candidate.accelerator is None or not candidate.availability.usable:
        return _Found(candidate, candidate.availability.reason)
    if not candidate.is_wanted and not is_reference:
        return _Found(candidate, "not asked for")
    try:
        return _Found(candidate, trial=try_out(candidate.runtime, request(candidate.accelerator), exam))
    except ModelFileError:
        raise
    except DevicesError as error:
        return _Found(candidate, str(error))


def _judged(found: list[_Found], exam: Exam) -> list[_Found]:
    reference = next((each for each in found if (each.candidate.runtime, each.candidate.kind) == REFERENCE), None)
    if reference is not None and reference.trial is not None:
        for each in found:
            if each.trial is not None and each is not reference:
                each.difference = exam.judge(reference.answers, each.answers, each.trial.precision)
    return found


def _figure(found: _Found, policy: Policy) -> float:
    if found.trial is None:
        return float("inf")
    measured = found.trial.measurement
    return measured.median_s if policy is Policy.FASTEST else measured.processor_s


def _verdict(found: _Found, best: _Found) -> Verdict:
    trial = found.trial
    if found.reason or trial is None:
        return Verdict(found.candidate, is_chosen=False, reason=found.reason, difference=found.difference)
    outcome = _outcome(found, best)
    return Verdict(
        found.candidate,
        is_chosen=found is best,
        reason=f"{trial.measurement.text}, {outcome}",
        runtime_version=trial.runtime_version,
        precision=trial.precision,
        measurement=trial.measurement,
        memory_bytes=trial.memory_bytes,
        difference=found.difference,
        outcome=outcome,
    )


def _outcome(found: _Found, best: _Found) -> str:
    """Of a candidate that was tried."""
    if found is best:
        return "chosen"
    if not found.candidate.is_wanted:
        return "not asked for; the others are compared with it"
    if found.difference is not None and not found.difference.is_within:
        return f"refused: {found.difference.text}"
    times = _figure(found, Policy.FASTEST) / _figure(best, Policy.FASTEST)
    return f"{times:.2f} times the chosen one's time"
