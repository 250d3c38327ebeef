"""Discrete NVIDIA GPUs on recorded machines: the driver first, then what CUDA shows."""

from __future__ import annotations

import sys

import pytest
from fakes.board import board

from devices.inventory import AcceleratorKind
from devices.probe import probe
from devices.probes.cuda import ask_cuda
from devices.probes.nvidia_smi import list_gpus
from devices.probes.root import CommandResult, this_machine

GPU = AcceleratorKind.NVIDIA_GPU


def test_one_card() -> None:
    """Name, memory, driver, instruction set and address."""
    gpu = probe(board("pc_nvidia")).accelerators[1]

    assert (gpu.name, gpu.memory_bytes, gpu.driver) == ("NVIDIA GeForce RTX 4060", 8215265280, "nvidia 560.35.03")
    assert (gpu.capability, gpu.index, gpu.address) == (("sm_89",), 0, "0000:01:00.0")


def test_two_cards_count_as_cuda_counts_them() -> None:
    """The faster one is CUDA's first, whatever slot it is in: an engine asks CUDA for a number."""
    gpus = probe(board("pc_two_nvidia_gpus")).accelerators[1:]

    assert [(gpu.index, gpu.name, gpu.address) for gpu in gpus] == [
        (0, "NVIDIA RTX A4000", "0000:05:00.0"),
        (1, "NVIDIA GeForce GTX 1050", "0000:01:00.0"),
    ]


def test_a_hidden_card_is_noted() -> None:
    """CUDA_VISIBLE_DEVICES leaves one of two; the note says so."""
    found = probe(board("pc_one_gpu_hidden"))

    assert [each.name for each in found.accelerators[1:]] == ["NVIDIA RTX A4000"]
    assert found.notes == ("nvidia-smi lists 2 GPUs, CUDA shows this process 1: CUDA_VISIBLE_DEVICES=1 hides the rest",)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bare_linux", "no NVIDIA GPU on the PCI bus"),
        ("pc_nouveau", "bound to nouveau: install NVIDIA's own driver"),
        ("pc_container_without_gpu", "there is no /dev/nvidia*: give the container the GPU (--gpus all)"),
        ("pc_container_without_libcuda", "libcuda.so.1 is not here"),
        ("pc_driver_mismatch", "restart the machine (CUDA error 803); nvidia-smi says: Failed to initialize NVML"),
        ("pc_nvidia_crashes", "loading libcuda.so.1 crashes: SIGSEGV"),
        ("pc_nvidia_in_container", "CUDA_VISIBLE_DEVICES= hides every GPU from this process"),
        ("agx_orin_jetpack6", ""),
    ],
)
def test_why_there_is_none(name: str, words: str) -> None:
    """Each kind of failure has a reason that says what to do; a Jetson's own GPU is none of these."""
    found = probe(board(name))
    reasons = [each.reason for each in found.absent if each.kind is GPU]

    assert len(reasons) == (1 if words else 0)
    assert all(words in reason for reason in reasons)


def test_a_jetsons_nvidia_smi_is_not_believed() -> None:
    """It names the GPU "Orin (nvgpu)" and nothing else: the one GPU is the module's."""
    root = board("orin_nano_super")
    gpus = [each for each in probe(root).accelerators if each.kind is GPU]

    assert list_gpus(root) == ({"index": "0", "name": "Orin (nvgpu)"},)
    assert [gpu.name for gpu in gpus] == ["Jetson Orin Nano 8 GB developer kit (p3767-0005), Ampere GPU"]


def test_the_question_itself_runs() -> None:
    """On a machine without the library the child says so, in words for a person."""
    answer = ask_cuda(this_machine(sys.executable))

    assert answer.devices or answer.problem


def test_an_unknown_code_of_cuda() -> None:
    """A code that is not in our table is still an answer."""
    root = board("pc_nvidia")
    object.__setattr__(root, "run", lambda _command, _deadline_s: CommandResult(0, '{"code": 46}\n'))

    assert ask_cuda(root).problem == "CUDA's driver refuses to start (CUDA error 46)"
