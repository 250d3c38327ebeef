from __future__ import annotations

import logging

import pytest
from fakes.frame_source import make_frame
from prometheus_client import CollectorRegistry

from agent.errors import SourceFailure
from agent.stream.source import OpenedStream
from agent.telemetry.pipeline import PipelineHappenings
from agent.telemetry.stream import CameraState, FrameDrop, StreamHappenings
from agent.telemetry.teller import Teller

HD = OpenedStream(1920, 1080, 25.0, "h264")


class Told:
    """Happenings of one camera, its metrics, and the states it went through."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.states: list[tuple[object, ...]] = []
        teller = Teller(self.registry, logging.getLogger("test.stream"))
        self.happened = StreamHappenings(teller, PipelineHappenings(teller), lambda *state: self.states.append(state))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(f"sitewatch_{name}", {"camera": "gate", **labels})


def test_the_life_of_a_camera(caplog: pytest.LogCaptureFixture) -> None:
    """Starting, up, lost, back, ended: as states, as metrics, and as a line each."""
    caplog.set_level(logging.INFO)
    told = Told()

    told.happened.starting("gate")
    told.happened.opened("gate", HD)
    assert told.value("camera_up") == 1
    told.happened.lost("gate", SourceFailure.STALLED, "no picture for 10 s", 1.2)
    assert told.value("camera_up") == 0
    assert told.value("camera_reconnects_total", reason="stalled") == 1
    told.happened.starting("gate")
    told.happened.opened("gate", HD)
    told.happened.ended("gate")

    assert [(state, reason) for _, state, reason, _ in told.states] == [
        (CameraState.STARTING, None),
        (CameraState.UP, None),
        (CameraState.RETRYING, SourceFailure.STALLED),
        (CameraState.UP, None),
        (CameraState.ENDED, None),
    ]
    assert told.happened.state("gate") == (CameraState.ENDED, None, "ended")
    assert [record.getMessage() for record in caplog.records] == [
        "gate delivers: 1920x1080, 25 fps, h264",
        "gate is lost (stalled): no picture for 10 s; next attempt in 1.2 s",
        "gate is back: 1920x1080, 25 fps, h264",
        "gate has ended",
    ]


def test_a_camera_that_stays_away_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred failed attempts for one reason are a hundred in the metric and one line in the log."""
    caplog.set_level(logging.INFO)
    told = Told()

    for _ in range(100):
        told.happened.lost("gate", SourceFailure.REFUSED, "nobody listens", 30.0)
    told.happened.lost("gate", SourceFailure.UNAUTHORISED, "wrong password", 30.0)

    assert told.value("camera_reconnects_total", reason="refused") == 100
    assert len(caplog.records) == 2


def test_what_becomes_of_frames_is_counted() -> None:
    """Captured, not due, corrupt and dropped, each under its outcome."""
    told = Told()

    for sequence in (1, 2):
        told.happened.captured(make_frame(sequence).info)
    told.happened.not_due("gate")
    told.happened.corrupt("gate", 3)
    for reason in FrameDrop:
        told.happened.frame_dropped("gate", reason)

    outcomes = {"captured": 2, "not_due": 1, "corrupt": 3}
    outcomes |= {"dropped_slot": 1, "dropped_stale": 1, "dropped_inference_failed": 1}
    assert {name: told.value("frames_total", outcome=name) for name in outcomes} == outcomes
    last = make_frame(2).info.captured_at.timestamp()
    assert told.value("camera_last_frame_timestamp_seconds") == pytest.approx(last)


def test_clock_offset_and_a_short_clip(caplog: pytest.LogCaptureFixture) -> None:
    """The camera's clock against ours is a gauge; a clip that ends early is a warning."""
    told = Told()

    told.happened.clock_offset("gate", -1.25)
    told.happened.ended_early("gate", "clip.mp4: is cut short: 12 of 20 frames are there")

    assert told.value("camera_clock_offset_seconds") == -1.25
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "12 of 20" in caplog.text
