"""Looks at the machine and writes down what it has; changes nothing, needs no run-time."""

from __future__ import annotations

from devices.engines.catalogue import ENGINES, availability
from devices.inventory import Absence, Accelerator, AcceleratorKind, Inventory
from devices.probes.apple import probe_apple
from devices.probes.cpu import cpu_limit, probe_cpu, sysctl
from devices.probes.finding import Finding
from devices.probes.intel import probe_intel
from devices.probes.jetson import device_tree, module_name, probe_jetson
from devices.probes.memory import memory_bytes
from devices.probes.nvidia import probe_nvidia
from devices.probes.root import Root


def probe(root: Root) -> Inventory:
    """Everything found under `root`, every family of accelerator either present or absent with a reason."""
    findings = tuple(look(root) for look in (probe_jetson, probe_nvidia, probe_intel, probe_apple))
    accelerators = (probe_cpu(root), *(each for finding in findings for each in finding.accelerators))
    return Inventory(
        machine=_machine(root),
        system=f"{root.system} {root.release}",
        python=root.python,
        memory_bytes=memory_bytes(root),
        cpu_limit=cpu_limit(root),
        accelerators=accelerators,
        runtimes=tuple(availability(name, root) for name in ENGINES),
        notes=tuple(note for finding in findings for note in finding.notes),
        architecture=root.architecture,
        absent=_absent(accelerators, findings),
    )


def _absent(accelerators: tuple[Accelerator, ...], findings: tuple[Finding, ...]) -> tuple[Absence, ...]:
    """One reason a family: two probes may look for one (a Jetson's GPU is not on the PCI bus)."""
    reasons: dict[AcceleratorKind, Absence] = {}
    for absence in (absence for finding in findings for absence in finding.absent):
        reasons.setdefault(absence.kind, absence)
    present = {accelerator.kind for accelerator in accelerators}
    return tuple(absence for kind, absence in reasons.items() if kind not in present)


def _machine(root: Root) -> str:
    """The Jetson module, the Mac model, the board of the device tree or of DMI, else the architecture."""
    if module := module_name(root):
        return module
    if root.system == "Darwin":
        return sysctl(root, "hw.model") or "Mac"
    dmi = (root.text(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))
    return device_tree(root, "model") or " ".join(text for text in dmi if text) or root.architecture
