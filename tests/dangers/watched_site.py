"""A site under load with a broker and a subscriber that keeps account, for dangers on the way out."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from clips.rendered import Square, render_clip
from dangers.accounts import assert_balanced
from live.agent_process import AgentProcess, until
from live.sites import write_site
from servers.mosquitto import Mosquitto
from soak.ledger import Ledger, LedgerSubscriber

CLIP_S, CLIP_SIZE_PX = 3, (640, 400)
LANES_PX = (10, 110, 210, 310)
# Two clips, played as fast as it goes or at their own pace; with each picture each of eight squares makes an event.
FLOWING = 50
LOAD = {"playback": "loop", "pace": "fast"}
CALM = {"playback": "loop"}


def write_crowd(path: Path) -> None:
    """Eight squares, two a lane, walk across the picture."""
    squares = [
        Square(2 * lane + place, lane % 2, 0.0, CLIP_S, (320.0 * place, y_px), (320.0 * place + 200.0, y_px))
        for lane, y_px in enumerate(LANES_PX)
        for place in range(2)
    ]
    render_clip(path, seconds=CLIP_S, fps=10, size=CLIP_SIZE_PX, squares=squares)


class WatchedSite:
    """Two cameras that play a clip for ever; every event of them is in the `ledger` in the end, or it tells why not."""

    def __init__(self, stack: ExitStack, folder: Path, *, camera: dict[str, Any] | None = None, **more: Any) -> None:
        """The broker and its subscriber run; the agent is not started.

        The broker hands on whatever it has at once: what it had acknowledged and kept back a kill of it would lose.
        """
        self.folder = folder
        self.broker = stack.enter_context(Mosquitto(folder / "broker", more="max_inflight_messages 0"))
        self.ledger = Ledger()
        self.subscriber = stack.enter_context(LedgerSubscriber(self.broker, self.ledger))
        self.broker.save()  # the subscriber's session outlives its violent end
        write_crowd(folder / "clip.mp4")
        self._more = {"model": "motion", "events": {"update_every": "100ms", "detections": "off"}, **more}
        self.configure(camera or LOAD)
        self.agent = AgentProcess(folder / "site.yaml", folder)
        stack.callback(self._end)

    def configure(self, camera: dict[str, Any], **more: Any) -> None:
        """Write the site file anew, for the next start."""
        broker = {"host": self.broker.host, "port": self.broker.port}
        site = {"broker": broker, **self._more, **more}
        write_site(self.folder, {name: {"source": "clip.mp4", **camera} for name in ("gate", "yard")}, **site)

    def await_events(self, more: int = 1) -> None:
        """Wait until so many more have arrived."""
        before = self.ledger.count
        until(lambda: self.ledger.count >= before + more, f"{more} more events", 30.0)

    def await_waiting(self, events: int) -> None:
        """Wait until so many wait for the broker."""
        until(lambda: self.agent.metric("sitewatch_outbox_events") >= events, f"{events} events wait", 60.0)

    def await_drained(self) -> None:
        """Wait until what had to wait is gone; what is new comes and goes."""
        until(lambda: self.agent.metric("sitewatch_outbox_events") < FLOWING, "nothing waits for long", 40.0)

    def await_reason(self, reason: str, timeout_s: float = 20.0) -> None:
        """Wait until the connection is away for a reason, once more than so far."""
        name = "sitewatch_mqtt_reconnects_total"
        before = self.agent.metric(name, reason=reason)
        until(lambda: self.agent.metric(name, reason=reason) > before, reason, timeout_s)

    def stop(self) -> int:
        """Ask the agent to stop, and give its exit status."""
        return self.agent.stop()

    def last_number(self) -> int:
        """The last number that the agent ever gave to an event, as it noted it on disk."""
        noted = (self.folder / "state" / "outbox.sqlite3.number").read_bytes()
        return max(int(number) for number in re.findall(rb"^(\d{20}) ", noted, re.MULTILINE))

    def assert_all_arrived(self) -> None:
        """Once the agent has stopped with an empty outbox: nothing is missing, nothing twice by another name."""
        last = self.last_number()
        until(lambda: self.ledger.count >= last, f"{last} events have arrived", 10.0)
        assert_balanced(self.ledger, last)

    def _end(self) -> None:
        process = self.agent._process
        if process is not None and process.poll() is None:
            self.agent.kill()
