"""NVIDIA GPUs through nvidia-smi: discrete ones, and Thor's, which has no load file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devices.inventory import Accelerator, AcceleratorKind
from devices.probes.jetson_modules import identify
from devices.probes.nvidia import loaded_driver
from devices.probes.nvidia_smi import query_gpus, query_processes
from devices.probes.root import Root
from devices.readings.jetson import gpu_load_path
from devices.readings.numbers import as_number
from devices.readings.reading import Quantity, Reading, Trouble, Vitals

_MIB = 1 << 20
_PLAIN = ("pci.bus_id", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu", "power.draw")
# Drivers of 2017 and before know neither; newer ones also call them clocks_event_reasons.
_HEAT = ("clocks_throttle_reasons.hw_thermal_slowdown", "clocks_throttle_reasons.sw_thermal_slowdown")


def read_nvidia(root: Root, accelerators: Sequence[Accelerator]) -> Vitals:
    """One group of numbers a GPU. Nothing where CUDA shows no GPU, and on a Jetson whose GPU has a load file."""
    gpus = [each for each in accelerators if each.kind is AcceleratorKind.NVIDIA_GPU]
    if not gpus or loaded_driver(root) is None or (identify(root) is not None and gpu_load_path(root) is not None):
        return Vitals()
    answer = query_gpus(root, (*_PLAIN, *_HEAT))
    if not answer.knows_fields:
        answer = query_gpus(root, _PLAIN)
    if answer.problem:
        return Vitals(troubles=(Trouble("nvidia-smi", answer.problem),))
    readings = [reading for row in answer.rows for gpu in gpus if _is(gpu, row) for reading in _of_row(row, gpu.index)]
    if identify(root) is not None:
        readings += _of_processes(root)
    return Vitals(tuple(readings))


def _is(gpu: Accelerator, row: dict[str, str]) -> bool:
    """By PCI address, as nvidia-smi and CUDA count differently; a Jetson's own GPU has none."""
    address = row.get("pci.bus_id", "").lower()
    return gpu.address is None or address.endswith(gpu.address)


def _of_row(row: dict[str, str], index: int) -> Iterator[Reading]:
    device = f"nvidia_gpu{index}"
    scales = (
        ("utilization.gpu", Quantity.UTILISATION, 0.01),
        ("memory.used", Quantity.MEMORY_USED_BYTES, _MIB),
        ("memory.total", Quantity.MEMORY_TOTAL_BYTES, _MIB),
        ("temperature.gpu", Quantity.TEMPERATURE_CELSIUS, 1.0),
        ("power.draw", Quantity.POWER_WATTS, 1.0),
    )
    for name, quantity, scale in scales:
        value = as_number(row.get(name))
        if value is not None:
            yield Reading(quantity, device, value * scale)
    states = [row[name] for name in _HEAT if name in row]
    if states:
        yield Reading(Quantity.IS_THROTTLED, device, float("Active" in states))


def _of_processes(root: Root) -> Iterator[Reading]:
    """Where the GPU shares the machine's memory, the processes' shares are what is told."""
    shares = [as_number(row.get("used_memory")) for row in query_processes(root).rows]
    known = [share for share in shares if share is not None]
    if known:
        yield Reading(Quantity.MEMORY_USED_BYTES, "nvidia_gpu0", sum(known) * _MIB)
