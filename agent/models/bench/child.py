"""The child process of a round, and how it is asked."""

from __future__ import annotations

import pickle
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from agent.models.bench.timed_round import Pace, Round, take_round
from devices.engines.catalogue import EVERY_ENGINE
from devices.engines.engine import BuildProgress, BuildWatch, EngineRequest, Tensors
from devices.errors import DevicesError
from devices.measurement import Stopwatch
from devices.trials.child import resident_bytes, voice
from devices.trials.child_process import ChildProcess

_CODE = "from agent.models.bench.child import main; main()"
# Beside building and measuring: to import a run-time, to warm up, to end.
_MARGIN_S = 120.0
_LONGEST = 20


@dataclass(frozen=True)
class Question:
    """What the child is asked.

    Attributes:
        runtime: name in the catalogue.
        request: what to make ready.
        tensors: what every inference is given.
        pictures: in it.
        pace: how long a round is.
    """

    runtime: str
    request: EngineRequest
    tensors: Tensors
    pictures: int
    pace: Pace

    def sealed(self) -> bytes:
        """For the child; who watches the build stays behind."""
        build = BuildWatch(deadline_s=self.request.build.deadline_s)
        return pickle.dumps(replace(self, request=replace(self.request, build=build)))


def ask_round(question: Question, code: str = _CODE) -> Round:
    """One round in a process of its own, which runs `code`.

    Raises:
        DevicesError: the engine cannot be used, crashes, or takes far too long.
    """
    build, pace = question.request.build, question.pace
    deadline_s = build.deadline_s + _MARGIN_S + _LONGEST * (pace.warm_up_s + pace.measured_s)
    child = ChildProcess(sys.executable, code, name=question.runtime, what="round")
    said = child.ask(question.sealed(), deadline_s, build.told)
    return Round(**{**said, "latencies_s": tuple(said["latencies_s"])})


def main() -> None:
    """Answer one question."""
    say = voice()
    question: Question = pickle.loads(sys.stdin.buffer.read())  # noqa: S301 - from a pipe of our own parent process
    try:
        measured = _measured(question, lambda progress: say({"progress": asdict(progress)}))
    except DevicesError as error:
        say({"error": type(error).__name__, "message": str(error)})
        return
    say({"round": asdict(measured)})


def _measured(question: Question, told: Callable[[BuildProgress], None]) -> Round:
    request = replace(question.request, build=BuildWatch(told, question.request.build.deadline_s))
    return take_round(
        lambda: EVERY_ENGINE[question.runtime].load(request),
        question.tensors,
        question.pictures,
        request.sessions,
        question.pace,
        Stopwatch(time.perf_counter, time.process_time),
        peak_bytes,
    )


def peak_bytes() -> int | None:
    """The most memory this process ever held; of macOS too."""
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return resident_bytes()
