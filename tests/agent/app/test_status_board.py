from __future__ import annotations

import threading

from fakes.clock import FakeClock

from agent.app.status_board import Identity, StatusBoard
from agent.errors import SourceFailure
from agent.publish.status import CameraState, CameraStatus, Health, HealthState, SiteStatus
from agent.telemetry import stream

WHO = Identity("depot", "1.2.3", "run", "digest")
PATIENCE_S = 0.3


def test_later_news_of_a_camera_goes_out_later() -> None:
    """A frame rate that is being told when the camera is lost cannot overtake the loss in the retained status."""
    clock = FakeClock()
    board = StatusBoard(WHO, ["gate"], clock)
    board.on_camera("gate", stream.CameraState.UP, None, "640x360")
    lost = threading.Thread(
        target=board.on_camera, args=("gate", stream.CameraState.RETRYING, SourceFailure.STALLED, "no picture")
    )
    told: list[CameraState] = []

    def publish(status: CameraStatus) -> None:
        if status.fps is not None:
            lost.start()
            lost.join(PATIENCE_S)
        told.append(status.state)

    board.publish_to(publish)
    clock.advance(20)
    board.count_frames({"gate": 200})
    lost.join()

    assert told == [CameraState.ONLINE, CameraState.ONLINE, CameraState.OFFLINE]


def test_rates_are_told_when_they_change() -> None:
    """Every ten seconds at most, and only news."""
    clock = FakeClock()
    board = StatusBoard(WHO, ["gate"], clock)
    board.on_camera("gate", stream.CameraState.UP, None, "640x360")
    rates: list[float | None] = []
    board.publish_to(lambda status: rates.append(status.fps))

    for frames in (100, 200, 250):
        clock.advance(10)
        board.count_frames({"gate": frames})
        board.count_frames({"gate": frames})

    assert rates == [None, 10.0, 5.0]


def test_cameras_come_and_go() -> None:
    """A camera that leaves is stopped, with the reason, and then none of the site's any more."""
    board, told = StatusBoard(WHO, ["gate"], FakeClock()), list[CameraStatus]()
    board.publish_to(told.append)
    board.camera_added("door")
    board.camera_leaving("door", "not wanted")
    board.on_camera("door", stream.CameraState.ENDED, None, "ended")
    board.camera_removed("door")
    board.camera_leaving("gate", "never begun")
    board.camera_removed("gate")

    assert [(status.camera_id, status.state) for status in told[1:]] == [
        ("door", CameraState.CONNECTING),
        ("door", CameraState.STOPPED),
        ("gate", CameraState.STOPPED),
    ]
    assert told[2].detail == "not wanted"
    assert board.as_mapping()["cameras"] == {}


def test_a_camera_that_starts_anew_counts_its_frames_from_nothing() -> None:
    """Its rate is not that of frames which another life of it had."""
    clock, told = FakeClock(), list[CameraStatus]()
    board = StatusBoard(WHO, ["gate"], clock)
    board.on_camera("gate", stream.CameraState.UP, None, "640x360")
    for count in (900, 100):
        clock.advance(10)
        board.count_frames({"gate": count})
    board.publish_to(told.append)

    assert told[0].fps == 10.0


def test_a_reload_is_told_with_what_runs_now() -> None:
    """In the site's status and in the line for the service manager."""
    board, told = StatusBoard(WHO, [], FakeClock()), list[SiteStatus]()
    board.publish_site_to(told.append)
    board.reloaded("refused: 1 mistake", "other digest")

    assert (told[0].reload, told[0].config_digest) == ("refused: 1 mistake", "other digest")
    assert board.sentence().endswith("; reload: refused: 1 mistake")


def test_how_the_site_is_goes_everywhere() -> None:
    """Into the retained status and the line that the service manager shows."""
    board = StatusBoard(WHO, ["gate"], FakeClock())
    board.on_camera("gate", stream.CameraState.RETRYING, SourceFailure.REFUSED, "nobody listens")
    told: list[SiteStatus] = []
    board.publish_site_to(told.append)
    assert "0 of 1 cameras online, ok;" in board.sentence()
    assert board.offline() == {"gate": "refused"}

    health = Health(HealthState.DEGRADED, ("gate is away (refused)",))
    board.health_changed(health)
    assert [status.health for status in told] == [health]
    assert "0 of 1 cameras online, degraded (gate is away (refused));" in board.sentence()
