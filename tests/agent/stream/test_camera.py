from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from fakes.clock import FakeClock
from fakes.frame_source import FakeFrameSource, RecordingListener

from agent.errors import SourceError, SourceFailure
from agent.stream.camera import Camera
from agent.stream.due import DueGate
from agent.stream.frame import Frame
from agent.stream.reconnect import Reconnect
from agent.stream.source import FrameNumbers, FrameSource


class Yard:
    """A camera with fake sources, and what came of it."""

    def __init__(
        self, sources: list[FakeFrameSource], *, fps: float | None = None, retries: bool = True, retry_s: float = 0.01
    ) -> None:
        self.listener = RecordingListener()
        self.delivered: list[Frame] = []
        self.beats = 0
        self.sources = list(sources)
        self._left: Iterator[FakeFrameSource] = iter(sources)
        self.camera = Camera(
            "gate",
            self._next,
            self.delivered.append,
            gate=DueGate(fps),
            clock=FakeClock(),
            happened=self.listener,
            reconnect=Reconnect(retry_s, retry_s, random.Random(0)) if retries else None,
            beat=self._beat,
        )

    def sequences(self) -> list[int]:
        return [frame.info.sequence for frame in self.delivered]

    def _next(self) -> FrameSource:
        return next(self._left)

    def _beat(self) -> None:
        self.beats += 1


def wait_for(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline_s = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline_s:
        time.sleep(0.005)
    return condition()


def test_a_clip_that_ends_ends_the_camera() -> None:
    """`run()` returns after the last frame; every frame was delivered, told, and its source closed."""
    yard = Yard([FakeFrameSource(4)])

    yard.camera.run()

    assert yard.sequences() == [1, 2, 3, 4]
    assert yard.listener.names() == ["starting", *["captured"] * 4, "ended"]
    assert yard.sources[0].is_closed


def test_frames_that_are_not_due_go_no_further() -> None:
    """Of ten frames a second, five are delivered when five are asked for; the others are counted."""
    yard = Yard([FakeFrameSource(20, fps=10)], fps=5)

    yard.camera.run()

    assert yard.sequences() == list(range(1, 20, 2))
    assert len(yard.listener.of("captured")) == 20
    assert len(yard.listener.of("not_due")) == 10


def test_a_lost_camera_is_opened_again_and_numbers_go_on() -> None:
    """Each failure is told with its reason and the wait, and the sequence rises over all sources."""
    numbers = FrameNumbers()
    yard = Yard(
        [
            FakeFrameSource(0, numbers=numbers, failure=SourceFailure.REFUSED),
            FakeFrameSource(2, numbers=numbers, failure=SourceFailure.STALLED),
            FakeFrameSource(2, numbers=numbers),
        ]
    )

    yard.camera.run()

    assert yard.sequences() == [1, 2, 3, 4]
    lost = yard.listener.of("lost")
    assert [(failure, detail) for _, failure, detail, _ in lost] == [
        (SourceFailure.REFUSED, "made up: refused"),
        (SourceFailure.STALLED, "made up: stalled"),
    ]
    assert all(0 < retry_in_s <= 0.01 for *_, retry_in_s in lost)
    assert all(source.is_closed for source in yard.sources)


def test_without_retries_a_failure_is_raised() -> None:
    """A replay does not wait for a clip that is not there."""
    yard = Yard([FakeFrameSource(0, failure=SourceFailure.NOT_FOUND)], retries=False)

    with pytest.raises(SourceError):
        yard.camera.run()
    assert yard.listener.names() == ["starting", "ended"]


@pytest.mark.parametrize(
    ("source", "until"),
    [
        (FakeFrameSource(2, waits=True), "captured"),
        (FakeFrameSource(0, failure=SourceFailure.REFUSED), "lost"),
    ],
    ids=["waiting for a frame", "waiting for a retry"],
)
def test_stop_is_prompt(source: FakeFrameSource, until: str) -> None:
    """Wherever the thread waits, it is back within a second, and stopping twice does no harm."""
    yard = Yard([source], retry_s=30.0)
    thread = threading.Thread(target=yard.camera.run, name="camera gate")
    thread.start()
    assert wait_for(lambda: until in yard.listener.names())
    began_s = time.monotonic()
    yard.camera.stop()
    yard.camera.stop()
    thread.join(5)

    assert not thread.is_alive()
    assert time.monotonic() - began_s < 1.0
    assert yard.listener.names()[-1] == "ended"


def test_stopped_before_it_ran() -> None:
    """A camera that is stopped first opens nothing."""
    yard = Yard([FakeFrameSource(2)])
    yard.camera.stop()
    yard.camera.run()

    assert yard.listener.names() == ["ended"]


def test_the_heart_beats_while_it_waits_for_a_retry() -> None:
    """A camera that is away for long does not look like a thread that hangs."""
    yard = Yard([FakeFrameSource(0, failure=SourceFailure.REFUSED)], retry_s=30.0)
    thread = threading.Thread(target=yard.camera.run, name="camera gate")
    thread.start()
    assert wait_for(lambda: yard.beats >= 3)
    yard.camera.stop()
    thread.join(5)

    assert len(yard.listener.of("lost")) == 1
