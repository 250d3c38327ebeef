"""NVIDIA Jetson: its GPU, its DLA cores, its release and power mode."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind, JetsonBoard
from devices.probes.cuda import CudaAnswer, ask_cuda
from devices.probes.dla import cores_here
from devices.probes.finding import Finding
from devices.probes.jetpack import jetpack_of, l4t_release, power_mode
from devices.probes.jetson_modules import Identity, device_tree, identify
from devices.probes.memory import memory_total_bytes
from devices.probes.root import Root

_FAMILIES = ("Jetson Nano", "Orin Nano", "Orin NX", "AGX Orin", "Xavier NX", "AGX Xavier", "AGX Thor")


def probe_jetson(root: Root) -> Finding:
    """The module's GPU and DLA cores, or why this is no Jetson."""
    identity = identify(root)
    if identity is None:
        return Finding(absent=(Absence(AcceleratorKind.DLA, _absence(root)),))
    l4t = l4t_release(root)
    driver = f"L4T {l4t}" if l4t else None
    gpu = _gpu(root, identity, driver, ask_cuda(root))
    dla = _dla(root, identity, l4t, has_cuda=not gpu.absent)
    return Finding((*gpu.accelerators, *dla.accelerators), (*gpu.absent, *dla.absent), _notes(root, identity, l4t))


def jetson_board(root: Root) -> JetsonBoard | None:
    """Which Jetson this is, or None where it is none."""
    identity = identify(root)
    if identity is None:
        return None
    l4t = l4t_release(root)
    module = identity.module
    return JetsonBoard(module.name, identity.part_number, module.chip.soc, l4t, jetpack_of(l4t), power_mode(root))


def _gpu(root: Root, identity: Identity, driver: str | None, cuda: CudaAnswer) -> Finding:
    """Its memory is the machine's; where CUDA's driver does not start here, it is none."""
    if cuda.problem:
        reason = f"the {identity.module.name}'s GPU cannot be used: {cuda.problem}"
        return Finding(absent=(Absence(AcceleratorKind.NVIDIA_GPU, reason),))
    chip = identity.module.chip
    name = f"{identity.text}, {chip.gpu} GPU"
    memory = memory_total_bytes(root)
    gpu = Accelerator(AcceleratorKind.NVIDIA_GPU, name, memory, driver=driver, capability=(chip.compute,))
    return Finding((gpu,))


def _dla(root: Root, identity: Identity, l4t: str | None, *, has_cuda: bool) -> Finding:
    cores, reason = cores_here(root, identity.module, l4t)
    if not identity.part_number:
        reason = "no part number tells the module, so nobody knows how many it has"
    elif cores and not has_cuda:
        cores, reason = 0, f"the {identity.module.name} has {cores}, but they are driven through CUDA: see its GPU"
    if not cores:
        return Finding(absent=(Absence(AcceleratorKind.DLA, reason),))
    driver = f"L4T {l4t}" if l4t else None
    name = f"{identity.module.name} DLA core"
    return Finding(
        tuple(Accelerator(AcceleratorKind.DLA, f"{name} {core}", driver=driver, index=core) for core in range(cores))
    )


def _absence(root: Root) -> str:
    compatible = [entry for entry in device_tree(root, "compatible").split("\0") if entry]
    if any("tegra" in entry for entry in compatible):
        return f"a Tegra of no module known here: {', '.join(compatible)}"
    if root.release.endswith("-tegra"):
        return "a Jetson's kernel, but no device tree: give the container /proc/device-tree"
    return "not a Jetson"


def _notes(root: Root, identity: Identity, l4t: str | None) -> tuple[str, ...]:
    notes = []
    board = device_tree(root, "model")
    if any(family in board and family not in identity.module.name for family in _FAMILIES):
        notes.append(f'the board calls itself "{board}", but the module is a {identity.text}')
    if not identity.part_number:
        notes.append("the device tree has no part number of a module known here")
    if l4t is None:
        notes.append("neither /etc/nv_tegra_release nor the package nvidia-l4t-core tells the release of Jetson Linux")
    return tuple(notes)
