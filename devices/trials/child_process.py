"""Asks something of a child process that may crash, hang or build for minutes; the asker lives on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import devices
from devices import errors
from devices.engines.engine import BuildProgress
from devices.errors import DevicesError, EngineLoadError, EngineUnavailable

_WORDS_OF_LAST_LINES = 300


@dataclass(frozen=True)
class ChildProcess:
    """A process for one question; JSON lines come back, see `devices.trials.child`.

    Attributes:
        executable: the interpreter.
        code: Python that reads the question from standard input.
        name: of who is asked, for errors.
        what: what it is, for errors: "trial".
    """

    executable: str
    code: str
    name: str
    what: str

    def ask(self, question: bytes, deadline_s: float, told: Callable[[BuildProgress], None]) -> dict[str, Any]:
        """What the child answers, under the word that is `what`.

        Args:
            question: for its standard input.
            deadline_s: after so many seconds it is killed.
            told: hears of progress.

        Raises:
            DevicesError: what the child says went wrong; or it crashed, or did not answer in time.
        """
        with tempfile.TemporaryFile() as errors_file, self._child(errors_file.fileno()) as child:
            is_late = threading.Event()

            def give_up() -> None:
                is_late.set()
                child.kill()

            timer = threading.Timer(deadline_s, give_up)
            timer.start()
            try:
                said = self._conversation(child, question, told)
            finally:
                timer.cancel()
                child.kill()
                code = child.wait()
            if said is not None:
                return said
            if is_late.is_set():
                raise EngineLoadError(f"{self.name}: no answer within {deadline_s:g} s; the {self.what} was ended")
            errors_file.seek(0)
            raise EngineUnavailable(f"{self.name}: {self._ending(code, errors_file.read())}")

    def _child(self, errors_to: int) -> subprocess.Popen[bytes]:
        ours = str(Path(devices.__file__).resolve().parent.parent)
        paths = [ours, *filter(None, [os.environ.get("PYTHONPATH")])]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [self.executable, "-c", self.code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors_to,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )

    def _conversation(
        self, child: subprocess.Popen[bytes], question: bytes, told: Callable[[BuildProgress], None]
    ) -> dict[str, Any] | None:
        """Ask, pass progress on, and return what the child found out; None where it ended without a word."""
        assert child.stdin is not None  # noqa: S101 - told to the type checker: both ends were asked for
        try:
            child.stdin.write(question)
            child.stdin.close()
        except BrokenPipeError:
            return None
        for message in _messages(child):
            if "progress" in message:
                told(BuildProgress(**message["progress"]))
            elif "error" in message:
                raise _error(message)
            elif self.what in message:
                found: dict[str, Any] = message[self.what]
                return found
        return None

    def _ending(self, code: int, errors_said: bytes) -> str:
        lines = [line.strip() for line in errors_said.decode("utf-8", "replace").splitlines() if line.strip()]
        last = f": {lines[-1][:_WORDS_OF_LAST_LINES]}" if lines else ""
        if code < 0:
            return f"its {self.what} crashed ({signal.Signals(-code).name}){last}"
        return f"its {self.what} ended with exit status {code}{last}"


def _messages(child: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
    for line in child.stdout or ():
        if not line.endswith(b"\n"):
            return  # killed in the middle of a word
        yield json.loads(line)


def _error(message: dict[str, Any]) -> DevicesError:
    kind = getattr(errors, message["error"], DevicesError)
    made: DevicesError = kind(message["message"])
    return made
