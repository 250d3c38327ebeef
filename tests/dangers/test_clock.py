"""Danger: somebody sets the clock of the box, by years, while events wait: nothing ages, stalls or loses its order."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.watched_site import CALM, WatchedSite
from servers.stepped_clock import SteppedClock

pytestmark = [pytest.mark.mosquitto, pytest.mark.compiler]
YEAR_S = 365 * 86400
# As a box does that begins in 1970, learns the time, and is set back by a summer hour.
STEPS_S = (-50 * YEAR_S, 3 * YEAR_S, 3 * YEAR_S - 3600, 0)


def test_clock_stepped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the broker away and there, forward and back: every event arrives, in order, and none is dropped for age."""
    clock = SteppedClock(tmp_path)
    with ExitStack() as stack:
        site = WatchedSite(stack, tmp_path, camera=CALM)
        for name, value in clock.environment.items():
            monkeypatch.setenv(name, value)
        site.agent.start()
        site.await_events(20)
        for step_s in STEPS_S:
            clock.step_to(step_s)
            site.await_events(30)
        clock.step_to(STEPS_S[0])
        site.broker.stop()
        site.await_waiting(20)
        for step_s in STEPS_S[1:]:
            clock.step_to(step_s)
            waiting = site.agent.metric("sitewatch_outbox_events")
            site.await_waiting(int(waiting) + 20)
        assert site.agent.metric("sitewatch_outbox_dropped_total") == 0
        assert site.agent.metric("sitewatch_outbox_oldest_age_seconds") < 600
        monkeypatch.undo()
        site.broker.start()
        site.await_events(20)
        assert site.stop() == 0
        site.assert_all_arrived()

    assert "has not turned" not in site.agent.log
    assert "Traceback" not in site.agent.log
    assert '"ts": "1976-' in site.agent.log
