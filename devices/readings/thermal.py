"""Temperatures, and how far each is from the point where the system slows down.

Sources: the kernel's thermal zones (`Documentation/driver-api/thermal/sysfs-api.rst`), and the processor's sensor in
hwmon where no zone has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devices.inventory import Accelerator
from devices.probes.root import Root
from devices.readings.numbers import number
from devices.readings.reading import Quantity, Reading, Vitals

_MILLI = 1000.0
# Zones that measure nothing: a constant 100 C, and the fan's own estimate.
_NOT_SENSORS = ("PMIC-Die", "thermal-fan-est")
# A part without power reads -256 C or 0 on Tegra; nothing that runs is hotter than 150 C.
_PLAUSIBLE = (-60.0, 150.0)
_CPU_SENSORS = {"coretemp": "Package id 0", "k10temp": "Tctl", "zenpower": "Tdie"}


def read_thermal(root: Root, _accelerators: Sequence[Accelerator]) -> Vitals:
    """Every sensor's temperature, and its margin where the kernel tells at what temperature it acts."""
    readings: list[Reading] = []
    for sensor, zone in _zones(root):
        celsius = _celsius(root, f"{zone}/temp")
        if celsius is None:
            continue
        readings.append(Reading(Quantity.TEMPERATURE_CELSIUS, sensor, celsius))
        limit = _limit(root, zone)
        if limit is not None:
            readings.append(Reading(Quantity.THROTTLE_MARGIN_CELSIUS, sensor, limit - celsius))
    return Vitals((*readings, *_hwmon(root)))


def _zones(root: Root) -> Iterator[tuple[str, str]]:
    """Name and folder of each zone, in the kernel's order; a name that comes again gets a number."""
    seen: dict[str, int] = {}
    folders = root.matches("/sys/class/thermal/thermal_zone*")
    for folder in sorted(folders, key=lambda folder: (len(folder), folder)):
        name = root.text(f"{folder}/type")
        if not name or name in _NOT_SENSORS:
            continue
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name}_{seen[name]}"), folder


def _limit(root: Root, zone: str) -> float | None:
    """Where the kernel slows the machine down (passive), else where it ends it (hot, critical)."""
    trips: dict[str, float] = {}
    for path in root.matches(f"{zone}/trip_point_*_type"):
        kind, celsius = root.text(path) or "", _celsius(root, path.replace("_type", "_temp"))
        if celsius is not None and celsius > 0:
            trips[kind] = min(celsius, trips.get(kind, celsius))
    return next((trips[kind] for kind in ("passive", "hot", "critical") if kind in trips), None)


def _hwmon(root: Root) -> Iterator[Reading]:
    """The processor's own sensor: AMD's has no thermal zone."""
    for folder in root.matches("/sys/class/hwmon/hwmon*"):
        wanted = _CPU_SENSORS.get(root.text(f"{folder}/name") or "")
        for label in root.matches(f"{folder}/temp*_label") if wanted else ():
            celsius = _celsius(root, label.replace("_label", "_input"))
            if root.text(label) != wanted or celsius is None:
                continue
            yield Reading(Quantity.TEMPERATURE_CELSIUS, "cpu", celsius)
            limit = _celsius(root, label.replace("_label", "_max")) or _celsius(root, label.replace("_label", "_crit"))
            if limit:
                yield Reading(Quantity.THROTTLE_MARGIN_CELSIUS, "cpu", limit - celsius)


def _celsius(root: Root, path: str) -> float | None:
    told = number(root, path)
    if told is None or told == 0:
        return None
    celsius = told / _MILLI
    return celsius if _PLAUSIBLE[0] < celsius < _PLAUSIBLE[1] else None
