"""Power of the rails that an INA3221 measures, as on every Jetson."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from devices.inventory import Accelerator
from devices.probes.root import Root
from devices.readings.numbers import number
from devices.readings.reading import Quantity, Reading, Vitals

_UNUSED = ("NC", "", "sum of shunt voltages")
# Kernels of JetPack 4 have a driver of their own beside hwmon.
_OLD_FOLDERS = "/sys/bus/i2c/drivers/ina3221x/*/iio:device*"


def read_power(root: Root, _accelerators: Sequence[Accelerator]) -> Vitals:
    """Watts a rail."""
    return Vitals((*_hwmon(root), *_old(root)))


def _hwmon(root: Root) -> Iterator[Reading]:
    """Millivolt times milliampere is microwatt."""
    for folder in root.matches("/sys/class/hwmon/hwmon*"):
        if root.text(f"{folder}/name") != "ina3221":
            continue
        for path in root.matches(f"{folder}/in*_label"):
            rail, channel = root.text(path) or "", re.sub(r"\D", "", path.rsplit("/", 1)[-1])
            volts = number(root, f"{folder}/in{channel}_input")
            amperes = number(root, f"{folder}/curr{channel}_input")
            if rail not in _UNUSED and volts is not None and amperes is not None:
                yield Reading(Quantity.POWER_WATTS, rail, volts * amperes / 1e6)


def _old(root: Root) -> Iterator[Reading]:
    for path in root.matches(f"{_OLD_FOLDERS}/rail_name_*"):
        folder, _, channel = path.rpartition("/rail_name_")
        rail, milliwatts = root.text(path) or "", number(root, f"{folder}/in_power{channel}_input")
        if rail not in _UNUSED and milliwatts is not None:
            yield Reading(Quantity.POWER_WATTS, rail, milliwatts / 1e3)
