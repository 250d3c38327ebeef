"""Every way to run a model on this machine, usable or not, with reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from devices.engines.catalogue import EVERY_ENGINE, Runtime
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind, Availability, Inventory, RuntimeStatus

ANY = ("auto", "fastest", "efficient")
"""Words that stand for every run-time."""


@dataclass(frozen=True)
class Candidate:
    """One way to run a model on this machine, or why it is none.

    Attributes:
        runtime: name in the catalogue, or None where no run-time of this release drives the accelerator.
        kind: family of accelerator.
        accelerator: the device, or None where the machine has none of this family.
        availability: whether it can be tried.
        is_wanted: the site asks for it by name, or for any.
    """

    runtime: str | None
    kind: AcceleratorKind
    accelerator: Accelerator | None
    availability: Availability
    is_wanted: bool = True

    @property
    def name(self) -> str:
        """For a person: "openvino on cpu", "tensorrt on nvidia_gpu 1", "intel_gpu"."""
        number = f" {self.accelerator.index}" if self.accelerator is not None and self.accelerator.index else ""
        return f"{self.runtime} on {self.kind.value}{number}" if self.runtime else f"{self.kind.value}{number}"


def candidates(
    inventory: Inventory, wanted: str = ANY[0], engines: Mapping[str, Runtime] = EVERY_ENGINE
) -> tuple[Candidate, ...]:
    """Every way to run a model here in order of preference, then the families left out, with reasons.

    Args:
        inventory: what the probe found.
        wanted: a word of `ANY`, or a run-time by name; the others are then not wanted.
        engines: the catalogue.

    Raises:
        EngineUnavailable: no run-time of this name exists.
    """
    if wanted not in ANY and wanted not in engines:
        raise EngineUnavailable(f"no run-time called {wanted!r}; it is one of {', '.join((*ANY, *engines))}")
    statuses = {status.name: status for status in inventory.runtimes}
    rows = [
        Candidate(
            name, device.kind, device, _availability(name, each, device, statuses.get(name)), wanted in (*ANY, name)
        )
        for name, each in engines.items()
        for device in inventory.accelerators
        if device.kind in each.drives
    ]
    driven = frozenset(kind for each in engines.values() for kind in each.drives)
    idle = [accelerator for accelerator in inventory.accelerators if accelerator.kind not in driven]
    rows += [Candidate(None, device.kind, device, _not_driven(device, driven)) for device in idle]
    rows += [
        Candidate(None, absence.kind, None, Availability(usable=False, reason=absence.reason))
        for absence in inventory.absent
    ]
    return tuple(rows)


def _availability(name: str, runtime: Runtime, device: Accelerator, status: RuntimeStatus | None) -> Availability:
    if status is None:
        return Availability(usable=False, reason="the probe did not ask for it")
    listed = runtime.drives[device.kind]
    if status.availability.usable and listed and not any(each.startswith(listed) for each in status.devices):
        return Availability(usable=False, reason=_not_listed(name, listed, device, status))
    return status.availability


def _not_listed(name: str, listed: str, device: Accelerator, status: RuntimeStatus) -> str:
    there = ", ".join(status.devices) or "no device"
    return (
        f"{name} lists {there}, not {listed}: the driver of {device.name} is missing or may not be used, "
        f"or this build of {name} was made without it"
    )


def _not_driven(device: Accelerator, driven: frozenset[AcceleratorKind]) -> Availability:
    kinds = ", ".join(sorted(kind.value for kind in driven))
    return Availability(usable=False, reason=f"{device.name} is not driven by this release: only {kinds} is")
