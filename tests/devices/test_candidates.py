"""The ways to run a model on a machine."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fakes.board import board
from fakes.engine import CPU

from devices.candidates import candidates
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind, Availability, Inventory, RuntimeStatus
from devices.probe import probe

GPU = Accelerator(AcceleratorKind.INTEL_GPU, "Intel Iris Xe")


def machine(*devices: str) -> Inventory:
    """With a processor and an Intel GPU, and OpenVINO listing these."""
    openvino = RuntimeStatus("openvino", "2026.4.1", Availability(usable=True, reason="works"), devices)
    return Inventory("machine", "Linux", "3.11", None, 2.0, (CPU, GPU), (openvino,))


def test_an_unknown_name() -> None:
    """A run-time that does not exist is refused with those that do."""
    with pytest.raises(EngineUnavailable, match="no run-time called 'tensorflow'; it is one of auto, fastest"):
        candidates(machine("CPU"), "tensorflow")


def test_a_board_has_every_way_and_every_reason() -> None:
    """On an Orin NX each accelerator stands with each run-time that drives it; what is absent says so."""
    found = {each.name: each for each in candidates(probe(board("orin_nx_16gb")))}

    assert found["onnxruntime on cpu"].availability.usable
    assert not found["tensorrt on dla 1"].availability.usable
    assert found["apple_gpu"].availability.reason == "not a Mac"


def test_a_device_that_the_run_time_does_not_list() -> None:
    """The GPU is there, OpenVINO does not see it: no candidate, and the reason names the driver."""
    found = {each.name: each for each in candidates(machine("CPU"))}

    assert found["openvino on cpu"].availability.usable
    assert not found["openvino on intel_gpu"].availability.usable
    assert "openvino lists CPU, not GPU" in found["openvino on intel_gpu"].availability.reason


def test_the_second_of_a_kind_has_its_number() -> None:
    """Two cards of a kind are two candidates, told apart."""
    two = replace(machine("CPU", "GPU.0", "GPU.1"), accelerators=(CPU, GPU, replace(GPU, index=1)))
    names = [each.name for each in candidates(two) if each.kind is AcceleratorKind.INTEL_GPU]

    assert names[:2] == ["openvino on intel_gpu", "openvino on intel_gpu 1"]


def test_a_name_makes_the_others_unwanted() -> None:
    """They stay candidates with their true availability, and are not wanted."""
    found = candidates(machine("CPU"), "openvino")

    assert {each.is_wanted for each in found if each.runtime == "openvino"} == {True}
    assert {each.is_wanted for each in found if each.runtime == "onnxruntime"} == {False}
