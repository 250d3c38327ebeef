"""Engines, inferences and detections are counted and told under the names operators look for."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry

from agent.telemetry.detect import DetectHappenings
from agent.telemetry.teller import Teller

ENGINE = {"model": "nano", "runtime": "openvino"}


@pytest.fixture
def registry() -> CollectorRegistry:
    """Metrics of one test."""
    return CollectorRegistry()


@pytest.fixture
def happened(registry: CollectorRegistry) -> DetectHappenings:
    """Telling to the log `test.detect`."""
    return DetectHappenings(Teller(registry, logging.getLogger("test.detect"), FakeClock()))


def test_a_loaded_engine_is_told(
    happened: DetectHappenings, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """What was chosen, where it runs and why are in one line; the choice is a metric too."""
    with caplog.at_level(logging.INFO):
        happened.engine_loaded("nano", "openvino", "2026.4", "CPU", "12 ms an inference", 1.5)

    assert caplog.messages == ["nano: ready on openvino 2026.4, CPU, after 1.5 s: 12 ms an inference"]
    assert registry.get_sample_value("sitewatch_engine_loaded", ENGINE | {"accelerator": "CPU"}) == 1


def test_a_fallback_is_a_warning(
    happened: DetectHappenings, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """With its reason, and counted."""
    happened.engine_fell_back("nano", "openvino", "it is not installed")

    assert caplog.messages == ["nano: openvino is not used: it is not installed"]
    assert registry.get_sample_value("sitewatch_engine_fallbacks_total", {"runtime": "openvino"}) == 1


def test_inferences_are_counted_under_both_names(happened: DetectHappenings, registry: CollectorRegistry) -> None:
    """Ours with prefix, and those other servers use."""
    happened.inferred("nano", "openvino", 4, 0.02)

    assert registry.get_sample_value("sitewatch_inference_seconds_sum", ENGINE) == 0.02
    assert registry.get_sample_value("model_inference_latency_seconds_sum", ENGINE) == 0.02
    assert registry.get_sample_value("model_inference_total", ENGINE) == 1
    assert registry.get_sample_value("sitewatch_inference_batch_size_bucket", ENGINE | {"le": "4.0"}) == 1


def test_failures_in_a_row_are_one_line(
    happened: DetectHappenings, registry: CollectorRegistry, caplog: pytest.LogCaptureFixture
) -> None:
    """Each counts, and the log is not flooded."""
    for _ in range(50):
        happened.inference_failed("nano", "openvino", RuntimeError("device lost {0}"))

    assert len(caplog.messages) == 1
    assert "device lost {0}" in caplog.messages[0]
    assert registry.get_sample_value("sitewatch_inference_failures_total", ENGINE) == 50


def test_detections_are_counted_by_camera_and_label(happened: DetectHappenings, registry: CollectorRegistry) -> None:
    """One a detection; a frame without any counts nothing."""
    happened.detected("gate", ("person", "car"), np.array([1, 0, 1]))
    happened.detected("gate", ("person", "car"), np.zeros(0, np.int32))

    assert registry.get_sample_value("detections_total", {"camera": "gate", "label": "car"}) == 2
    assert registry.get_sample_value("detections_total", {"camera": "gate", "label": "person"}) == 1
