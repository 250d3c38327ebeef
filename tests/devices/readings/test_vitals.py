"""What devices tell of themselves, on recorded machines."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.board import BOARD_NAMES, board

from devices.inventory import Accelerator, AcceleratorKind
from devices.probe import probe
from devices.probes.root import CommandResult, this_machine
from devices.readings.reading import Quantity, Trouble, Vitals
from devices.readings.vitals import read_vitals

Q = Quantity
MIB = 1 << 20


def vitals_of(name: str) -> Vitals:
    root = board(name)
    return read_vitals(root, probe(root).accelerators)


@pytest.mark.parametrize(
    ("name", "quantity", "device", "value"),
    [
        ("orin_nano_super", Q.UTILISATION, "nvidia_gpu0", 0.614),
        ("orin_nano_super", Q.TEMPERATURE_CELSIUS, "cpu-thermal", 51.218),
        ("orin_nano_super", Q.THROTTLE_MARGIN_CELSIUS, "cpu-thermal", 99.0 - 51.218),
        ("orin_nano_super", Q.TEMPERATURE_CELSIUS, "cv0-thermal", None),
        ("orin_nano_super", Q.POWER_WATTS, "VDD_IN", 5.040 * 2.104),
        ("orin_nx_16gb", Q.IS_ACTIVE, "dla0", 1.0),
        ("orin_nx_16gb", Q.IS_ACTIVE, "dla1", 0.0),
        ("orin_nx_16gb", Q.TEMPERATURE_CELSIUS, "cv0-thermal", 50.406),
        ("orin_nano_jetpack5", Q.TEMPERATURE_CELSIUS, "CV0-therm", None),
        ("orin_nx_without_release", Q.TEMPERATURE_CELSIUS, "cpu-thermal", None),
        ("orin_nx_without_release", Q.TEMPERATURE_CELSIUS, "gpu-thermal", None),
        ("orin_nx_without_release", Q.TEMPERATURE_CELSIUS, "soc0-thermal", 44.562),
        ("jetson_nano", Q.UTILISATION, "nvidia_gpu0", 0.437),
        ("jetson_nano", Q.POWER_WATTS, "POM_5V_IN", 2.834),
        ("jetson_nano", Q.TEMPERATURE_CELSIUS, "CPU-therm", 37.5),
        ("jetson_nano", Q.TEMPERATURE_CELSIUS, "PMIC-Die", None),
        ("jetson_nano", Q.TEMPERATURE_CELSIUS, "thermal-fan-est", None),
        ("agx_thor", Q.UTILISATION, "nvidia_gpu0", 0.17),
        ("agx_thor", Q.MEMORY_USED_BYTES, "nvidia_gpu0", 508 * MIB),
        ("agx_thor", Q.TEMPERATURE_CELSIUS, "gpu-thermal", None),
        ("pc_nvidia", Q.UTILISATION, "nvidia_gpu0", 0.87),
        ("pc_nvidia", Q.MEMORY_USED_BYTES, "nvidia_gpu0", 2210 * MIB),
        ("pc_nvidia", Q.IS_THROTTLED, "nvidia_gpu0", 1.0),
        ("pc_nvidia", Q.POWER_WATTS, "nvidia_gpu0", 114.2),
        ("pc_nvidia", Q.TEMPERATURE_CELSIUS, "cpu", 61.25),
        ("pc_two_nvidia_gpus", Q.MEMORY_USED_BYTES, "nvidia_gpu0", 4120 * MIB),
        ("pc_two_nvidia_gpus", Q.POWER_WATTS, "nvidia_gpu1", None),
        ("pc_one_gpu_hidden", Q.MEMORY_USED_BYTES, "nvidia_gpu0", 4120 * MIB),
        ("pc_one_gpu_hidden", Q.MEMORY_USED_BYTES, "nvidia_gpu1", None),
        ("nuc_core_ultra", Q.BUSY_SECONDS, "intel_npu0", 73.5),
        ("nuc_core_ultra", Q.MEMORY_USED_BYTES, "intel_npu0", 256 * MIB),
        ("nuc_n100", Q.BUSY_SECONDS, "intel_gpu0", 3.0),
        ("nuc_n100", Q.MEMORY_USED_BYTES, "intel_gpu0", 64 * MIB),
        ("nuc_n100", Q.BUSY_SECONDS, "cpu", 15.2),
        ("nuc_n100", Q.THROTTLES, "cpu", 12.0),
        ("nuc_n100", Q.THROTTLE_MARGIN_CELSIUS, "x86_pkg_temp", 59.0),
        ("pc_ryzen_ai", Q.TEMPERATURE_CELSIUS, "cpu", 52.375),
        ("raspberry_pi_5", Q.THROTTLE_MARGIN_CELSIUS, "cpu-thermal", 61.35),
        ("raspberry_pi_5", Q.MEMORY_TOTAL_BYTES, "memory", 8245744 * 1024),
    ],
)
def test_a_number(name: str, quantity: Quantity, device: str, value: float | None) -> None:
    """In its unit, under its device's name; what is powered down, empty, missing or no sensor tells nothing."""
    told = vitals_of(name).value(quantity, device)

    assert told == (None if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("name", "mode"), [("orin_nano_super", "MAXN_SUPER"), ("orin_nx_16gb", "MODE_25W"), ("nuc_n100", None)]
)
def test_the_power_mode(name: str, mode: str | None) -> None:
    """As nvpmodel names it, whatever it complains of before."""
    assert vitals_of(name).power_mode == mode


@pytest.mark.parametrize("name", BOARD_NAMES)
def test_no_number_comes_twice(name: str) -> None:
    """One a quantity and device, and no board is in trouble."""
    vitals = vitals_of(name)
    keys = [(each.quantity, each.device) for each in vitals.readings]

    assert len(keys) == len(set(keys))
    assert vitals.troubles == ()


def test_an_nvidia_smi_that_hangs_is_trouble_of_its_own() -> None:
    """The other sources still tell, and it is asked once, not again with fewer fields."""
    asked: list[str] = []

    def hang(command: tuple[str, ...], _deadline_s: float) -> CommandResult:
        asked.append(command[0])
        return CommandResult(None, errors="no answer within 5 s")

    root = board("pc_nvidia")
    vitals = read_vitals(replace(root, run=hang), probe(root).accelerators)

    assert vitals.troubles == (Trouble("nvidia-smi", "no answer within 5 s"),)
    assert vitals.value(Q.TEMPERATURE_CELSIUS, "cpu") == 61.25
    assert asked == ["nvidia-smi"]


def test_a_file_that_nobody_expects_costs_its_own_source() -> None:
    """Numbers that are none are trouble of that source; the others still tell."""
    root = board("nuc_n100")
    strange = replace(root, files={**root.files, "/proc/stat": "cpu0 one two three four five six seven eight"})
    vitals = read_vitals(strange, probe(root).accelerators)

    assert [trouble.source for trouble in vitals.troubles] == ["processor"]
    assert vitals.value(Q.TEMPERATURE_CELSIUS, "x86_pkg_temp") == 46.0


def test_a_zone_that_is_powered_down(tmp_path: Path) -> None:
    """A read that would have to wait (EAGAIN) tells no temperature; a FIFO that nobody fills stands for it."""
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cv0-thermal\n")
    os.mkfifo(zone / "temp")
    reader = os.open(zone / "temp", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(zone / "temp", os.O_WRONLY)
    try:
        vitals = read_vitals(replace(this_machine(sys.executable), path=tmp_path), ())
    finally:
        os.close(writer)
        os.close(reader)

    assert vitals == Vitals()


def test_this_machine() -> None:
    """Where there is a procfs, the memory in use is told, and is less than the whole."""
    accelerators = (Accelerator(AcceleratorKind.CPU, "any"),)
    vitals = read_vitals(this_machine(sys.executable), accelerators)
    used, total = (vitals.value(each, "memory") for each in (Q.MEMORY_USED_BYTES, Q.MEMORY_TOTAL_BYTES))

    assert used is not None
    assert total is not None
    assert 0 < used < total
