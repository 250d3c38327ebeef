"""Looks at the running site every second, judges how it is, and tells when that has changed; a thread of its own."""

from __future__ import annotations

import threading
from collections import deque

from agent.app.health.judging import GROWTH_WINDOW_S, troubles
from agent.app.health.persistence import Persistence
from agent.app.health.readings import Readings
from agent.app.reload.running_site import RunningSite
from agent.clock import Clock
from agent.pipeline.channel import Beat
from agent.publish.status import Health, HealthState
from agent.settings.models import Pace

LOOK_EVERY_S = 1.0


class HealthWatch:
    """`run` is a stage's work; `stop` may be called by any thread.

    It is not the main thread that looks: what it asks may wait for a slow disk, and that must not look like a hang.
    """

    def __init__(self, clock: Clock) -> None:
        """Nothing to look at yet."""
        self._clock = clock
        self._running: RunningSite | None = None
        self._looks: deque[Readings] = deque()
        self._persistence = Persistence()
        self._told = Health(HealthState.OK)
        self._stopping = threading.Event()

    def watch(self, running: RunningSite) -> None:
        """Look at this, from before `run` on."""
        self._running = running

    def run(self, beat: Beat) -> None:
        """Look and tell until stopped."""
        while not self._stopping.wait(LOOK_EVERY_S):
            beat()
            if self._running is not None:
                self._turn(self._running)

    def stop(self) -> None:
        """End soon."""
        self._stopping.set()

    def _turn(self, running: RunningSite) -> None:
        now = read(running, self._clock.monotonic_s())
        self._looks.append(now)
        while self._looks[0].at_s < now.at_s - GROWTH_WINDOW_S:
            self._looks.popleft()
        self._persistence.see(troubles(self._looks, self._persistence.active), now.at_s)
        health = self._persistence.health()
        if health != self._told:
            self._told = health
            running.happened.process.health(health.state.value, health.reasons)
            running.board.health_changed(health)


def read(running: RunningSite, at_s: float) -> Readings:
    """Look once; any thread."""
    site, line, waiting = running.site, running.line, running.outbox.size()
    tallies = line.slots.tallies()
    return Readings(
        at_s=at_s,
        offline=running.board.offline(),
        tallies=tallies,
        idle_s=line.slots.idle_s,
        workers=len(line.workers),
        takes_all=any(camera.pace is Pace.FAST for camera in site.cameras.values()),
        failed_inferences=running.happened.detect.failed_inferences,
        fallback=running.detection.fallback,
        is_connected=running.outgoing.is_connected(),
        events_waiting=waiting.events,
        outbox_fill=waiting.bytes / int(site.outbox.max_size),
        is_disk_refusing=running.outbox.is_failing,
    )
