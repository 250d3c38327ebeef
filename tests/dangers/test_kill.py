"""Danger: the agent is killed at random moments under load; every event it made arrives all the same."""

from __future__ import annotations

import os
import random
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.watched_site import CALM, WatchedSite

pytestmark = pytest.mark.mosquitto
KILLS = 20
# Every other one somewhere in its beginning, the rest once its events arrive.
BEGINNING_S = (0.3, 1.5)
LOADED_S = (0.0, 0.5)


def test_killed_at_twenty_random_moments_under_load(tmp_path: Path) -> None:
    """Numbers go on without a gap over every kill, none is given twice, and nothing is missing or out of order."""
    seed = int(os.environ.get("SITEWATCH_SEED") or random.SystemRandom().randrange(10**6))
    sys.stderr.write(f"SITEWATCH_SEED={seed}\n")
    chance = random.Random(seed)
    with ExitStack() as stack:
        site = WatchedSite(stack, tmp_path)
        for kill in range(KILLS):
            site.agent.spawn()
            if is_loaded := kill % 2 == 1:
                site.await_events(20)
            time.sleep(chance.uniform(*(LOADED_S if is_loaded else BEGINNING_S)))
            site.agent.kill()
        site.configure(CALM)
        site.agent.start()
        site.await_drained()
        assert site.stop() == 0
        site.assert_all_arrived()

    assert site.ledger.count > 10 * KILLS
    assert "Traceback" not in site.agent.log
