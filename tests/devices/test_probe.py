"""The probe on recorded machines, and once on the one that runs the tests."""

from __future__ import annotations

import sys

import pytest
from fakes.board import BOARD_NAMES, board

from devices.inventory import AcceleratorKind, DecoderKind, Inventory
from devices.probe import probe, probe_hardware
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
    assert names(found) == ["Intel(R) N100", "Intel UHD (Alder Lake-N) 8086:46D1"]
    assert found.accelerators[0].capability == ("sse4_2", "avx2", "avx_vnni")
    assert found.accelerators[1].driver == "i915"
    assert (found.cpu_limit, found.cores) == (3.0, 4)
    assert found.memory_bytes == 4 * GIB
    assert runtime_reason(found, "openvino") == "lists CPU, GPU"
    assert found.jetson is None


def test_a_raspberry_pi() -> None:
    """A board without any accelerator; a run-time that crashes and one that lacks a library are told apart."""
    found = probe(board("raspberry_pi_5"))

    assert found.machine == "Raspberry Pi 5 Model B Rev 1.0"
    assert names(found) == ["Cortex-A76"]
    assert found.accelerators[0].capability == ("neon", "neon_fp16", "neon_dotprod")
    assert found.cpu_limit == 4.0
    assert runtime_reason(found, "openvino") == "importing it crashes: SIGILL"
    assert "libgomp.so.1: cannot open shared object file" in runtime_reason(found, "onnxruntime")


def test_a_container_with_old_cgroups() -> None:
    """Limits of cgroup version 1, an affinity mask, a run-time that hangs."""
    found = probe(board("pc_nvidia_in_container"))

    assert names(found) == ["AMD EPYC 9354 32-Core Processor"]
    assert found.accelerators[0].capability == ("sse4_2", "avx2", "avx512", "avx512_vnni", "avx512_bf16")
    assert (found.cpu_limit, found.cores) == (2.5, 16)
    assert found.memory_bytes == 2 * GIB
    assert runtime_reason(found, "openvino") == "importing it hangs: no answer within 30 s"


def test_a_mac_mini() -> None:
    """Apple's chip has a Neural Engine and a GPU, told by sysctl alone, and both share the memory."""
    found = probe(board("mac_mini_m2"))

    assert found.machine == "Mac14,3"
    assert names(found) == ["Apple M2", "Apple M2 Neural Engine", "Apple M2 GPU"]
    assert (found.cpu_limit, found.memory_bytes) == (8.0, 16 * GIB)
    assert {each.memory_bytes for each in found.accelerators[1:]} == {16 * GIB}
    assert absence(found, AcceleratorKind.DLA) == "not a Jetson"


@pytest.mark.parametrize(
    ("name", "words", "gpu"),
    [
        ("mac_rosetta", "this Python runs translated (Rosetta): install one built for arm64", False),
        ("mac_in_vm", "this Mac is a virtual machine", True),
        ("mac_intel", "a Mac with an Intel processor has no Neural Engine", False),
    ],
)
def test_macs_whose_neural_engine_is_not_for_us(name: str, words: str, *, gpu: bool) -> None:
    """Rosetta, a virtual machine, an Intel processor: each has its own reason."""
    found = probe(board(name))

    assert absence(found, AcceleratorKind.APPLE_NEURAL_ENGINE).startswith(words)
    assert (AcceleratorKind.APPLE_GPU in {each.kind for each in found.accelerators}) is gpu


def test_a_machine_that_tells_nothing() -> None:
    """With no readable file and no run-time there is still a processor, and a reason for everything else."""
    found = probe(board("bare_linux"))

    assert names(found) == ["riscv64 processor"]
    assert (found.machine, found.cpu_limit, found.memory_bytes) == ("riscv64", 1.0, None)
    assert not any(status.availability.usable for status in found.runtimes)


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_every_family_is_present_or_absent_with_a_reason(name: str) -> None:
    """No family of accelerator or decoder goes unmentioned on any board, and none is both there and not."""
    found = probe(board(name))
    present = {each.kind for each in found.accelerators}
    absent = [each.kind for each in found.absent]

    assert present | set(absent) == set(AcceleratorKind) - {AcceleratorKind.REMOTE}  # no part of a machine
    assert not present & set(absent)
    assert len(absent) == len(set(absent))
    assert all(each.reason for each in found.absent)
    assert [each.kind for each in found.decoders] == list(DecoderKind)
    assert all(each.availability.reason for each in found.decoders)


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_devices_of_a_kind_count_from_zero(name: str) -> None:
    """The numbers of each kind are 0, 1, ... in order."""
    numbers: dict[AcceleratorKind, list[int]] = {}
    for each in probe(board(name)).accelerators:
        numbers.setdefault(each.kind, []).append(each.index)

    assert all(indexes == list(range(len(indexes))) for indexes in numbers.values())


def test_hardware_alone() -> None:
    """Without run-times the same devices are found, less what only a run-time can deny."""
    hardware = probe_hardware(board("nuc_gpu_without_runtime"))

    assert (hardware.runtimes, hardware.decoders) == ((), ())
    assert AcceleratorKind.INTEL_GPU in {each.kind for each in hardware.accelerators}


def test_this_machine() -> None:
    """The machine that runs the tests has a processor, memory and ONNX Runtime."""
    found = probe(this_machine(sys.executable))

    assert found.accelerators[0].kind is AcceleratorKind.CPU
    assert found.cpu_limit > 0
    assert found.memory_bytes is not None
    assert next(status for status in found.runtimes if status.name == "onnxruntime").availability.usable
