"""Discrete NVIDIA GPUs: the driver first, then what CUDA shows this process; Jetson's own GPU is `jetson`'s."""

from __future__ import annotations

import re

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.cuda import CudaAnswer, CudaDevice, ask_cuda
from devices.probes.finding import Finding
from devices.probes.jetson_modules import identify
from devices.probes.nvidia_smi import list_gpus, said_by_nvidia_smi
from devices.probes.root import Root

_NVIDIA = "0x10de"
_DISPLAY = "0x03"  # PCI class of display controllers; a Tegra's root ports are NVIDIA's too


def probe_nvidia(root: Root) -> Finding:
    """Every GPU that CUDA shows this process, or why there is none."""
    if root.system != "Linux":
        return _absent("not a Linux machine")
    if identify(root) is not None:
        return _absent("no discrete NVIDIA GPU beside the Jetson's own")
    driver = loaded_driver(root)
    if driver is None:
        return _absent(_without_driver(root))
    cuda = ask_cuda(root)
    if not cuda.devices:
        return _absent(_without_devices(root, driver, cuda))
    found = tuple(_gpu(index, device, driver) for index, device in enumerate(cuda.devices))
    return Finding(found, notes=_hidden(root, len(found)))


def loaded_driver(root: Root) -> str | None:
    """From "NVRM version: NVIDIA UNIX ... Kernel Module  550.54.14  ..." of the open or closed driver."""
    found = re.search(r"NVRM version:.*?\s(\d+\.\d+(?:\.\d+)?)\s", root.text("/proc/driver/nvidia/version") or "")
    return f"nvidia {found[1]}" if found else None


def _gpu(index: int, device: CudaDevice, driver: str) -> Accelerator:
    return Accelerator(
        AcceleratorKind.NVIDIA_GPU,
        device.name,
        device.memory_bytes,
        driver,
        (device.compute,),
        index,
        device.bus.lower(),
    )


def _without_driver(root: Root) -> str:
    for device in root.matches("/sys/bus/pci/devices/*"):
        is_display = (root.text(f"{device}/class") or "").startswith(_DISPLAY)
        if is_display and root.text(f"{device}/vendor") == _NVIDIA:
            driver = root.properties(f"{device}/uevent").get("DRIVER")
            if driver in ("nouveau", "vfio-pci"):
                return f"an NVIDIA GPU is on the PCI bus, bound to {driver}: install NVIDIA's own driver for it"
            return "an NVIDIA GPU is on the PCI bus, but its driver is not loaded: install it, or modprobe nvidia"
    return "no NVIDIA GPU on the PCI bus"


def _without_devices(root: Root, driver: str, cuda: CudaAnswer) -> str:
    """CUDA's reason; nvidia-smi's words besides, which name version mismatches and lost cards."""
    reason = cuda.problem or "CUDA shows this process no device"
    if not root.matches("/dev/nvidia*"):
        return f"the driver ({driver}) is loaded, but there is no /dev/nvidia*: give the container the GPU (--gpus all)"
    words = said_by_nvidia_smi(root)
    return f"the driver ({driver}) is loaded, but {reason}" + (f"; nvidia-smi says: {words}" if words else "")


def _hidden(root: Root, shown: int) -> tuple[str, ...]:
    listed = len(list_gpus(root))
    if listed <= shown:
        return ()
    by = root.environment.get("CUDA_VISIBLE_DEVICES")
    why = f"CUDA_VISIBLE_DEVICES={by}" if by is not None else "the container or a MIG setting"
    return (f"nvidia-smi lists {listed} GPUs, CUDA shows this process {shown}: {why} hides the rest",)


def _absent(reason: str) -> Finding:
    return Finding(absent=(Absence(AcceleratorKind.NVIDIA_GPU, reason),))
