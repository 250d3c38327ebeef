"""Reads every number the machine tells of its devices, from one source after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from devices.inventory import Accelerator
from devices.probes.root import Root
from devices.readings.intel import read_intel
from devices.readings.jetson import read_jetson
from devices.readings.nvidia import read_nvidia
from devices.readings.power import read_power
from devices.readings.processor import read_processor
from devices.readings.reading import Trouble, Vitals, together
from devices.readings.thermal import read_thermal

Source = Callable[[Root, Sequence[Accelerator]], Vitals]
_SOURCES: dict[str, Source] = {
    "processor": read_processor,
    "jetson": read_jetson,
    "nvidia-smi": read_nvidia,
    "intel": read_intel,
    "thermal": read_thermal,
    "power": read_power,
}


def read_vitals(root: Root, accelerators: Sequence[Accelerator]) -> Vitals:
    """Every number that can be read now; takes milliseconds, or as long as nvidia-smi's deadline where it hangs.

    Keeps nothing between two calls and needs no rights beyond reading. Call it every few seconds, not more often.

    Args:
        root: the machine.
        accelerators: those of its inventory, whose numbers name the devices; others' are left alone.
    """
    return together(_read(name, source, root, accelerators) for name, source in _SOURCES.items())


def _read(name: str, source: Source, root: Root, accelerators: Sequence[Accelerator]) -> Vitals:
    """A driver that writes what nobody expects costs its own numbers and nothing else."""
    try:
        return source(root, accelerators)
    except (ValueError, KeyError, IndexError, OSError) as error:
        return Vitals(troubles=(Trouble(name, f"what it says is not understood: {error}"),))
