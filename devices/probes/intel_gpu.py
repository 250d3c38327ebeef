"""Intel GPUs, as the kernel's render nodes show them."""

from __future__ import annotations

from devices.inventory import Absence, Accelerator, AcceleratorKind
from devices.probes.device_node import refusal
from devices.probes.finding import Finding
from devices.probes.root import Root

_INTEL = "0x8086"
_DISPLAY = "0x03"
# Generations by PCI device id, as the kernel's i915 and xe drivers list them; the last digits say the variant.
_GENERATIONS = (
    ("46D", "UHD (Alder Lake-N)"),
    ("9A4", "Iris Xe (Tiger Lake)"),
    ("46", "Xe (Alder Lake)"),
    ("A7", "Xe (Raptor Lake)"),
    ("7D4", "Arc (Meteor Lake)"),
    ("7D5", "Arc (Meteor or Arrow Lake)"),
    ("7D6", "Xe (Arrow Lake)"),
    ("7DD", "Arc (Meteor or Arrow Lake)"),
    ("64", "Arc (Lunar Lake)"),
    ("B08", "Arc (Panther Lake)"),
    ("56", "Arc A"),
    ("E2", "Arc B"),
)


def probe_intel_gpu(root: Root) -> Finding:
    """Every Intel GPU this process may open, in the order of its render nodes, which is OpenVINO's."""
    found: list[Accelerator] = []
    refused: list[str] = []
    for node in intel_render_nodes(root):
        device = f"/dev/dri/{node.rsplit('/', 1)[-1]}"
        if not root.matches(device):
            refused.append(f"the kernel has {device}, this container has not: start it with --device /dev/dri")
        elif reason := refusal(root, device):
            refused.append(reason)
        else:
            found.append(_gpu(root, node, len(found)))
    if found:
        return Finding(tuple(found), notes=tuple(refused))
    return Finding(absent=(Absence(AcceleratorKind.INTEL_GPU, "; ".join(refused) or _absence(root)),))


def intel_render_nodes(root: Root) -> tuple[str, ...]:
    """The folders of Intel's render nodes in sysfs, in order."""
    nodes = root.matches("/sys/class/drm/renderD*")
    return tuple(node for node in nodes if root.text(f"{node}/device/vendor") == _INTEL)


def _gpu(root: Root, node: str, index: int) -> Accelerator:
    details = root.properties(f"{node}/device/uevent")
    number = details.get("PCI_ID", "of unknown id")
    device_id = number.rpartition(":")[2].upper()
    generation = next((name for prefix, name in _GENERATIONS if device_id.startswith(prefix)), "GPU")
    name = f"Intel {generation} {number}"
    return Accelerator(
        AcceleratorKind.INTEL_GPU, name, driver=details.get("DRIVER"), index=index, address=details.get("PCI_SLOT_NAME")
    )


def _absence(root: Root) -> str:
    if any(_is_intel_display(root, device) for device in root.matches("/sys/bus/pci/devices/*")):
        return (
            "an Intel GPU is on the PCI bus, but has no render node: its driver (i915 or xe) is not loaded, "
            "or this kernel is too old for it"
        )
    if root.matches("/sys/class/drm/renderD*"):
        return "the render nodes here belong to other GPUs than Intel's"
    return "no Intel GPU on the PCI bus" if root.system == "Linux" else "not a Linux machine"


def _is_intel_display(root: Root, device: str) -> bool:
    return (root.text(f"{device}/class") or "").startswith(_DISPLAY) and root.text(f"{device}/vendor") == _INTEL
