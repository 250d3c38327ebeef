"""Intel's NPU. The kernel's accel class is shared: what drives a node decides whose it is."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.device_node import refusal
from devices.probes.finding import Finding
from devices.probes.root import Root

DRIVER = "intel_vpu"
# PCI device ids of the kernel's intel_vpu driver.
_GENERATIONS = {
    "0x7d1d": "Meteor Lake",
    "0xad1d": "Arrow Lake",
    "0x643e": "Lunar Lake",
    "0xb03e": "Panther Lake",
    "0xfd3e": "Wildcat Lake",
    "0xd71d": "Nova Lake",
}


def probe_intel_npu(root: Root) -> Finding:
    """The NPU this process may open, or why there is none."""
    found: list[Accelerator] = []
    refused: list[str] = []
    for node in npu_nodes(root):
        device = f"/dev/accel/{node.rsplit('/', 1)[-1]}"
        if not root.matches(device):
            refused.append(f"the kernel has {device}, this container has not: start it with --device /dev/accel")
        elif reason := refusal(root, device):
            refused.append(reason)
        else:
            generation = _GENERATIONS.get(root.text(f"{node}/device/device") or "", "")
            name = f"Intel NPU ({generation})" if generation else "Intel NPU"
            found.append(Accelerator(AcceleratorKind.INTEL_NPU, name, driver=DRIVER, index=len(found)))
    if found:
        return Finding(tuple(found), notes=tuple(refused))
    return Finding(absent=(Absence(AcceleratorKind.INTEL_NPU, "; ".join(refused) or _absence(root)),))


def npu_nodes(root: Root) -> tuple[str, ...]:
    """The folders of Intel's NPUs in sysfs, in order."""
    nodes = root.matches("/sys/class/accel/accel*")
    return tuple(node for node in nodes if _driver(root, node) == DRIVER)


def _driver(root: Root, node: str) -> str:
    return root.properties(f"{node}/device/uevent").get("DRIVER", "no driver")


def _absence(root: Root) -> str:
    devices = root.matches("/sys/bus/pci/devices/*")
    on_bus = [device for device in devices if root.text(f"{device}/device") in _GENERATIONS]
    if on_bus and root.matches("/sys/module/intel_vpu"):
        return (
            "the NPU's driver (intel_vpu) is loaded and shows no device: its firmware is missing or refused; "
            "see dmesg, and install intel-fw-npu of Intel's linux-npu-driver"
        )
    if on_bus:
        return "an Intel NPU is on the PCI bus, but its driver is not loaded: modprobe intel_vpu (Linux 6.6 or later)"
    if others := {_driver(root, node) for node in root.matches("/sys/class/accel/accel*")}:
        return f"/dev/accel belongs to another device ({', '.join(sorted(others))})"
    return "no Intel NPU on the PCI bus" if root.system == "Linux" else "not a Linux machine"
