"""How a changed site file is told: what it asks for, and what became of it."""

from __future__ import annotations

import logging
from enum import Enum

from agent.clock import Clock
from agent.telemetry.teller import Teller


class ReloadOutcome(str, Enum):
    """What became of one look at the site file."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    NEEDS_RESTART = "needs_restart"
    REFUSED = "refused"
    ROLLED_BACK = "rolled_back"


IN_EFFECT = (ReloadOutcome.APPLIED, ReloadOutcome.UNCHANGED)


class ReloadHappenings:
    """Told by the thread that reloads; that thread alone calls.

    The two gauges are called as Prometheus calls its own, with our prefix.
    """

    def __init__(self, teller: Teller, clock: Clock) -> None:
        self._teller = teller
        self._clock = clock
        self._reloads = teller.counter(
            "config_reloads", "Looks at a changed site file, by what came of it.", ("outcome",)
        )
        for outcome in ReloadOutcome:
            self._reloads.labels(outcome.value)
        self._is_good = teller.gauge(
            "config_last_reload_successful", "1 while what runs is what the site file said when it was read last."
        )
        self._good_at = teller.gauge(
            "config_last_reload_success_timestamp_seconds", "When the site file was last in effect as read, Unix time."
        )
        self._in_effect()

    def began(self, reason: str) -> None:
        """The site file is read anew."""
        self._teller.say(logging.INFO, f"reload: {reason}; reading the site file")

    def will_do(self, told: str) -> None:
        """The site file is good and asks for this."""
        self._teller.say(logging.INFO, f"reload: {told}")

    def ended(self, outcome: ReloadOutcome, told: str) -> None:
        """This became of it; `told` says it in words, mistakes one a line."""
        self._reloads.labels(outcome.value).inc()
        if outcome in IN_EFFECT:
            self._in_effect()
        else:
            self._is_good.set(0)
        level = logging.INFO if outcome in IN_EFFECT else logging.ERROR
        if outcome is ReloadOutcome.NEEDS_RESTART:
            level = logging.WARNING
        self._teller.say(level, f"reload: {told}", outcome=outcome.value)

    def bug(self, error: BaseException) -> None:
        """Something went wrong that is no mistake in the site file; what ran goes on."""
        self._teller.say_error(logging.ERROR, f"reload: {type(error).__name__}: {error}", error)

    def _in_effect(self) -> None:
        self._is_good.set(1)
        self._good_at.set(self._clock.now().timestamp())
