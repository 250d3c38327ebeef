"""What the probe found and the devices tell, as lines for a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from devices.candidates import Candidate
from devices.inventory import Accelerator, Inventory
from devices.readings.reading import Quantity, Reading, Vitals


def probe_lines(inventory: Inventory, ways: Sequence[Candidate], vitals: Vitals) -> Iterator[str]:
    """One screen: the machine, its devices, its decoders, how it does right now, and the ways to run a model."""
    yield from _machine(inventory)
    yield ""
    yield "accelerators"
    yield from (f"  {each.kind.value:<20} {_described(each)}" for each in inventory.accelerators)
    yield ""
    yield "video decoders besides the processor"
    for decoder in inventory.decoders:
        yield _signed(decoder.kind.value, decoder.availability.reason, 20, usable=decoder.availability.usable)
    yield ""
    now = list(_now(vitals))
    if now:
        yield "right now"
        yield from now
        yield ""
    yield "ways to run a model, best first"
    for way in ways:
        yield _signed(way.name, way.availability.reason, 34, usable=way.availability.usable)
    yield from (f"  note: {note}" for note in inventory.notes)


def _machine(inventory: Inventory) -> Iterator[str]:
    memory = "unknown" if inventory.memory_bytes is None else f"{_gib(inventory.memory_bytes)} usable"
    yield f"machine      {inventory.machine}"
    yield f"system       {inventory.system}, Python {inventory.python}"
    yield f"processors   {inventory.cpu_limit:g} usable of {inventory.cores}"
    yield f"memory       {memory}"
    if (jetson := inventory.jetson) is not None:
        release = f"Jetson Linux {jetson.l4t or 'of unknown release'}"
        jetpack = f"JetPack {jetson.jetpack}" if jetson.jetpack else "of no JetPack known here"
        yield f"jetson       {release}, {jetpack}, power mode {jetson.power_mode or 'unknown'}"


def _described(accelerator: Accelerator) -> str:
    number = f"{accelerator.index}: " if accelerator.index else ""
    details = [
        accelerator.driver or "",
        "" if accelerator.memory_bytes is None else _gib(accelerator.memory_bytes),
        " ".join(accelerator.capability),
    ]
    told = ", ".join(detail for detail in details if detail)
    return f"{number}{accelerator.name}" + (f" ({told})" if told else "")


def _now(vitals: Vitals) -> Iterator[str]:
    """Load and memory a device, the hottest sensors, every rail."""
    for device in dict.fromkeys(each.device for each in vitals.readings if _is_load(each)):
        yield f"  {device:<20} {', '.join(_load(vitals, device))}"
    hot = [each for each in vitals.readings if each.quantity is Quantity.TEMPERATURE_CELSIUS]
    hottest = sorted(hot, key=lambda each: each.value, reverse=True)[:3]
    if hottest:
        yield f"  {'heat':<20} {', '.join(_heat(vitals, each) for each in hottest)}"
    power = [each for each in vitals.readings if each.quantity is Quantity.POWER_WATTS]
    if power:
        yield f"  {'power':<20} {', '.join(f'{each.device} {each.value:.1f} W' for each in power)}"
    yield from (f"  {trouble.source:<20} {trouble.reason}" for trouble in vitals.troubles)


def _is_load(reading: Reading) -> bool:
    return reading.quantity in (Quantity.UTILISATION, Quantity.MEMORY_USED_BYTES, Quantity.IS_ACTIVE)


def _load(vitals: Vitals, device: str) -> Iterator[str]:
    if (share := vitals.value(Quantity.UTILISATION, device)) is not None:
        yield f"{share:.0%} in use"
    if (is_active := vitals.value(Quantity.IS_ACTIVE, device)) is not None:
        yield "at work" if is_active else "idle"
    used, total = (
        vitals.value(quantity, device) for quantity in (Quantity.MEMORY_USED_BYTES, Quantity.MEMORY_TOTAL_BYTES)
    )
    if used is not None:
        yield f"{_gib(used)} of memory in use" if total is None else f"{used / 2**30:.1f} of {_gib(total)} in use"
    if vitals.value(Quantity.IS_THROTTLED, device):
        yield "slowed down for heat"


def _heat(vitals: Vitals, reading: Reading) -> str:
    margin = vitals.value(Quantity.THROTTLE_MARGIN_CELSIUS, reading.device)
    told = f"{reading.device} {reading.value:.0f} C"
    return told if margin is None else f"{told} ({margin:.0f} below its limit)"


def _signed(name: str, reason: str, width: int, *, usable: bool) -> str:
    return f"  {'+' if usable else '-'} {name:<{width}} {reason}"


def _gib(size: float) -> str:
    return f"{size / 2**30:.1f} GiB"
