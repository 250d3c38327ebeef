"""Apple's chip: its GPU and Neural Engine, and whether this process runs translated."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.cpu import sysctl
from devices.probes.finding import Finding
from devices.probes.root import Root

_KINDS = (AcceleratorKind.APPLE_NEURAL_ENGINE, AcceleratorKind.APPLE_GPU)


def probe_apple(root: Root) -> Finding:
    """The chip's GPU and Neural Engine; every Mac with Apple's own chip has both."""
    if root.system != "Darwin":
        return _absent("not a Mac")
    if sysctl(root, "hw.optional.arm64") != "1":
        return _absent("a Mac with an Intel processor")
    if sysctl(root, "sysctl.proc_translated") == "1":
        return _absent("this Python runs translated (Rosetta): install one built for arm64")
    chip = sysctl(root, "machdep.cpu.brand_string") or "Apple chip"
    return Finding(
        (
            Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, f"{chip} Neural Engine"),
            Accelerator(AcceleratorKind.APPLE_GPU, f"{chip} GPU"),
        )
    )


def _absent(reason: str) -> Finding:
    return Finding(absent=tuple(Absence(kind, reason) for kind in _KINDS))
