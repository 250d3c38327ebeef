"""Intel GPU, NPU and stick on recorded machines."""

from __future__ import annotations

import pytest
from fakes.board import board

from devices.inventory import AcceleratorKind
from devices.probe import probe

GPU, NPU, MYRIAD = AcceleratorKind.INTEL_GPU, AcceleratorKind.INTEL_NPU, AcceleratorKind.MYRIAD


def test_gpu_and_npu() -> None:
    """Both are found where their nodes may be opened and OpenVINO lists them."""
    found = probe(board("nuc_core_ultra")).accelerators

    assert [(each.kind, each.name, each.driver) for each in found[1:]] == [
        (GPU, "Intel Arc (Meteor or Arrow Lake) 8086:7D55", "xe"),
        (NPU, "Intel NPU (Meteor Lake)", "intel_vpu"),
    ]


def test_two_gpus_count_in_the_order_of_their_nodes() -> None:
    """As OpenVINO's GPU.0 and GPU.1."""
    found = [each for each in probe(board("pc_two_intel_gpus")).accelerators if each.kind is GPU]

    assert [(each.index, each.driver, each.address) for each in found] == [
        (0, "i915", "0000:00:02.0"),
        (1, "xe", "0000:03:00.0"),
    ]


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("nuc_gpu_without_runtime", GPU, "OpenVINO 2026.4.1 does not list GPU: install Intel's compute runtime"),
        ("nuc_not_in_render_group", GPU, "you are not in group render: sudo usermod -aG render $USER"),
        ("pc_ryzen_ai", GPU, "the render nodes here belong to other GPUs than Intel's"),
        ("nuc_not_in_render_group", NPU, "start it with --device /dev/accel"),
        ("nuc_npu_without_permission", NPU, "belongs to root alone: a udev rule must give it to group render"),
        ("nuc_npu_without_firmware", NPU, "its firmware is missing or refused"),
        ("nuc_npu_without_library", NPU, "OpenVINO 2026.4.1 does not list NPU: install level-zero"),
        ("pc_ryzen_ai", NPU, "/dev/accel belongs to another device (amdxdna)"),
        ("pc_nvidia_in_container", NPU, "/dev/accel belongs to another device (habanalabs)"),
        ("myriad_waiting", MYRIAD, "a MYRIAD X on USB waits to be booted; a Neural Compute Stick 2 and an OAK camera"),
        ("myriad_booted", MYRIAD, "is booted, so a program uses it already"),
        ("oak_camera", MYRIAD, "is a Luxonis OAK camera, which DepthAI drives: it is left alone"),
        ("myriad_first_generation", MYRIAD, "a first-generation Movidius stick is on USB"),
        ("nuc_n100", MYRIAD, "no Movidius device on USB"),
    ],
)
def test_why_there_is_none(name: str, kind: AcceleratorKind, words: str) -> None:
    """Each reason is one that a person can act on."""
    (reason,) = [each.reason for each in probe(board(name)).absent if each.kind is kind]

    assert words in reason
