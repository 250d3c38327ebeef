"""Looks at the machine and writes down what it has; changes nothing, needs no run-time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from devices.engines.catalogue import ENGINES, EVERY_ENGINE, FOREIGN_ENGINES, availability, foreign_availability
from devices.inventory import Absence, AcceleratorKind, Inventory, RuntimeStatus
from devices.probes.agreement import agree
from devices.probes.apple import probe_apple
from devices.probes.cpu import cores, cpu_limit, probe_cpu, sysctl
from devices.probes.finding import Finding
from devices.probes.intel_gpu import probe_intel_gpu
from devices.probes.intel_npu import probe_intel_npu
from devices.probes.jetson import jetson_board, probe_jetson
from devices.probes.jetson_modules import device_tree, identify
from devices.probes.memory import memory_bytes
from devices.probes.myriad import probe_myriad
from devices.probes.nvidia import probe_nvidia
from devices.probes.root import Root
from devices.probes.video_decoders import probe_video_decoders

_PROBES = (probe_jetson, probe_nvidia, probe_intel_gpu, probe_intel_npu, probe_myriad, probe_apple)


def probe(root: Root, worker_python: Path | None = None) -> Inventory:
    """Everything found under `root`, every family of accelerator either present or absent with a reason.

    Args:
        root: the machine.
        worker_python: the Python of run-times that this one cannot have, where there is one.
    """
    with ThreadPoolExecutor(max_workers=len(EVERY_ENGINE)) as pool:  # each waits for a child process
        own = [pool.submit(availability, name, root) for name in ENGINES]
        foreign = [pool.submit(foreign_availability, name, root, worker_python) for name in FOREIGN_ENGINES]
        inventory = _inventory(root, tuple(each.result() for each in (*own, *foreign)))
    has_cuda = any(each.kind is AcceleratorKind.NVIDIA_GPU for each in inventory.accelerators)
    return replace(inventory, decoders=probe_video_decoders(root, has_cuda=has_cuda))


def probe_hardware(root: Root) -> Inventory:
    """The same without run-times and video decoders, whose libraries take seconds to be asked."""
    return _inventory(root, ())


def _inventory(root: Root, runtimes: tuple[RuntimeStatus, ...]) -> Inventory:
    found = agree(root, _joined(tuple(look(root) for look in _PROBES)), runtimes)
    accelerators = (probe_cpu(root), *found.accelerators)
    return Inventory(
        machine=_machine(root),
        system=f"{root.system} {root.release}",
        python=root.python,
        memory_bytes=memory_bytes(root),
        cpu_limit=cpu_limit(root),
        accelerators=accelerators,
        runtimes=runtimes,
        notes=found.notes,
        architecture=root.architecture,
        absent=_absent(frozenset(each.kind for each in accelerators), found),
        cores=cores(root),
        jetson=jetson_board(root),
    )


def _joined(findings: tuple[Finding, ...]) -> Finding:
    return Finding(
        tuple(each for finding in findings for each in finding.accelerators),
        tuple(each for finding in findings for each in finding.absent),
        tuple(note for finding in findings for note in finding.notes),
    )


def _absent(present: frozenset[AcceleratorKind], found: Finding) -> tuple[Absence, ...]:
    """One reason a family, the first: two probes may look for one (a Jetson's GPU is not on the PCI bus)."""
    reasons: dict[AcceleratorKind, Absence] = {}
    for absence in found.absent:
        reasons.setdefault(absence.kind, absence)
    return tuple(absence for kind, absence in reasons.items() if kind not in present)


def _machine(root: Root) -> str:
    """The Jetson module, the Mac model, the board of the device tree or of DMI, else the architecture."""
    if identity := identify(root):
        return identity.text
    if root.system == "Darwin":
        return sysctl(root, "hw.model") or "Mac"
    dmi = (root.text(f"/sys/class/dmi/id/{name}") for name in ("sys_vendor", "product_name"))
    return device_tree(root, "model") or " ".join(text for text in dmi if text) or root.architecture
