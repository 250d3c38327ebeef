"""Apple's chip: its GPU and Neural Engine, and whether this process runs translated or in a virtual machine."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.cpu import sysctl
from devices.probes.finding import Finding
from devices.probes.memory import memory_total_bytes
from devices.probes.root import Root

_ENGINE, _GPU = AcceleratorKind.APPLE_NEURAL_ENGINE, AcceleratorKind.APPLE_GPU
_VIRTUAL = (
    "this Mac is a virtual machine: it shows no Neural Engine of its own, so Core ML must list one before it is used"
)


def probe_apple(root: Root) -> Finding:
    """The chip's GPU and Neural Engine; every Mac with Apple's own chip has both."""
    if root.system != "Darwin":
        return _absent("not a Mac")
    if sysctl(root, "sysctl.proc_translated") == "1":
        return _absent("this Python runs translated (Rosetta): install one built for arm64")
    if sysctl(root, "hw.optional.arm64") != "1":
        return _absent("a Mac with an Intel processor has no Neural Engine, and its GPU is not used")
    chip = sysctl(root, "machdep.cpu.brand_string") or "Apple chip"
    gpu = Accelerator(_GPU, f"{chip} GPU", memory_total_bytes(root))
    if sysctl(root, "kern.hv_vmm_present") == "1":
        return Finding((gpu,), (Absence(_ENGINE, _VIRTUAL),))
    return Finding((Accelerator(_ENGINE, f"{chip} Neural Engine", memory_total_bytes(root)), gpu))


def _absent(reason: str) -> Finding:
    return Finding(absent=tuple(Absence(kind, reason) for kind in (_ENGINE, _GPU)))
