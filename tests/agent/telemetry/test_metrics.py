"""The metrics of the shared part: names, units, help, values."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from fakes.clock import FakeClock
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from agent.app.happened import make_happened
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.process import ProcessHappenings
from agent.telemetry.teller import Teller

BASE_UNITS = ("_seconds", "_bytes", "_total", "_info", "_ratio")
# Counts of things have no unit, nor have states.
COUNTS = {"sitewatch_stage_queue_depth", "process_open_fds", "process_max_fds", "sitewatch_site_state"}


def _told() -> tuple[CollectorRegistry, FakeClock]:
    registry, clock = CollectorRegistry(), FakeClock()
    teller = Teller(registry, logging.getLogger("tests.metrics"), clock)
    ProcessHappenings(teller, clock).began("1.2.3", "depot", "run1")
    happened = PipelineHappenings(teller)
    happened.stage_took("inference", "gate", 0.02)
    happened.stage_took("inference", "gate", 0.04)
    happened.watch_depth("track", lambda: 3)
    happened.stage_failed("detect", ValueError("x"))
    happened.thread_left_over("capture-gate", 20.0)
    happened.heartbeat_stalled("detect", 7.0)
    clock.advance(5.0)
    return registry, clock


def test_every_metric_has_help_and_a_base_unit() -> None:
    """The exposition parses, and every name ends in its unit or is a known count."""
    registry, _ = _told()
    families = list(text_string_to_metric_families(generate_latest(registry).decode()))

    assert {family.name for family in families} >= {"sitewatch_stage_duration_seconds", "sitewatch_stage_failures"}
    for family in families:
        assert family.documentation.strip(), family.name
        for sample in family.samples:
            name = sample.name.removesuffix("_created").removesuffix("_bucket")
            name = name.removesuffix("_sum").removesuffix("_count")
            is_named = name.endswith(BASE_UNITS) or name in COUNTS or sample.name.endswith("_created")
            assert is_named, sample.name


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("stage_duration_seconds_count", {"stage": "inference", "camera": "gate"}, 2),
        ("stage_duration_seconds_sum", {"stage": "inference", "camera": "gate"}, pytest.approx(0.06)),
        ("stage_queue_depth", {"stage": "track"}, 3),
        ("stage_failures_total", {"stage": "detect"}, 1),
        ("stage_leftovers_total", {"stage": "capture-gate"}, 1),
        ("stage_stalls_total", {"stage": "detect"}, 1),
        ("uptime_seconds", {}, 5),
        ("start_time_seconds", {}, 1767225600),
    ],
)
def test_each_happening_is_counted(name: str, labels: dict[str, str], value: float) -> None:
    """What was told is what the registry shows."""
    registry, _ = _told()

    assert registry.get_sample_value(f"sitewatch_{name}", labels) == value


def test_a_jump_of_the_clock_does_not_change_the_uptime() -> None:
    """Uptime is monotonic."""
    registry, clock = _told()
    clock.jump(-3600.0)

    assert registry.get_sample_value("sitewatch_uptime_seconds") == 5


def test_the_process_tells_what_it_is() -> None:
    """Build information carries version and site; memory comes from the system."""
    registry, _ = _told()
    (family,) = [family for family in registry.collect() if family.name == "sitewatch_build_info"]

    assert family.samples[0].labels["version"] == "1.2.3"
    assert family.samples[0].labels["site"] == "depot"
    assert (registry.get_sample_value("process_resident_memory_bytes") or 0) > 1e6


def test_a_camera_that_is_forgotten_is_in_no_metric() -> None:
    """Whichever step told of it; the others stay, and so does what is no camera's."""
    registry = CollectorRegistry()
    happened = make_happened(registry, FakeClock())
    for camera_id in ("gate", "yard"):
        happened.pipeline.stage_took("track", camera_id, 0.1)
        happened.detect.detected(camera_id, ("cat",), np.zeros(2, np.int32))
        happened.track.tracked(camera_id, ["cat"])
        happened.stream.detected(camera_id)
        happened.stream.corrupt(camera_id, 1)
        happened.events.event_made(camera_id, "new", "cat", 1)
    happened.pipeline.stage_failed("gate", ValueError("x"))
    happened.forget_camera("gate")
    told = generate_latest(registry).decode()

    assert 'camera="gate"' not in told
    assert told.count('camera="yard"') > 10
    assert 'stage="gate"' in told


def test_a_forgotten_camera_may_come_back() -> None:
    """It is counted from nothing."""
    registry = CollectorRegistry()
    happened = make_happened(registry, FakeClock())
    for _ in range(2):
        happened.pipeline.stage_took("track", "gate", 0.1)
        happened.detect.detected("gate", ("cat",), np.zeros(2, np.int32))
        happened.track.tracked("gate", ["cat"])
        assert registry.get_sample_value("detections_total", {"camera": "gate", "label": "cat"}) == 2
        assert registry.get_sample_value("sitewatch_tracks_active", {"camera": "gate", "label": "cat"}) == 1
        happened.forget_camera("gate")
