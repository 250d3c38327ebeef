"""The probe on recorded machines, and once on the one that runs the tests."""

from __future__ import annotations

import sys

import pytest
from fakes.board import BOARDS, board

from devices.inventory import AcceleratorKind, Inventory
from devices.probe import probe
from devices.probes.root import this_machine

GIB = 1 << 30


def absence(inventory: Inventory, kind: AcceleratorKind) -> str:
    return next(each.reason for each in inventory.absent if each.kind is kind)


def names(inventory: Inventory) -> list[str]:
    return [each.name for each in inventory.accelerators]


def runtime_reason(inventory: Inventory, name: str) -> str:
    return next(each.availability.reason for each in inventory.runtimes if each.name == name)


def test_a_nuc() -> None:
    """An N100 NUC: its instructions, its GPU, the limits that systemd set on the service and on a slice above."""
    found = probe(board("nuc_n100"))

    assert found.machine == "Intel(R) Client Systems NUC11ATKC2"
    assert names(found) == ["Intel(R) N100", "Intel GPU 8086:46D1"]
    assert found.accelerators[0].capability == ("sse4_2", "avx2", "avx_vnni")
    assert found.accelerators[1].driver == "i915"
    assert found.cpu_limit == 3.0
    assert found.memory_bytes == 4 * GIB
    assert [status.availability.usable for status in found.runtimes] == [True, True]
    assert absence(found, AcceleratorKind.INTEL_NPU) == "no /dev/accel device"
    assert absence(found, AcceleratorKind.MYRIAD) == "no Movidius device on USB"


def test_an_orin_nano_that_calls_itself_orin_nx() -> None:
    """The module is told by its part number; the carrier's wrong name is noted; an Orin Nano has no DLA."""
    found = probe(board("orin_nano_wrong_model"))

    assert found.machine == "Jetson Orin Nano 8 GB (p3767-0003)"
    assert names(found) == ["Cortex-A78AE", "Jetson Orin Nano 8 GB (p3767-0003), Ampere GPU"]
    assert found.accelerators[0].capability == ("neon", "neon_fp16", "neon_dotprod")
    assert found.accelerators[1].driver == "L4T 36.4.3"
    assert absence(found, AcceleratorKind.DLA) == "the Jetson Orin Nano 8 GB has none"
    assert "but the module is a Jetson Orin Nano 8 GB (p3767-0003)" in found.notes[0]
    assert AcceleratorKind.NVIDIA_GPU not in {each.kind for each in found.absent}
    assert runtime_reason(found, "openvino") == "not installed in this Python: pip install 'sitewatch[intel]'"


def test_an_orin_nx_has_two_dla_cores() -> None:
    """DLA cores are those of the module's table that the system also shows."""
    found = probe(board("orin_nx_16gb"))

    assert found.machine == "Jetson Orin NX 16 GB (p3767-0000)"
    assert names(found)[2:] == ["Jetson Orin NX 16 GB DLA core 0", "Jetson Orin NX 16 GB DLA core 1"]
    assert found.notes == ()


def test_a_raspberry_pi() -> None:
    """A board without any accelerator; a run-time that crashes and one that lacks a library are told apart."""
    found = probe(board("raspberry_pi_5"))

    assert found.machine == "Raspberry Pi 5 Model B Rev 1.0"
    assert names(found) == ["Cortex-A76"]
    assert found.cpu_limit == 4.0
    assert absence(found, AcceleratorKind.INTEL_GPU) == "/dev/dri has no Intel render node"
    assert runtime_reason(found, "openvino") == "importing it crashes: SIGILL"
    assert "libgomp.so.1: cannot open shared object file" in runtime_reason(found, "onnxruntime")


def test_a_pc_with_an_nvidia_card_in_a_container() -> None:
    """Old cgroups, an affinity mask, a hidden GPU, a foreign accel device, a stick that may be a camera, a hang."""
    found = probe(board("pc_nvidia_in_container"))

    assert names(found) == ["AMD EPYC 9354 32-Core Processor", "NVIDIA L4"]
    assert found.accelerators[1].driver == "nvidia 550.54.14"
    assert found.cpu_limit == 2.5
    assert found.memory_bytes == 2 * GIB
    assert found.notes == ("CUDA_VISIBLE_DEVICES hides the NVIDIA GPUs from this process",)
    assert absence(found, AcceleratorKind.INTEL_NPU) == "/dev/accel belongs to another device (habanalabs)"
    assert "OAK camera look alike" in absence(found, AcceleratorKind.MYRIAD)
    assert runtime_reason(found, "openvino") == "importing it hangs: no answer within 30 s"


def test_a_mac_mini() -> None:
    """Apple's chip has a Neural Engine and a GPU, told by sysctl alone."""
    found = probe(board("mac_mini_m2"))

    assert found.machine == "Mac14,3"
    assert names(found) == ["Apple M2", "Apple M2 Neural Engine", "Apple M2 GPU"]
    assert (found.cpu_limit, found.memory_bytes) == (8.0, 16 * GIB)
    assert absence(found, AcceleratorKind.DLA) == "not a Jetson"


def test_a_machine_that_tells_nothing() -> None:
    """With no readable file and no run-time there is still a processor, and a reason for everything else."""
    found = probe(board("bare_linux"))

    assert names(found) == ["riscv64 processor"]
    assert (found.machine, found.cpu_limit, found.memory_bytes) == ("riscv64", 1.0, None)
    assert not any(status.availability.usable for status in found.runtimes)


@pytest.mark.parametrize("name", sorted(path.name for path in BOARDS.iterdir()))
def test_every_family_is_present_or_absent_with_a_reason(name: str) -> None:
    """No family of accelerator goes unmentioned on any board, and none is both there and not."""
    found = probe(board(name))
    present = {each.kind for each in found.accelerators}
    absent = [each.kind for each in found.absent]

    assert present | set(absent) == set(AcceleratorKind)
    assert not present & set(absent)
    assert len(absent) == len(set(absent))
    assert all(each.reason for each in found.absent)


def test_this_machine() -> None:
    """The machine that runs the tests has a processor, memory and ONNX Runtime."""
    found = probe(this_machine(sys.executable))

    assert found.accelerators[0].kind is AcceleratorKind.CPU
    assert found.cpu_limit > 0
    assert found.memory_bytes is not None
    assert next(status for status in found.runtimes if status.name == "onnxruntime").availability.usable
