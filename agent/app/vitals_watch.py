"""Reads the machine's vitals every few seconds and tells them; a thread of its own, as a read may take a while."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.clock import Clock
from agent.pipeline.channel import Beat
from agent.telemetry.devices import DeviceHappenings, Labelled
from devices.readings.reading import Quantity, Vitals

READ_EVERY_S = 10.0


class VitalsWatch:
    """`run` is a stage's work; `stop` may be called by any thread.

    What is cumulative (busy time, throttling events) is told as its rise since the reading before.
    """

    def __init__(
        self, read: Callable[[], Vitals], happened: DeviceHappenings, clock: Clock, every_s: float = READ_EVERY_S
    ) -> None:
        self._read = read
        self._happened = happened
        self._clock = clock
        self._every_s = every_s
        self._stopping = threading.Event()
        self._totals: dict[tuple[Quantity, str], tuple[float, float]] = {}

    def run(self, beat: Beat) -> None:
        """Read and tell until stopped."""
        while not self._stopping.is_set():
            beat()
            self.turn()
            beat()
            self._stopping.wait(self._every_s)

    def stop(self) -> None:
        """End soon: at once while waiting, else after the reading under way."""
        self._stopping.set()

    def turn(self) -> None:
        """One reading, told."""
        vitals, now_s = self._read(), self._clock.monotonic_s()
        values: dict[Labelled, float] = {}
        for reading in vitals.readings:
            quantity, device = reading.quantity, reading.device
            if quantity is Quantity.BUSY_SECONDS:
                share = self._busy_share(device, reading.value, now_s)
                values.update({} if share is None else {(Quantity.UTILISATION.value, device): share})
            elif quantity is Quantity.THROTTLES:
                self._tell_throttles(device, reading.value, now_s)
            else:
                values[quantity.value, device] = reading.value
        self._happened.measured(values)
        self._happened.power_mode(vitals.power_mode)
        self._happened.sources_failed({trouble.source: trouble.reason for trouble in vitals.troubles})

    def _busy_share(self, device: str, busy_s: float, now_s: float) -> float | None:
        rise = self._rise(Quantity.BUSY_SECONDS, device, busy_s, now_s)
        if rise is None or rise[1] <= 0:
            return None
        return min(1.0, rise[0] / rise[1])

    def _tell_throttles(self, device: str, count: float, now_s: float) -> None:
        rise = self._rise(Quantity.THROTTLES, device, count, now_s)
        if rise is not None and rise[0] > 0:
            self._happened.throttled(device, int(rise[0]))

    def _rise(self, quantity: Quantity, device: str, total: float, now_s: float) -> tuple[float, float] | None:
        """How much a total rose, and in how many seconds; None the first time, or where it began anew."""
        before = self._totals.get((quantity, device))
        self._totals[quantity, device] = (total, now_s)
        if before is None or total < before[0]:
            return None
        return total - before[0], now_s - before[1]
