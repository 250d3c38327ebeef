"""Intel GPU, NPU and MYRIAD stick, as the kernel shows them."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.finding import Finding
from devices.probes.root import Root

_INTEL = "0x8086"
_MOVIDIUS = "03e7"
_MYRIAD_PRODUCTS = ("2485", "f63b")
_FIRST_STICK = "2150"


def probe_intel(root: Root) -> Finding:
    """Intel's GPU, NPU and stick, each found or absent with a reason."""
    findings = (_gpu(root), _npu(root), _myriad(root))
    return Finding(
        tuple(each for finding in findings for each in finding.accelerators),
        tuple(each for finding in findings for each in finding.absent),
        tuple(note for finding in findings for note in finding.notes),
    )


def _gpu(root: Root) -> Finding:
    found = []
    for node in root.matches("/sys/class/drm/renderD*"):
        if root.text(f"{node}/device/vendor") == _INTEL:
            details = root.properties(f"{node}/device/uevent")
            name = f"Intel GPU {details.get('PCI_ID', 'of unknown id')}"
            found.append(Accelerator(AcceleratorKind.INTEL_GPU, name, driver=details.get("DRIVER")))
    if found:
        return Finding(tuple(found))
    if not root.matches("/dev/dri/*"):
        reason = "no /dev/dri: the machine has no GPU driver, or the container was not given it"
    else:
        reason = "/dev/dri has no Intel render node"
    return Finding(absent=(Absence(AcceleratorKind.INTEL_GPU, reason),))


def _npu(root: Root) -> Finding:
    drivers = {
        node: root.properties(f"{node}/device/uevent").get("DRIVER", "none")
        for node in root.matches("/sys/class/accel/accel*")
    }
    found = tuple(
        Accelerator(AcceleratorKind.INTEL_NPU, f"Intel NPU {node.rsplit('/', 1)[-1]}", driver=driver)
        for node, driver in drivers.items()
        if driver == "intel_vpu"
    )
    if found:
        return Finding(found)
    if drivers:
        reason = f"/dev/accel belongs to another device ({', '.join(sorted(set(drivers.values())))})"
    elif root.matches("/sys/module/intel_vpu"):
        reason = "the intel_vpu driver is loaded and shows no device: its firmware may be missing (see dmesg)"
    else:
        reason = "no /dev/accel device"
    return Finding(absent=(Absence(AcceleratorKind.INTEL_NPU, reason),))


def _myriad(root: Root) -> Finding:
    """By USB id a stick and an OAK camera look the same, so it is told and never claimed."""
    vendors = root.matches("/sys/bus/usb/devices/*/idVendor")
    sticks = [vendor.rsplit("/", 1)[0] for vendor in vendors if root.text(vendor) == _MOVIDIUS]
    products = {root.text(f"{stick}/idProduct") for stick in sticks}
    if products & set(_MYRIAD_PRODUCTS):
        reason = "a Movidius device is plugged in; a MYRIAD stick and an OAK camera look alike, so it is left alone"
    elif _FIRST_STICK in products:
        reason = "a first-generation Movidius stick is plugged in; no OpenVINO since 2020 drives it"
    else:
        reason = "no Movidius device on USB"
    return Finding(absent=(Absence(AcceleratorKind.MYRIAD, reason),))
