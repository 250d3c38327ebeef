from __future__ import annotations

import threading

from fakes.clock import FakeClock

from agent.app.status_board import Identity, StatusBoard
from agent.errors import SourceFailure
from agent.publish.status import CameraState, CameraStatus
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
