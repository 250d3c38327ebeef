"""The thread that reads the machine's vitals."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

from fakes.board import board
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from agent.app.machine import Machine
from agent.app.vitals_watch import VitalsWatch
from agent.telemetry.devices import DeviceHappenings
from agent.telemetry.teller import Teller
from devices.readings.reading import Quantity, Reading, Trouble, Vitals


def busy(seconds: float, throttles: float = 0.0) -> Vitals:
    return Vitals((Reading(Quantity.BUSY_SECONDS, "npu", seconds), Reading(Quantity.THROTTLES, "cpu", throttles)))


def watch(readings: Iterator[Vitals]) -> tuple[VitalsWatch, CollectorRegistry, FakeClock]:
    registry, clock = CollectorRegistry(), FakeClock()
    happened = DeviceHappenings(Teller(registry, logging.getLogger("test.vitals"), clock))
    return VitalsWatch(lambda: next(readings), happened, clock, every_s=0.01), registry, clock


def test_a_total_becomes_a_share_of_the_time_between() -> None:
    """2.5 seconds busy in 10 are a quarter; the first reading tells none, nor one that begins anew."""
    watching, registry, clock = watch(iter([busy(100.0), busy(102.5), busy(1.0), busy(31.0)]))
    shares = []
    for _ in range(4):
        watching.turn()
        shares.append(registry.get_sample_value("sitewatch_device_utilisation_ratio", {"device": "npu"}))
        clock.advance(10.0)

    assert shares == [None, 0.25, None, 1.0]


def test_throttling_is_counted_from_the_start_of_the_run() -> None:
    """What happened before is not ours; every rise is."""
    watching, registry, _ = watch(iter([busy(0, 40), busy(0, 43), busy(0, 43)]))
    for _ in range(3):
        watching.turn()

    assert registry.get_sample_value("sitewatch_thermal_throttle_total", {"device": "cpu"}) == 3


def test_a_board_is_told_whole() -> None:
    """A recorded Orin at work shows its load, DLA, heat, power and mode."""
    machine = Machine(board("orin_nx_16gb"))
    registry, clock = CollectorRegistry(), FakeClock()
    happened = DeviceHappenings(Teller(registry, logging.getLogger("test.vitals"), clock))
    VitalsWatch(machine.vitals, happened, clock).turn()

    def sample(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(f"sitewatch_{name}", labels)

    assert sample("device_utilisation_ratio", device="nvidia_gpu0") == 0.25
    assert sample("device_active", device="dla0") == 1
    assert sample("device_temperature_celsius", sensor="tj-thermal") == 51.218
    assert sample("power_mode_info", mode="MODE_25W") == 1


def test_it_runs_until_it_is_stopped() -> None:
    """It beats every turn, tells troubles, and ends soon after being asked."""
    turns = threading.Semaphore(0)

    def readings() -> Iterator[Vitals]:
        while True:
            turns.release()
            yield Vitals(troubles=(Trouble("nvidia-smi", "hangs"),))

    watching, _, _ = watch(readings())
    beats: list[int] = []
    thread = threading.Thread(target=watching.run, args=(lambda: beats.append(1),))
    thread.start()
    for _ in range(3):
        assert turns.acquire(timeout=5)
    watching.stop()
    thread.join(5)

    assert not thread.is_alive()
    assert len(beats) >= 4
