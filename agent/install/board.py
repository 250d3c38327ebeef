"""Which drop-ins of systemd/boards a machine needs, by what its probe found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import InstallError

OF_ACCELERATORS = {
    "intel_gpu": "render-node",
    "intel_npu": "intel-npu",
    "myriad": "myriad",
    "nvidia_gpu": "nvidia",
}
JETPACK_5, JETPACK_6, JETPACK_7 = "jetson-jetpack5", "jetson-jetpack6", "jetson-jetpack7"
# The last release lines of Jetson Linux of JetPack 5 and of JetPack 6.
LAST_L4T_OF_JETPACK_5 = 35
LAST_L4T_OF_JETPACK_6 = 36
# Thor has never had another than JetPack 7.
THOR = "tegra264"


def boards_of(probed: str, *, has_video_nodes: bool) -> tuple[str, ...]:
    """Names of drop-ins, in alphabetical order.

    Args:
        probed: what `sitewatch probe --json` printed.
        has_video_nodes: whether there is a /dev/video*.

    Raises:
        InstallError: that is no answer of a probe.
    """
    try:
        inventory = json.loads(probed)
        kinds = {accelerator["kind"] for accelerator in inventory["accelerators"]}
        nodes = [decoder["device"] for decoder in inventory["decoders"] if decoder["device"]]
        jetson = inventory["jetson"]
    except (ValueError, KeyError, TypeError) as error:
        raise InstallError(f"the probe gave no inventory ({error}); name the drop-ins: --board NAME") from error
    names = {OF_ACCELERATORS[kind] for kind in kinds & OF_ACCELERATORS.keys()}
    if jetson is not None:
        names = (names - {"nvidia"}) | {_of_jetson(jetson)}
    if jetson is None and any(str(node).startswith("/dev/dri/") for node in nodes):
        names.add("render-node")
    if has_video_nodes:
        names.add("usb-camera")
    return tuple(sorted(names))


def chosen_boards(wanted: str, folder: Path) -> tuple[str, ...]:
    """The drop-ins a person named, comma between them; `none` is none.

    Raises:
        InstallError: there is no such drop-in.
    """
    allowed = sorted(path.stem for path in folder.glob("*.conf"))
    names = tuple(name for name in wanted.split(",") if name and name != "none")
    for name in names:
        if name not in allowed:
            raise InstallError(f"--board {name}: no such drop-in; allowed: auto, none, {', '.join(allowed)}")
    return names


def _of_jetson(jetson: Mapping[str, Any]) -> str:
    line = str(jetson["l4t"] or "").partition(".")[0]
    if not line.isdecimal():
        return JETPACK_7 if jetson["soc"] == THOR else JETPACK_6
    if int(line) <= LAST_L4T_OF_JETPACK_5:
        return JETPACK_5
    return JETPACK_6 if int(line) <= LAST_L4T_OF_JETPACK_6 else JETPACK_7
