"""DLA cores: usable where the module, the kernel, Jetson Linux and TensorRT agree."""

from __future__ import annotations

from collections.abc import Sequence

from devices.inventory import RuntimeStatus
from devices.probes.jetpack import at_least
from devices.probes.jetson_modules import JetsonModule
from devices.probes.root import Root

# JetPack 4 and 5, 6 and later, and the compatibility link beside them.
_NODES = (
    "/sys/devices/*host1x/*.nvdla[01]",
    "/sys/devices/platform/*host1x/*.nvdla[01]",
    "/sys/devices/platform/bus@0/*host1x/*.nvdla[01]",
)
_R39 = "39.0"
_R39_WITH_DLA = "39.2.2"
_TENSORRT_11 = "11.0"
_TENSORRT_11_WITH_DLA = "11.4.1"


def dla_nodes(root: Root) -> tuple[str, ...]:
    """The folders the kernel shows, one a core, in the cores' order."""
    by_name = {path.rsplit(".", 1)[-1]: path for pattern in _NODES for path in root.matches(pattern)}
    return tuple(by_name[name] for name in sorted(by_name))


def cores_here(root: Root, module: JetsonModule, l4t: str | None) -> tuple[int, str]:
    """How many cores module, kernel and Jetson Linux agree on, and why there are none."""
    nodes = len(dla_nodes(root))
    if module.dla_cores == 0:
        return 0, f"the {module.name} has none"
    if nodes == 0:
        return 0, f"the {module.name} has {module.dla_cores}, but the kernel shows no nvdla node: is its driver loaded?"
    if l4t is not None and at_least(l4t, _R39):
        if not _is_agx_orin(module):
            return 0, f"Jetson Linux {l4t} drives the DLA of AGX Orin only: JetPack 6 drives the {module.name}'s"
        if not at_least(l4t, _R39_WITH_DLA):
            return 0, f"Jetson Linux {l4t} has no DLA compiler: JetPack 7.2.2 with TensorRT 11.4.1 brings it back"
    return min(module.dla_cores, nodes), ""


def cores_of_tensorrt(module: JetsonModule, l4t: str | None, tensorrt: RuntimeStatus) -> tuple[int, str]:
    """How many cores the TensorRT on this machine can use, and why none; the table's number where it does not tell."""
    version = tensorrt.version or ""
    if at_least(version, _TENSORRT_11) and not (_is_agx_orin(module) and at_least(version, _TENSORRT_11_WITH_DLA)):
        return 0, f"TensorRT {version} has no DLA for the {module.name}: from 11 on, only 11.4.1 on AGX Orin has"
    if l4t is not None and at_least(l4t, _R39) and not at_least(version, _TENSORRT_11_WITH_DLA):
        return 0, f"TensorRT {version} has no DLA on Jetson Linux {l4t}: install 11.4.1"
    if not _tells_devices(tensorrt.devices):
        return module.dla_cores, ""
    listed = sum(device.upper().startswith("DLA") for device in tensorrt.devices)
    return listed, "" if listed else f"TensorRT {version} lists no DLA core (num_DLA_cores is 0)"


def _tells_devices(devices: Sequence[str]) -> bool:
    """Whether TensorRT was asked for its devices, "GPU:0", "DLA:0": without a GPU it was not."""
    return any(device.upper().startswith(("GPU", "DLA")) for device in devices)


def _is_agx_orin(module: JetsonModule) -> bool:
    return "AGX Orin" in module.name
