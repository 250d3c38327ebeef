"""Which drop-ins a machine gets, on every recorded one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from fakes.board import BOARD_NAMES, board

from agent.errors import InstallError
from agent.install.board import boards_of, chosen_boards
from devices.probe import probe

DROP_INS = Path(__file__).resolve().parents[3] / "systemd" / "boards"
FOUND = {
    "agx_orin_jetpack6": "jetson-jetpack6",
    "agx_orin_jetpack72": "jetson-jetpack7",
    "agx_thor": "jetson-jetpack7",
    "agx_xavier": "jetson-jetpack5",
    "bare_linux": "",
    "jetson_nano": "jetson-jetpack5",
    "mac_mini_m2": "",
    "nuc_core_ultra": "intel-npu render-node",
    "nuc_gpu_without_runtime": "render-node",
    "nuc_n100": "render-node",
    "nuc_not_in_render_group": "render-node",
    "oak_camera": "",
    "orin_nano_jetpack5": "jetson-jetpack5",
    "orin_nano_super": "jetson-jetpack6",
    "orin_nx_jetpack722": "jetson-jetpack7",
    "orin_nx_without_release": "jetson-jetpack6",
    "pc_nvidia": "nvidia",
    "pc_two_intel_gpus": "render-node",
    "virtual_machine": "",
}


def told(name: str) -> str:
    """What `sitewatch probe --json` prints on a recorded machine."""
    return json.dumps(dataclasses.asdict(probe(board(name))), default=str)


@pytest.mark.parametrize("name", FOUND)
def test_a_machine_gets_what_its_devices_need(name: str) -> None:
    """No more and no less than the devices that the probe found."""
    assert " ".join(boards_of(told(name), has_video_nodes=False)) == FOUND[name]


def test_every_machine_is_understood_and_every_drop_in_is_for_one() -> None:
    """No recorded machine is too odd, and each drop-in exists and is somebody's; a stick's alone a person must name."""
    chosen = {name for machine in BOARD_NAMES for name in boards_of(told(machine), has_video_nodes=True)}

    assert chosen | {"myriad"} == {path.stem for path in DROP_INS.glob("*.conf")}


@pytest.mark.parametrize("said", ["", "Traceback", "{}", '{"accelerators": 3}'])
def test_what_is_no_inventory_is_refused(said: str) -> None:
    """With a way on: the drop-ins can be named."""
    with pytest.raises(InstallError, match="--board NAME"):
        boards_of(said, has_video_nodes=False)


def test_a_person_may_choose() -> None:
    """Names are checked against the drop-ins that are there."""
    assert chosen_boards("nvidia,usb-camera", DROP_INS) == ("nvidia", "usb-camera")
    assert chosen_boards("none", DROP_INS) == ()
    with pytest.raises(InstallError, match="no such drop-in; allowed: auto, none, intel-npu"):
        chosen_boards("nvidea", DROP_INS)
