"""Another package's tracker, timed in a process of that package's own interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from agent.errors import EvaluatorError
from trackers import Detections

SCRIPT = Path(__file__).with_name("peer_script.py")
LOOK_WITHIN_S = 60.0
CLOSE_WITHIN_S = 10.0
# Threads of a linear algebra library cost more than they bring on matrices of eight by eight.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def installed_peers(python: Path) -> dict[str, str]:
    """Which trackers this interpreter has, and their versions.

    Raises:
        EvaluatorError: it cannot be run, or has none that we know.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the interpreter that the user named
            _command(python), capture_output=True, text=True, timeout=LOOK_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise EvaluatorError(f"{python} cannot be run as a Python: {error}") from error
    if done.returncode:
        raise EvaluatorError(f"{python} cannot be run as a Python with NumPy: {_last_line(done.stderr)}")
    found: dict[str, str] = json.loads(done.stdout)
    if not found:
        raise EvaluatorError(f"{python} has no tracker to compare with; install cjm-byte-track or pyxtrackers there")
    return found


class PeerContender:
    """One peer in its process; a context manager, used by one thread."""

    def __init__(self, python: Path, peer: str, version: str) -> None:
        """Nothing runs yet.

        Args:
            python: an interpreter that has the peer.
            peer: its distribution's name, one of `installed_peers`.
            version: of the peer.
        """
        self.name = f"{peer} {version}"
        self._command = [*_command(python), peer]
        self._open = ExitStack()

    def __enter__(self) -> PeerContender:
        self._said = self._open.enter_context(tempfile.TemporaryFile("w+"))
        self._process = subprocess.Popen(  # noqa: S603 - the interpreter that the user named
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True,
            env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        return self

    def begin(self, scene: Sequence[Detections]) -> None:
        """A new tracker for a new scene.

        Raises:
            EvaluatorError: the peer failed.
        """
        self._ask({"scene": [np.column_stack((frame.boxes, frame.scores)).tolist() for frame in scene]})

    def spend_s(self, frames: range) -> list[float]:
        """Go on by these frames of the scene; processor seconds of each update.

        Raises:
            EvaluatorError: the peer failed.
        """
        spent_s: list[float] = self._ask({"frames": [frames.start, frames.stop]})["spent_s"]
        return spent_s

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            self._end()

    def _ask(self, question: object) -> dict[str, Any]:
        asking, answering = self._process.stdin, self._process.stdout
        if asking is None or answering is None:
            raise self._failure()
        try:
            asking.write(json.dumps(question) + "\n")
            asking.flush()
            answer: dict[str, Any] = json.loads(answering.readline())
        except (OSError, ValueError) as error:
            raise self._failure() from error
        return answer

    def _failure(self) -> EvaluatorError:
        self._process.kill()
        self._process.wait()
        self._said.seek(0)
        return EvaluatorError(f"{self.name} failed: {_last_line(self._said.read())}")

    def _end(self) -> None:
        """Its input ends, and so does it; else it is made to."""
        with self._process as process:
            if process.stdin is not None:
                with suppress(OSError):  # it died with something unread
                    process.stdin.close()
            try:
                process.wait(CLOSE_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _command(python: Path) -> list[str]:
    # -I: neither this folder nor the caller's variables change what is imported there.
    return [str(python), "-I", str(SCRIPT)]


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
