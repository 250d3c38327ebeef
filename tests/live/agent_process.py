"""The agent as an operator runs it: `python -m agent run SITE.yaml`, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from prometheus_client.parser import text_string_to_metric_families

REPOSITORY = Path(__file__).resolve().parents[2]
START_S = 60.0
STOP_S = 15.0
TURN_S = 0.02


class Answer(NamedTuple):
    """What a page gave."""

    code: int
    text: str

    def json(self) -> Any:
        """The text, parsed."""
        return json.loads(self.text)


class AgentProcess:
    """One run after the other of one site; what they wrote is kept in files under `folder`."""

    def __init__(self, site_file: Path, folder: Path) -> None:
        self._site_file = site_file
        self._output, self._log = folder / "agent.out", folder / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._log_begins = 0

    def __enter__(self) -> AgentProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()
        if kind is not None:
            sys.stderr.write(f"--- the agent's log ---\n{self.log}\n")

    @property
    def log(self) -> str:
        """Standard error of all runs."""
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    @property
    def output(self) -> str:
        """Standard output of all runs."""
        return self._output.read_text(encoding="utf-8") if self._output.exists() else ""

    def spawn(self) -> None:
        """Start, and do not wait for anything."""
        self._log_begins = len(self.log)
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        with self._output.open("ab") as output, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agent", "run", str(self._site_file)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=log, env=environment,
            )  # fmt: skip

    def start(self) -> None:
        """Start, and wait until it says that it is ready."""
        self.spawn()
        until(lambda: self._is_ready() or self._has_ended(), "the agent is ready", START_S)
        assert not self._has_ended(), f"the agent ended at once:\n{self.log}"

    def stop(self) -> int:
        """Ask it to stop; its exit status."""
        self._running().send_signal(signal.SIGTERM)
        return self.wait(STOP_S)

    def hang_up(self) -> None:
        """Send what asks for a reload."""
        self._running().send_signal(signal.SIGHUP)

    def wait(self, timeout_s: float) -> int:
        """Wait for its end; its exit status."""
        return self._running().wait(timeout_s)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._running().kill()
        self._running().wait(STOP_S)

    def get(self, path: str) -> Answer:
        """One page of its HTTP face, whatever its status is."""
        address = self._address()
        assert address is not None, "not ready"
        try:
            with urllib.request.urlopen(f"{address}{path}", timeout=5.0) as response:  # noqa: S310 - loopback
                return Answer(response.status, response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.read().decode())

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels, now."""
        return total(self.get("/metrics").text, name, **labels)

    def _address(self) -> str | None:
        found = re.search(r"metrics at (http://\S+?)/metrics", self.log[self._log_begins :])
        return found and found[1]

    def _is_ready(self) -> bool:
        return self._address() is not None

    def _has_ended(self) -> bool:
        return self._running().poll() is not None

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process


def total(metrics: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels, in what `/metrics` gave; 0 where there are none."""
    samples = [sample for family in text_string_to_metric_families(metrics) for sample in family.samples]
    return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())


def until(is_so: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
    """Wait for a condition; fails after the time-out."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(TURN_S)
