"""Tries an engine out in a child process: one that crashes or hangs is refused, and the asker lives on."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devices.engines.engine import EngineRequest
from devices.measurement import Measurement
from devices.trials.child_process import ChildProcess
from devices.trials.exam import Exam
from devices.trials.letters import Question, read_tensors, write_tensors
from devices.trials.trial import Trial

# Beside what a build may take: to import a run-time, to warm up, to be timed.
MARGIN_S = 120.0
_CODE = "from devices.trials.child import main; main()"


@dataclass(frozen=True)
class ChildTrials:
    """Tries engines out, each in a process of its own that ends with it. A `TryOut`.

    Attributes:
        executable: the interpreter.
    """

    executable: str

    def __call__(self, runtime: str, request: EngineRequest, exam: Exam) -> Trial:
        """One trial.

        Raises:
            ModelFileError: the file is no model.
            DevicesError: the engine cannot be used, crashes, or did not answer in time.
        """
        with tempfile.TemporaryDirectory(prefix="sitewatch-trial-") as folder:
            place = Path(folder)
            question = Question(runtime, request, exam.inferences, place / "questions.npz", place / "answers.npz")
            write_tensors(question.questions, exam.questions)
            said = self._answer(question)
            return Trial(
                runtime_version=said["runtime_version"],
                precision=said["precision"],
                measurement=Measurement(**said["measurement"]),
                answers=read_tensors(question.answers),
                memory_bytes=said["memory_bytes"],
                notes=tuple(said["notes"]),
            )

    def _answer(self, question: Question) -> dict[str, Any]:
        build = question.request.build
        child = ChildProcess(self.executable, _CODE, name=question.runtime, what="trial")
        return child.ask(question.sealed(), build.deadline_s + MARGIN_S, build.told)
