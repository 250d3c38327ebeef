"""What this process is: build, age, memory, open files."""

from __future__ import annotations

import logging
import platform
from collections.abc import Sequence

from prometheus_client import ProcessCollector

from agent.clock import Clock
from agent.telemetry.teller import Teller

SITE_STATES = ("ok", "degraded", "overloaded")


class ProcessHappenings:
    """Tells once what runs; the rest is read whenever somebody looks.

    `process_*` comes from procfs and is absent on systems without one; `sitewatch_uptime_seconds` is everywhere.
    """

    def __init__(self, teller: Teller, clock: Clock) -> None:
        self._teller = teller
        self._clock = clock
        self._state = teller.gauge("site_state", "1 for how the site does its work, 0 for the others.", ("state",))

    def began(self, version: str, site_id: str, run_id: str) -> None:
        """The process knows what it is for; called once."""
        for name in SITE_STATES:
            self._state.labels(name).set(name == SITE_STATES[0])
        info = self._teller.gauge("build_info", "What runs here; always 1.", ("version", "site", "python"))
        info.labels(version, site_id, platform.python_version()).set(1)
        started_at = self._teller.gauge("start_time_seconds", "When this run began, in Unix time.")
        started_at.set(self._clock.now().timestamp())
        began_s = self._clock.monotonic_s()
        uptime = self._teller.gauge("uptime_seconds", "How long this run has lasted; no jump of the clock changes it.")
        uptime.set_function(lambda: self._clock.monotonic_s() - began_s)
        ProcessCollector(registry=self._teller.registry)
        sentence = f"sitewatch {version} begins, site {site_id}, run {run_id}"
        self._teller.say(logging.INFO, sentence, version=version, site=site_id, run_id=run_id)

    def ready(self, address: str, seconds: float) -> None:
        """Everything configured is in place and every thread runs."""
        sentence = f"ready after {seconds:.1f} s; metrics at {address}/metrics"
        self._teller.say(logging.INFO, sentence, address=address)

    def health(self, state: str, reasons: Sequence[str]) -> None:
        """The site does its work better or worse than before; `state` is one of `SITE_STATES`."""
        for name in SITE_STATES:
            self._state.labels(name).set(name == state)
        why = f": {'; '.join(reasons)}" if reasons else ""
        level = logging.INFO if state == SITE_STATES[0] else logging.WARNING
        self._teller.say(level, f"the site is {state}{why}", state=state, reasons=list(reasons))

    def stopped(self, *, is_clean: bool) -> None:
        """Everything is closed; what was not clean has been told before."""
        sentence = "sitewatch has stopped" if is_clean else "sitewatch has stopped, but not cleanly"
        self._teller.say(logging.INFO if is_clean else logging.ERROR, sentence)

    def gave_up(self, error: Exception) -> None:
        """The run cannot begin or go on, for a reason that is no bug."""
        self._teller.say(logging.ERROR, f"sitewatch ends: {error}", error=type(error).__name__)
