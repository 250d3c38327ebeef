"""Events go from the outbox to the sink, in order, until they are acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.brokers import until
from fakes.event_sink import FakeEventSink
from fakes.events import event, metric, teller

from agent.clock import SystemClock
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload
from agent.publish.publisher import Publisher
from agent.telemetry.publish import PublishHappenings


class Line:
    """A publisher between a real outbox and a fake sink, its thread running."""

    def __init__(self, folder: Path, replay_rate: float = 100_000.0) -> None:
        self.teller = teller()
        self.sink = FakeEventSink()
        self.clock = SystemClock()
        self.beats = 0
        happened = PublishHappenings(self.teller)
        limits = OutboxLimits(10**7, 1e6)
        self.outbox = Outbox(folder / "outbox.db", limits, self.clock, happened, event_payload)
        self.outbox.open()
        self.publisher = Publisher(self.outbox, self.sink, self.clock, happened, flush_s=0.3, replay_rate=replay_rate)
        self.thread = threading.Thread(target=self.publisher.run, args=(self._beat,), name="publish")

    def start(self) -> None:
        """Begin to send."""
        self.thread.start()

    def stop(self) -> None:
        """End the thread and close the outbox."""
        self.publisher.stop()
        if self.thread.ident is not None:
            self.thread.join(5.0)
        assert not self.thread.is_alive()
        self.outbox.close()

    def received(self) -> list[int]:
        """Numbers of what arrived."""
        return [item.sequence for item in self.sink.received]

    def _beat(self) -> None:
        self.beats += 1


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """One, not started."""
    made = Line(tmp_path)
    yield made
    made.stop()


def test_events_arrive_in_order_and_leave_the_outbox(line: Line) -> None:
    """Everything accepted is sent once, in sequence, and nothing waits after it."""
    line.start()
    for first in range(1, 301, 3):
        line.publisher.accept([event(first + n) for n in range(3)])

    assert line.publisher.flush(10.0)
    assert line.received() == list(range(1, 301))
    assert line.outbox.size().events == 0


def test_events_wait_while_the_receiver_is_away(line: Line) -> None:
    """Nothing is lost, and the thread shows that it lives; when the receiver is back all goes out in order."""
    line.sink.is_away = True
    line.start()
    line.publisher.accept([event(n) for n in range(1, 11)])
    until(lambda: len(line.sink.tries) >= 2, "a second try")
    beats = line.beats
    until(lambda: line.beats > beats, "a beat")
    assert line.outbox.size().events == 10
    line.sink.is_away = False

    assert line.publisher.flush(5.0)
    assert line.received() == list(range(1, 11))


def test_a_receiver_that_is_away_is_not_pestered(line: Line) -> None:
    """New events do not bring new tries before the pause is over."""
    line.sink.is_away = True
    line.start()
    line.publisher.accept([event(1)])
    until(lambda: line.sink.tries, "the first try")
    for n in range(2, 50):
        line.publisher.accept([event(n)])

    assert len(line.sink.tries) <= 2


def test_a_stop_does_not_wait_for_a_receiver_that_takes_nothing(tmp_path: Path) -> None:
    """Though there would be minutes for it; what waits stays in the outbox."""
    line = Line(tmp_path)
    line.publisher._flush_s = 300.0
    line.sink.is_away = True
    line.start()
    line.publisher.accept([event(n) for n in range(1, 11)])
    line.stop()

    assert line.received() == []


def test_what_waited_is_replayed_at_its_rate_and_in_order(tmp_path: Path) -> None:
    """Two hundred at a hundred a second last two seconds; what comes meanwhile goes behind them."""
    line = Line(tmp_path, replay_rate=100.0)
    line.outbox.append([event(n) for n in range(1, 201)])
    began_s = line.clock.monotonic_s()
    line.start()
    line.publisher.accept([event(n) for n in range(201, 251)])
    assert line.publisher.flush(10.0)
    took_s = line.clock.monotonic_s() - began_s
    line.stop()

    assert line.received() == list(range(1, 251))
    assert took_s > 1.5


def test_what_is_refused_for_good_leaves_and_is_counted(line: Line) -> None:
    """It does not stand in the way of the rest."""
    line.sink.refused_for_good = {2}
    line.start()
    line.publisher.accept([event(1), event(2), event(3)])

    assert line.publisher.flush(5.0)
    assert line.received() == [1, 3]
    assert metric(line.teller, "outbox_dropped_total", reason="rejected") == 1


def test_the_age_of_frames_is_measured_at_the_acknowledgement(line: Line) -> None:
    """From capture on our clock to acceptance; events that no frame caused are left out."""
    captured_s = line.clock.monotonic_s() - 0.25
    line.publisher.accept([event(1, captured_monotonic_s=captured_s), event(2, captured_monotonic_s=None)])
    line.start()
    line.publisher.flush(5.0)

    assert metric(line.teller, "frame_age_seconds_count", camera="gate") == 1
    assert 0.25 <= metric(line.teller, "frame_age_seconds_sum", camera="gate") < 5.0
    assert metric(line.teller, "messages_total", kind="event", outcome="acknowledged") == 2


def test_stopping_sends_what_is_left(line: Line) -> None:
    """What was accepted before the stop still goes out."""
    line.publisher.accept([event(n) for n in range(1, 400)])
    line.start()
    line.publisher.stop()
    line.thread.join(5.0)

    assert line.received() == list(range(1, 400))


def test_stopping_does_not_wait_for_a_receiver_that_is_away(line: Line) -> None:
    """After the flush deadline the thread ends and the events stay stored."""
    line.sink.is_away = True
    line.publisher.accept([event(1)])
    line.start()
    until(lambda: line.sink.tries, "a try")
    line.publisher.stop()
    line.thread.join(3.0)

    assert not line.thread.is_alive()
    assert line.outbox.size().events == 1


def test_events_of_an_earlier_run_are_sent_first(tmp_path: Path) -> None:
    """What an agent left behind goes out before what the next one sees."""
    left = Line(tmp_path)
    left.publisher.accept([event(1), event(2)])
    left.outbox.close()
    line = Line(tmp_path)
    line.publisher.accept([event(3)])
    line.start()
    line.publisher.flush(5.0)
    line.stop()

    assert line.received() == [1, 2, 3]


def test_memory_for_ages_is_bounded(line: Line) -> None:
    """A long outage does not keep the capture time of every event."""
    for first in range(0, 10_500, 500):
        line.publisher.accept([event(first + n) for n in range(500)])

    assert len(line.publisher._captured_s) == 10_000
