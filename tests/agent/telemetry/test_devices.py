"""How devices are told: gauges that follow the machine, lines about heat."""

from __future__ import annotations

import logging

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.telemetry.devices import DeviceHappenings
from agent.telemetry.teller import Teller

UNITS = ("_ratio", "_bytes", "_celsius", "_watts", "_total", "_info")
STATES = ("sitewatch_device_active", "sitewatch_device_throttled")


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def happened(registry: CollectorRegistry) -> DeviceHappenings:
    return DeviceHappenings(Teller(registry, logging.getLogger("test.devices")))


def test_each_quantity_has_its_gauge(registry: CollectorRegistry, happened: DeviceHappenings) -> None:
    """Under the label that says what it belongs to; what a GPU holds also under the well-known name."""
    happened.measured(
        {
            ("utilisation", "nvidia_gpu0"): 0.5,
            ("memory_used_bytes", "nvidia_gpu0"): 1024.0,
            ("memory_used_bytes", "memory"): 4096.0,
            ("temperature_celsius", "cpu-thermal"): 51.0,
            ("power_watts", "VDD_IN"): 10.5,
        }
    )

    def sample(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert sample("sitewatch_device_utilisation_ratio", device="nvidia_gpu0") == 0.5
    assert sample("sitewatch_device_memory_used_bytes", device="memory") == 4096
    assert sample("gpu_memory_used_bytes", device="nvidia_gpu0") == 1024
    assert sample("gpu_memory_used_bytes", device="memory") is None
    assert sample("sitewatch_device_temperature_celsius", sensor="cpu-thermal") == 51
    assert sample("sitewatch_device_power_watts", rail="VDD_IN") == 10.5


def test_what_is_told_no_longer_disappears(registry: CollectorRegistry, happened: DeviceHappenings) -> None:
    """A sensor that was powered down shows no number rather than its last one."""
    happened.measured({("temperature_celsius", "cv0"): 50.0, ("memory_used_bytes", "intel_gpu0"): 1.0})
    happened.measured({})

    assert registry.get_sample_value("sitewatch_device_temperature_celsius", {"sensor": "cv0"}) is None
    assert registry.get_sample_value("gpu_memory_used_bytes", {"device": "intel_gpu0"}) is None


def test_the_well_known_gpu_gauge_is_declared_and_empty_without_a_gpu(
    registry: CollectorRegistry, happened: DeviceHappenings
) -> None:
    """Dashboards find its name; a sample would claim a GPU that is not there."""
    happened.measured({("memory_used_bytes", "memory"): 1.0})
    (family,) = [family for family in registry.collect() if family.name == "gpu_memory_used_bytes"]

    assert family.samples == []


def test_names_end_in_units(registry: CollectorRegistry, happened: DeviceHappenings) -> None:
    """Base units in the names, a help text for each."""
    happened.throttled("cpu", 3)
    told = text_string_to_metric_families(generate_latest(registry).decode())
    families = [family for family in told if not family.name.endswith("_created")]

    assert len(families) == 11
    assert all(family.documentation for family in families)
    names = [sample.name for family in families for sample in family.samples]
    assert all(name.endswith(UNITS) or name in STATES for name in names)
    assert registry.get_sample_value("sitewatch_thermal_throttle_total", {"device": "cpu"}) == 3


def test_heat_is_told_when_it_begins_and_when_it_ends(
    happened: DeviceHappenings, caplog: pytest.LogCaptureFixture
) -> None:
    """Once each, not at every reading."""
    caplog.set_level(logging.INFO, logger="test.devices")
    for margin in (3.0, 0.0, -1.0, 2.0):
        happened.measured({("throttle_margin_celsius", "tj-thermal"): margin})

    assert [record.getMessage() for record in caplog.records] == [
        "tj-thermal: heat slows it down; look at its cooling",
        "tj-thermal: heat slows it down no longer",
    ]


def test_a_source_that_fails_is_told_once(happened: DeviceHappenings, caplog: pytest.LogCaptureFixture) -> None:
    """And once more when it works again."""
    caplog.set_level(logging.INFO, logger="test.devices")
    for reasons in ({"nvidia-smi": "no answer"}, {"nvidia-smi": "no answer"}, {}, {}):
        happened.sources_failed(reasons)

    assert [record.getMessage() for record in caplog.records] == [
        "nvidia-smi cannot be read: no answer",
        "nvidia-smi can be read again",
    ]


def test_the_power_mode(
    registry: CollectorRegistry, happened: DeviceHappenings, caplog: pytest.LogCaptureFixture
) -> None:
    """One mode at a time; a change is told, the first is not."""
    caplog.set_level(logging.INFO, logger="test.devices")
    for mode in ("15W", "15W", "MAXN"):
        happened.power_mode(mode)

    assert registry.get_sample_value("sitewatch_power_mode_info", {"mode": "MAXN"}) == 1
    assert registry.get_sample_value("sitewatch_power_mode_info", {"mode": "15W"}) is None
    assert [record.getMessage() for record in caplog.records] == ["the power mode is MAXN, was 15W"]
