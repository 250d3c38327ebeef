"""`sitewatch probe`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator

from agent.app.machine import look_at_machine
from agent.app.saying import say
from devices.inventory import Inventory
from devices.selection import Candidate, candidates


def main(options: argparse.Namespace) -> int:
    """Print what this machine has, what could run here, and why the rest cannot."""
    inventory = look_at_machine()
    ways = candidates(inventory)
    if options.json:
        say(json.dumps(_as_json(inventory, ways), indent=2))
    else:
        say("\n".join(_as_text(inventory, ways)))
    return 0


def _as_json(inventory: Inventory, ways: tuple[Candidate, ...]) -> dict[str, object]:
    return {**dataclasses.asdict(inventory), "candidates": [dataclasses.asdict(way) for way in ways]}


def _as_text(inventory: Inventory, ways: tuple[Candidate, ...]) -> Iterator[str]:
    memory = "unknown" if inventory.memory_bytes is None else f"{inventory.memory_bytes / 2**30:.1f} GiB"
    yield f"machine      {inventory.machine}"
    yield f"system       {inventory.system}, Python {inventory.python}"
    yield f"processors   {inventory.cpu_limit:g} usable"
    yield f"memory       {memory} usable"
    yield ""
    yield "accelerators"
    for accelerator in inventory.accelerators:
        driver = f", {accelerator.driver}" if accelerator.driver else ""
        capability = f" ({' '.join(accelerator.capability)})" if accelerator.capability else ""
        yield f"  {accelerator.kind.value:<20} {accelerator.name}{driver}{capability}"
    yield ""
    yield "ways to run a model, best first"
    for way in ways:
        sign = "+" if way.availability.usable else "-"
        yield f"  {sign} {way.name:<26} {way.availability.reason}"
    for note in inventory.notes:
        yield f"  note: {note}"
