"""How the machine's devices are told: load, memory, heat and power as gauges; heat that slows them down as a line."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from prometheus_client import Counter, Gauge

from agent.telemetry.teller import Teller

Labelled = tuple[str, str]
"""A quantity and the device, sensor or rail whose it is."""

# Quantity: metric, label, help.
_GAUGES = {
    "utilisation": ("device_utilisation_ratio", "device", "Share of time a device is in use, 0 to 1."),
    "memory_used_bytes": ("device_memory_used_bytes", "device", "Memory in use on a device."),
    "memory_total_bytes": ("device_memory_total_bytes", "device", "Memory of a device."),
    "temperature_celsius": ("device_temperature_celsius", "sensor", "Temperature at a sensor."),
    "throttle_margin_celsius": (
        "device_throttle_margin_celsius", "sensor", "Degrees left until the system slows down for heat.",
    ),
    "power_watts": ("device_power_watts", "rail", "Power drawn on a rail."),
    "is_active": ("device_active", "device", "1 while a device is powered and at work."),
    "is_throttled": ("device_throttled", "device", "1 while heat slows a device down."),
}  # fmt: skip
_GPU = "_gpu"


class DeviceHappenings:
    """Told by the thread that reads the machine's vitals; that thread alone calls."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._gauges = {
            quantity: teller.gauge(name, text, (label,)) for quantity, (name, label, text) in _GAUGES.items()
        }
        # The name that dashboards of other systems look for; a GPU gives it samples, a machine without one none.
        self._gpu_memory = Gauge(
            "gpu_memory_used_bytes", "Memory in use on each GPU.", ("device",), registry=teller.registry
        )
        self._throttles: Counter = teller.counter("thermal_throttle", "Times heat slowed a device down.", ("device",))
        self._power_mode = teller.gauge("power_mode_info", "The machine's power mode; 1 for the one set.", ("mode",))
        self._shown: set[Labelled] = set()
        self._mode: str | None = None
        self._failing: set[str] = set()
        self._hot: set[str] = set()

    def measured(self, values: Mapping[Labelled, float]) -> None:
        """Everything that was read just now; what is not among it disappears, rather than show an old number."""
        known = {labelled: value for labelled, value in values.items() if labelled[0] in self._gauges}
        for labelled, value in known.items():
            self._set(labelled, value)
        for gone in self._shown - set(known):
            self._remove(gone)
        self._shown = set(known)
        self._tell_heat(values)

    def throttled(self, device: str, times: int) -> None:
        """Heat slowed a device down `times` times since the last call."""
        self._throttles.labels(device).inc(times)
        sentence = f"{device}: slowed down for heat {{count}} times in {{seconds}} s; look at its cooling"
        self._teller.fold(("throttled", device), logging.WARNING, sentence, count=times, device=device)

    def power_mode(self, mode: str | None) -> None:
        """The machine's power mode, which somebody may have changed."""
        if mode == self._mode:
            return
        if self._mode is not None:
            self._power_mode.remove(self._mode)
            self._teller.say(logging.INFO, f"the power mode is {mode}, was {self._mode}", power_mode=mode)
        if mode is not None:
            self._power_mode.labels(mode).set(1)
        self._mode = mode

    def sources_failed(self, reasons: Mapping[str, str]) -> None:
        """Sources that should tell and do not; each is told once, until it works again."""
        for source in set(reasons) - self._failing:
            self._teller.say(logging.WARNING, f"{source} cannot be read: {reasons[source]}", source=source)
        for source in self._failing - set(reasons):
            self._teller.say(logging.INFO, f"{source} can be read again", source=source)
        self._failing = set(reasons)

    def _set(self, labelled: Labelled, value: float) -> None:
        quantity, device = labelled
        self._gauges[quantity].labels(device).set(value)
        if quantity == "memory_used_bytes" and _GPU in device:
            self._gpu_memory.labels(device).set(value)

    def _remove(self, labelled: Labelled) -> None:
        quantity, device = labelled
        self._gauges[quantity].remove(device)
        if quantity == "memory_used_bytes" and _GPU in device:
            self._gpu_memory.remove(device)

    def _tell_heat(self, values: Mapping[Labelled, float]) -> None:
        hot = set(_hot(values))
        for device in sorted(hot - self._hot):
            self._teller.say(logging.WARNING, f"{device}: heat slows it down; look at its cooling", device=device)
        for device in sorted(self._hot - hot):
            self._teller.say(logging.INFO, f"{device}: heat slows it down no longer", device=device)
        self._hot = hot


def _hot(values: Mapping[Labelled, float]) -> Iterable[str]:
    for (quantity, device), value in values.items():
        if (quantity == "throttle_margin_celsius" and value <= 0) or (quantity == "is_throttled" and value):
            yield device
