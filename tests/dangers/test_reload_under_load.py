"""Danger: the site file changes again and again under full load, also to nonsense, and while the broker hangs."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from dangers.watched_site import LOAD, WatchedSite
from live.agent_process import until

pytestmark = pytest.mark.mosquitto


class Reloading(WatchedSite):
    """A loaded site whose file is rewritten."""

    def reload(self, expected: str, camera: dict[str, Any] = LOAD, **more: Any) -> None:
        """Change the file, ask for it to be read, and wait for what becomes of it."""
        before = self._outcomes(expected)
        self.configure(camera, **more)
        self.agent.hang_up()
        until(lambda: self._outcomes(expected) > before, f"the reload is {expected}")

    def _outcomes(self, outcome: str) -> float:
        return self.agent.metric("sitewatch_config_reloads_total", outcome=outcome)


def test_reload_under_load(tmp_path: Path) -> None:
    """Rates, thresholds, rules, cameras and the client id change while events pour; none is lost or out of order."""
    with ExitStack() as stack:
        site = Reloading(stack, tmp_path)
        site.agent.start()
        site.await_events(200)
        for turn in range(4):
            site.reload("applied", {**LOAD, "detect_fps": 50.0 + turn})
            site.reload("refused", tracking={"high_threshold": 7})
            site.reload(
                "applied",
                tracking={"lost_patience": f"{turn + 1}s"},
                events={"update_every": "150ms", "detections": "off"},
            )
            site.await_events(50)
        site.broker.freeze()
        site.reload("applied", events={"update_every": "200ms", "detections": "off"})
        site.broker.thaw()
        site.reload("applied", broker={"host": site.broker.host, "port": site.broker.port, "client_id": "another"})
        site.await_events(200)
        assert site.stop() == 0
        site.assert_all_arrived()

    assert "Traceback" not in site.agent.log
