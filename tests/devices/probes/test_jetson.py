"""Jetson modules, releases, power modes and DLA cores, on recorded machines."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.board import board

from devices.inventory import AcceleratorKind, Inventory
from devices.probe import probe
from devices.probes.jetpack import jetpack_of

DLA, GPU = AcceleratorKind.DLA, AcceleratorKind.NVIDIA_GPU

# Board: module, Jetson Linux, JetPack, power mode, DLA cores, the GPU's instruction set.
MODULES = {
    "jetson_nano": ("Jetson Nano (p3448-0000)", "32.7.1", "4.6.1", "MAXN", 0, "sm_53"),
    "nano_by_board_ids": ("Jetson Nano 2 GB (p3448-0003)", "32.6.1", "4.6", "5W", 0, "sm_53"),
    "jetson_tx2": ("Jetson TX2 (p3310-1000)", "32.7.1", "4.6.1", "MAXP_CORE_ARM", 0, "sm_62"),
    "xavier_nx": ("Jetson Xavier NX 8 GB (p3668-0001)", "35.4.1", "5.1.2", "MODE_15W_6CORE", 2, "sm_72"),
    "agx_xavier": ("Jetson AGX Xavier 32 GB (p2888-0001)", "32.7.1", "4.6.1", "MODE_30W_ALL", 2, "sm_72"),
    "orin_nano_jetpack5": ("Jetson Orin Nano 8 GB developer kit (p3767-0005)", "35.3.1", "5.1.1", "15W", 0, "sm_87"),
    "orin_nano_super": ("Jetson Orin Nano 8 GB developer kit (p3767-0005)", "36.4.3", "6.2", "MAXN_SUPER", 0, "sm_87"),
    "orin_nano_wrong_model": ("Jetson Orin Nano 8 GB (p3767-0003)", "36.4.3", "6.2", "25W", 0, "sm_87"),
    "orin_nano_package_only": ("Jetson Orin Nano 4 GB (p3767-0004)", "36.4.7", "6.2.1", "10W", 0, "sm_87"),
    "orin_nx_16gb": ("Jetson Orin NX 16 GB (p3767-0000)", "36.5.0", "6.2.2", "MODE_25W", 2, "sm_87"),
    "orin_nx_8gb": ("Jetson Orin NX 8 GB (p3767-0001)", "36.4.0", "6.1", "15W", 1, "sm_87"),
    "orin_nx_without_release": ("Jetson Orin NX 16 GB (p3767-0000)", None, None, None, 2, "sm_87"),
    "orin_nx_jetpack722": ("Jetson Orin NX 16 GB (p3767-0000)", "39.2.2", "7.2.2", "MODE_40W", 0, "sm_87"),
    "agx_orin_jetpack6": ("Jetson AGX Orin 64 GB (p3701-0005)", "36.3.0", "6.0", "MAXN", 2, "sm_87"),
    "agx_orin_jetpack72": ("Jetson AGX Orin 64 GB (p3701-0005)", "39.2.0", "7.2", "MAXN", 0, "sm_87"),
    "agx_orin_jetpack722": ("Jetson AGX Orin 64 GB (p3701-0005)", "39.2.2", "7.2.2", "MAXN", 2, "sm_87"),
    "agx_thor": ("Jetson AGX Thor (p3834-0008)", "38.2.0", "7.0", "120W", 0, "sm_110"),
    "tegra_of_unknown_module": ("Jetson with tegra234", "36.4.4", "6.2.1", None, 0, "sm_87"),
}


def absence(found: Inventory, kind: AcceleratorKind) -> str:
    return next(each.reason for each in found.absent if each.kind is kind)


@pytest.mark.parametrize("name", MODULES)
def test_a_module(name: str) -> None:
    """Its name by part number, its release and JetPack, its power mode, its DLA cores, its GPU with shared memory."""
    machine, l4t, jetpack, mode, dla, compute = MODULES[name]
    found = probe(board(name))
    gpu = next(each for each in found.accelerators if each.kind is GPU)

    assert found.machine == machine
    assert found.jetson is not None
    assert (found.jetson.l4t, found.jetson.jetpack, found.jetson.power_mode) == (l4t, jetpack, mode)
    assert [each.index for each in found.accelerators if each.kind is DLA] == list(range(dla))
    assert gpu.capability == (compute,)
    assert gpu.memory_bytes == found.memory_bytes


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("orin_nano_super", "the Jetson Orin Nano 8 GB developer kit has none"),
        ("agx_thor", "the Jetson AGX Thor has none"),
        ("agx_orin_jetpack72", "Jetson Linux 39.2.0 has no DLA compiler: JetPack 7.2.2 with TensorRT 11.4.1 brings it"),
        ("orin_nx_jetpack722", "Jetson Linux 39.2.2 drives the DLA of AGX Orin only"),
        ("tegra_of_unknown_module", "no part number tells the module"),
        ("orin_in_bare_container", "the Jetson AGX Orin 32 GB has 2, but they are driven through CUDA"),
        ("nuc_n100", "not a Jetson"),
    ],
)
def test_why_there_is_no_dla(name: str, reason: str) -> None:
    """Module, Jetson Linux or container: each has its own reason."""
    assert absence(probe(board(name)), DLA).startswith(reason)


def test_nodes_that_are_missing() -> None:
    """A module with DLA whose kernel shows no node: the driver is what to look at."""
    root = board("orin_nx_16gb")
    without = replace(root, files={path: text for path, text in root.files.items() if "nvdla" not in path})

    assert "the kernel shows no nvdla node" in absence(probe(without), DLA)


def test_a_container_without_nvidias_runtime() -> None:
    """The module is known, the GPU cannot be used, and what to start the container with is said."""
    found = probe(board("orin_in_bare_container"))

    assert found.machine == "Jetson AGX Orin 32 GB (p3701-0004)"
    assert "--runtime nvidia" in absence(found, GPU)


def test_a_board_with_the_wrong_name() -> None:
    """The carrier's name is noted and not believed."""
    (note,) = probe(board("orin_nano_wrong_model")).notes

    assert note.startswith('the board calls itself "NVIDIA Jetson Orin NX Engineering Reference Developer Kit Super"')
    assert note.endswith("but the module is a Jetson Orin Nano 8 GB (p3767-0003)")


def test_a_jetson_kernel_without_a_device_tree() -> None:
    """A container on a Jetson that was not given the device tree is told what it lacks."""
    root = replace(board("bare_linux"), release="5.15.148-tegra")

    assert absence(probe(root), DLA) == "a Jetson's kernel, but no device tree: give the container /proc/device-tree"


@pytest.mark.parametrize(
    ("l4t", "jetpack"),
    [("35.5.0", "5.1.3"), ("35.6.1", "5.1.4 or later"), ("36.4.30", None), ("40.1.0", None), (None, None)],
)
def test_jetpack_of_a_release(l4t: str | None, jetpack: str | None) -> None:
    """Part by part, so 36.4.30 is not 36.4.3; what we do not know stays unknown."""
    assert jetpack_of(l4t) == jetpack
