"""The machine we run on, looked at as late and as rarely as possible."""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path

from agent.settings.models import ModelSettings, SiteSettings
from devices.inventory import Inventory
from devices.probe import probe, probe_hardware
from devices.probes.root import Root, this_machine
from devices.readings.reading import Vitals
from devices.readings.vitals import read_vitals


class Machine:
    """What this machine has. Looking takes from milliseconds (hardware) to seconds (run-times, in child processes)."""

    def __init__(self, root: Root | None = None, worker_python: Path | None = None) -> None:
        """Nothing is looked at yet.

        Args:
            root: this machine where None.
            worker_python: the Python of run-times that this one cannot have, where the site names one.
        """
        self._root = root
        self._worker_python = worker_python

    @classmethod
    def of_site(cls, site: SiteSettings) -> Machine:
        """This machine, with the Python that the site names for the engine worker."""
        return cls(worker_python=site.model.worker_python if isinstance(site.model, ModelSettings) else None)

    def hardware(self) -> Inventory:
        """Everything but the run-times."""
        return self._hardware

    def inventory(self) -> Inventory:
        """Everything."""
        return self._inventory

    def vitals(self) -> Vitals:
        """What its devices do right now; any thread may ask."""
        known = self.__dict__.get("_inventory") or self.hardware()  # what was looked at is not looked at again
        return read_vitals(self._root_or_this(), known.accelerators)

    @cached_property
    def _hardware(self) -> Inventory:
        return probe_hardware(self._root_or_this())

    @cached_property
    def _inventory(self) -> Inventory:
        return probe(self._root_or_this(), self._worker_python)

    def _root_or_this(self) -> Root:
        return this_machine(sys.executable) if self._root is None else self._root
