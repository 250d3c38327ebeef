"""The machine we run on, looked at once."""

from __future__ import annotations

import sys

from devices.inventory import Inventory
from devices.probe import probe
from devices.probes.root import this_machine


def look_at_machine() -> Inventory:
    """What this machine has; takes a second or two, as run-times are asked in child processes."""
    return probe(this_machine(sys.executable))
