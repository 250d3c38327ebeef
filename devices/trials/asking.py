"""Tries an engine out in a child process: one that crashes or hangs is refused, and the asker lives on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import devices
from devices import errors
from devices.engines.engine import BuildProgress, EngineRequest
from devices.errors import DevicesError, EngineLoadError, EngineUnavailable
from devices.measurement import Measurement
from devices.trials.exam import Exam
from devices.trials.letters import Question, read_tensors, write_tensors
from devices.trials.trial import Trial

# Beside what a build may take: to import a run-time, to warm up, to be timed.
MARGIN_S = 120.0
_CODE = "from devices.trials.child import main; main()"
_WORDS_OF_LAST_LINES = 300


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
        deadline_s = question.request.build.deadline_s + MARGIN_S
        with tempfile.TemporaryFile() as errors_file, self._child(errors_file.fileno()) as child:
            is_late = threading.Event()

            def give_up() -> None:
                is_late.set()
                child.kill()

            timer = threading.Timer(deadline_s, give_up)
            timer.start()
            try:
                said = _conversation(child, question)
            finally:
                timer.cancel()
                child.kill()
                code = child.wait()
            if said is not None:
                return said
            if is_late.is_set():
                raise EngineLoadError(f"{question.runtime}: no answer within {deadline_s:g} s; the trial was ended")
            errors_file.seek(0)
            raise EngineUnavailable(f"{question.runtime}: {_ending(code, errors_file.read())}")

    def _child(self, errors_to: int) -> subprocess.Popen[bytes]:
        ours = str(Path(devices.__file__).resolve().parent.parent)
        paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [self.executable, "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors_to,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )


def _conversation(child: subprocess.Popen[bytes], question: Question) -> dict[str, Any] | None:
    """Ask, pass progress on, and return what the child found out; None where it ended without a word."""
    assert child.stdin is not None  # noqa: S101 - told to the type checker: both ends were asked for
    try:
        child.stdin.write(question.sealed())
        child.stdin.close()
    except BrokenPipeError:
        return None
    for message in _messages(child):
        if "progress" in message:
            question.request.build.told(BuildProgress(**message["progress"]))
        elif "error" in message:
            raise _error(message)
        elif "trial" in message:
            found: dict[str, Any] = message["trial"]
            return found
    return None


def _messages(child: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    for line in child.stdout or ():
        if not line.endswith(b"\n"):
            return  # killed in the middle of a word
        yield json.loads(line)


def _error(message: dict[str, Any]) -> DevicesError:
    kind = getattr(errors, message["error"], DevicesError)
    made: DevicesError = kind(message["message"])
    return made


def _ending(code: int, errors_said: bytes) -> str:
    lines = [line.strip() for line in errors_said.decode("utf-8", "replace").splitlines() if line.strip()]
    last = f": {lines[-1][:_WORDS_OF_LAST_LINES]}" if lines else ""
    if code < 0:
        return f"its trial crashed ({signal.Signals(-code).name}){last}"
    return f"its trial ended with exit status {code}{last}"
