"""What the kernel shows against what run-times list."""

from __future__ import annotations

import pytest
from fakes.board import board

from devices.inventory import AcceleratorKind, Availability, RuntimeStatus
from devices.probes.agreement import agree
from devices.probes.finding import Finding
from devices.probes.jetson import probe_jetson
from devices.probes.myriad import probe_myriad
from devices.probes.root import Root


def listing(name: str, version: str, *devices: str) -> RuntimeStatus:
    """A run-time that works and lists these."""
    return RuntimeStatus(name, version, Availability(usable=True, reason="lists some"), devices)


def reasons(finding: Finding) -> str:
    return " ".join([*(each.reason for each in finding.absent), *finding.notes])


def dla_cores(finding: Finding) -> int:
    return sum(each.kind is AcceleratorKind.DLA for each in finding.accelerators)


@pytest.mark.parametrize(
    ("name", "version", "devices", "cores", "reason"),
    [
        ("orin_nx_16gb", "10.3.0", ("GPU:0", "DLA:0", "DLA:1"), 2, ""),
        ("orin_nx_16gb", "10.3.0", (), 2, ""),
        ("orin_nx_16gb", "10.3.0", ("GPU:0",), 0, "TensorRT 10.3.0 lists no DLA core"),
        ("orin_nx_16gb", "10.3.0", ("GPU:0", "DLA:0"), 1, "TensorRT 10.3.0 lists 1 of 2 DLA cores"),
        ("orin_nx_16gb", "11.4.1", ("GPU:0",), 0, "from 11 on, only 11.4.1 on AGX Orin has"),
        ("agx_orin_jetpack722", "10.16.2", (), 0, "TensorRT 10.16.2 has no DLA on Jetson Linux 39.2.2"),
        ("agx_orin_jetpack722", "11.4.0", (), 0, "TensorRT 11.4.0 has no DLA"),
        ("agx_orin_jetpack722", "11.4.1", ("GPU:0", "DLA:0", "DLA:1"), 2, ""),
    ],
)
def test_dla_needs_a_tensorrt_that_has_it(
    name: str, version: str, devices: tuple[str, ...], cores: int, reason: str
) -> None:
    """By version where that decides, by its own list where it has one, else by the module's table."""
    root = board(name)
    found = agree(root, probe_jetson(root), [listing("tensorrt", version, *devices)])

    assert dla_cores(found) == cores
    assert reason in reasons(found)


def sticks(root: Root, *listed: str) -> list[str]:
    """The sticks claimed where a legacy OpenVINO lists these."""
    found = agree(root, probe_myriad(root), [listing("openvino_2022", "2022.3.2", "CPU", *listed)])
    return [each.name for each in found.accelerators]


def test_a_stick_is_claimed_by_the_run_time_that_boots_it() -> None:
    """Never by its id; and never where a camera runs DepthAI."""
    assert sticks(board("myriad_waiting")) == []
    assert sticks(board("myriad_waiting"), "MYRIAD") == ["Intel Movidius MYRIAD X (MYRIAD)"]
    assert sticks(board("oak_camera"), "MYRIAD") == []
