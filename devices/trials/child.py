"""The child process of a trial: `python -m devices.trials.child`, a question on standard input, JSON lines out."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from devices.engines.catalogue import EVERY_ENGINE
from devices.engines.engine import BuildProgress, BuildWatch
from devices.errors import DevicesError
from devices.measurement import Stopwatch
from devices.trials.exam import Exam, compare_tensors
from devices.trials.letters import Question, opened, read_tensors, write_tensors
from devices.trials.trial import Trial, try_out_here

Say = Callable[[dict[str, object]], None]


def main() -> None:
    """Answer one question."""
    say = voice()
    question = opened(sys.stdin.buffer.read())
    try:
        trial = _tried(question, say)
    except DevicesError as error:
        say({"error": type(error).__name__, "message": str(error)})
        return
    write_tensors(question.answers, trial.answers)
    say({"trial": {
        "runtime_version": trial.runtime_version, "precision": trial.precision,
        "measurement": asdict(trial.measurement), "memory_bytes": trial.memory_bytes, "notes": trial.notes,
    }})  # fmt: skip


def _tried(question: Question, say: Say) -> Trial:
    def told(progress: BuildProgress) -> None:
        say({"progress": asdict(progress)})

    request = replace(question.request, build=BuildWatch(told, question.request.build.deadline_s))
    exam = Exam(read_tensors(question.questions), compare_tensors, question.inferences)
    before = resident_bytes()
    stopwatch = Stopwatch(time.perf_counter, time.process_time)
    trial = try_out_here(lambda: EVERY_ENGINE[question.runtime].load(request), exam, stopwatch)
    after = resident_bytes()
    return replace(trial, memory_bytes=None if before is None or after is None else max(0, after - before))


def resident_bytes() -> int | None:
    """The most memory this process ever held, where Linux tells it."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), None)


def voice() -> Say:
    """Writes JSON lines to what was standard output; what libraries print goes to standard error."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(message: dict[str, object]) -> None:
        stream.write(json.dumps(message) + "\n")
        stream.flush()

    return say


if __name__ == "__main__":
    main()
