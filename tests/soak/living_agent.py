"""The agent as a service manager keeps it: started again when it ends, with every end noted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from live.agent_process import REPOSITORY, total
from soak.growth import Sample
from soak.vitals import catches, vitals_of

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 30.0
ASK_WITHIN_S = 5.0
# A page may be late on a machine that is full; so many times in a row it is not late any more.
SILENT_TIMES = 4


class LivingAgent:
    """One site's agent over many lives; used by one thread.

    Attributes:
        lives: how often it was started.
        faults: ends that nobody asked for, and what else must not be, as sentences.
    """

    def __init__(self, site_file: Path, state: Path, port: int, folder: Path) -> None:
        self.lives = 0
        self.faults: list[str] = []
        self._site_file = site_file
        self._state = state
        self._address = f"http://127.0.0.1:{port}"
        self._log = folder / "agent.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._is_ready = False
        self._silent = 0

    @property
    def age_s(self) -> float:
        """How long it has been ready; 0 while it is not."""
        return time.monotonic() - self._began_s if self._is_ready else 0.0

    @property
    def log(self) -> str:
        """Everything it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Begin the next life; does not wait for it to be ready."""
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agent", "run", str(self._site_file)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
            )  # fmt: skip
        self.lives += 1
        self._began_s, self._is_ready, self._silent = time.monotonic(), False, 0

    def turn(self) -> None:
        """Look after it: start it again if it ended, see when it is ready."""
        status = self._live().poll()
        if status is not None:
            self.faults.append(f"life {self.lives} ended by itself with exit status {status}")
            self.start()
        elif not self._is_ready:
            self._await_ready()

    def kill(self) -> None:
        """End it as a power cut does, and start it again."""
        self._live().kill()
        self._live().wait(STOP_WITHIN_S)
        self.start()

    def hears_hang_up(self) -> bool:
        """Whether it would read its site file again when asked to, and not just end."""
        return self._is_ready and catches(self._live().pid, signal.SIGHUP)

    def hang_up(self) -> None:
        """Ask it to read its site file again."""
        self._live().send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """Ask it to end, and note how it did."""
        if self._live().poll() is not None:
            return
        self._live().send_signal(signal.SIGTERM)
        try:
            status = self._live().wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.faults.append(f"it did not stop within {STOP_WITHIN_S:g} s")
            self._live().kill()
            self._live().wait()
        else:
            if status != 0:
                self.faults.append(f"it stopped with exit status {status}")

    def sample(self, at_s: float) -> Sample | None:
        """What it holds now; None while it is not ready or does not answer."""
        if not self._is_ready:
            return None
        found, metrics = vitals_of(self._live().pid), self.page("/metrics")
        self._judge_health()
        if found is None or metrics is None:
            return None
        on_disk = sum(path.stat().st_size for path in self._state.glob("outbox.sqlite3*"))
        return Sample(
            at_s, self.lives, self.age_s, found.resident_bytes, found.descriptors, found.threads, found.cpu_s,
            int(total(metrics, "sitewatch_outbox_events")), on_disk,
        )  # fmt: skip

    def page(self, path: str) -> str | None:
        """A page where it answers 200."""
        try:
            with urllib.request.urlopen(f"{self._address}{path}", timeout=ASK_WITHIN_S) as response:  # noqa: S310 - loopback
                return str(response.read().decode())
        except (OSError, urllib.error.URLError):
            return None

    def _judge_health(self) -> None:
        self._silent = self._silent + 1 if self.page("/healthz") is None else 0
        if self._silent == SILENT_TIMES:
            self.faults.append(f"life {self.lives}: not alive for {SILENT_TIMES} looks, at age {self.age_s:.0f} s")

    def _await_ready(self) -> None:
        if self.page("/readyz") is not None:
            self._began_s, self._is_ready = time.monotonic(), True
        elif time.monotonic() - self._began_s > READY_WITHIN_S:
            self.faults.append(f"life {self.lives} was not ready within {READY_WITHIN_S:g} s")
            self._began_s = time.monotonic()

    def _live(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process
