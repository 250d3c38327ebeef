"""Lets a trouble count only when it lasts, and be over only when it stays away; so that a state does not flap."""

from __future__ import annotations

from collections.abc import Iterable

from agent.app.health.trouble import Trouble, TroubleKey
from agent.publish.status import Health, HealthState

OVER_AFTER_S = 10.0


class Persistence:
    """Used by one thread; time is an argument."""

    def __init__(self, over_after_s: float = OVER_AFTER_S) -> None:
        """Nothing is wrong; a trouble is over when it was not seen for `over_after_s`."""
        self._over_after_s = over_after_s
        self._first_s: dict[TroubleKey, float] = {}
        self._last_s: dict[TroubleKey, float] = {}
        self._told: dict[TroubleKey, Trouble] = {}

    @property
    def active(self) -> frozenset[TroubleKey]:
        """The troubles that count now."""
        return frozenset(self._told)

    def see(self, found: Iterable[Trouble], now_s: float) -> None:
        """Take what is wrong at this moment."""
        for trouble in found:
            began_s = self._first_s.setdefault(trouble.key, now_s)
            self._last_s[trouble.key] = now_s
            if now_s - began_s >= trouble.kind.lasts_s:
                self._told.setdefault(trouble.key, trouble)
        for key in [key for key, last_s in self._last_s.items() if last_s < now_s]:
            if key not in self._told or now_s - self._last_s[key] >= self._over_after_s:
                self._told.pop(key, None)
                del self._first_s[key], self._last_s[key]

    def health(self) -> Health:
        """The worst of what counts, all of it with its reasons as they were when each began."""
        states = {trouble.kind.state for trouble in self._told.values()}
        worst = next(
            (state for state in (HealthState.OVERLOADED, HealthState.DEGRADED) if state in states), HealthState.OK
        )
        by_weight = sorted(self._told.values(), key=lambda trouble: trouble.kind.state is not HealthState.OVERLOADED)
        return Health(worst, tuple(trouble.sentence for trouble in by_weight))
