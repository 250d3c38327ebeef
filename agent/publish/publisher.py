"""Brings events from the outbox to the sink: the publish thread's work."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

from agent.clock import Clock
from agent.events.event import Event
from agent.publish.outbox import Outbox
from agent.publish.replay_pace import LOT_S, ReplayPace
from agent.publish.sink import Delivery, EventSink
from agent.publish.stored import StoredEvent
from agent.telemetry.publish import PublishHappenings

BATCH = 128
# Nothing to do: how often the thread looks up to show that it lives.
IDLE_S = 0.5
# Nothing was taken: how long one try lasts at least, the time in the sink included.
RETRY_S = 1.0
# Stopping: a receiver that takes nothing for so long is not waited for.
SILENT_S = 1.5
REPLAY_RATE = 200.0
# Capture times kept for the frame age; of an outage longer than this many events the oldest ages are not measured.
MAX_CAPTURE_TIMES = 10_000


class Publisher:
    """Stores events, then sends them until they are acknowledged.

    `accept` is called by the telling thread, `run` by a thread of its own, `stop` and `flush` by any. An event is in
    the outbox before anything else is done with it, and leaves it when the sink has accepted or rejected it. There is
    one sender, and it always sends the oldest first: so the order is that of `sequence`. What had to wait for the
    receiver goes at a bounded rate, see `ReplayPace`.
    """

    def __init__(
        self,
        outbox: Outbox,
        sink: EventSink,
        clock: Clock,
        happened: PublishHappenings,
        flush_s: float = 5.0,
        replay_rate: float = REPLAY_RATE,
    ) -> None:
        self._outbox = outbox
        self._sink = sink
        self._clock = clock
        self._happened = happened
        self._flush_s = flush_s
        self._pace = ReplayPace(replay_rate, clock)
        self._unsettled = 0
        self._moved_at_s = clock.monotonic_s()
        self._turned = threading.Condition()
        self._has_news = False
        self._stop_by_s: float | None = None
        self._captured_s: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._captured_lock = threading.Lock()

    def replay_at(self, rate: float) -> None:
        """What waited goes at this rate from now on, events a second; any thread."""
        self._pace.limit(rate)

    def accept(self, events: Sequence[Event]) -> None:
        """Take events over; they are stored when this returns. Never raises for want of disk: see `Outbox`."""
        if not events:
            return
        self._remember(events)
        self._outbox.append(events)
        self._pace.add_new(len(events))
        with self._turned:
            self._has_news = True
            self._turned.notify_all()

    def run(self, beat: Callable[[], object]) -> None:
        """Send until `stop`, and then what is left until its deadline; calls `beat` at least every other second."""
        while not self._is_over():
            beat()
            began_s = self._clock.monotonic_s()
            # What is on its way and not answered stays in the batch, whatever the pace says.
            batch = self._outbox.pending(max(self._unsettled, min(BATCH, self._pace.allowed())))
            if not batch:
                self._rest(IDLE_S if self._outbox.size().events == 0 else LOT_S)
            elif not self._send(batch):
                self._pace.turned_away()
                self._pause(RETRY_S - (self._clock.monotonic_s() - began_s))

    def flush(self, timeout_s: float) -> bool:
        """Wait until nothing waits any more, at most so long; whether it is so. `run` must be running."""
        with self._turned:
            return self._turned.wait_for(lambda: self._outbox.size().events == 0, timeout_s)

    def stop(self) -> None:
        """Make `run` end when all is sent, or `flush_s` from now, or nothing is taken any more. Does not wait."""
        with self._turned:
            self._moved_at_s = self._clock.monotonic_s()
            self._stop_by_s = self._moved_at_s + self._flush_s
            self._turned.notify_all()

    def _send(self, batch: list[StoredEvent]) -> bool:
        """One try; whether it brought anything."""
        delivery = self._sink.send(batch)
        settled = (*delivery.accepted, *delivery.rejected)
        self._outbox.delete(settled)
        self._pace.used(len(settled))
        self._unsettled = len(batch) - len(settled)
        self._tell(batch, delivery)
        with self._turned:
            self._moved_at_s = self._clock.monotonic_s() if settled else self._moved_at_s
            self._turned.notify_all()
        return bool(settled)

    def _tell(self, batch: list[StoredEvent], delivery: Delivery) -> None:
        now_s = self._clock.monotonic_s()
        accepted, rejected = set(delivery.accepted), set(delivery.rejected)
        for event in batch:
            if event.sequence not in accepted | rejected:
                continue
            with self._captured_lock:
                captured = self._captured_s.pop(event.event_id, None)
            if captured is not None and event.sequence in accepted:
                self._happened.event_acknowledged(captured[0], max(0.0, now_s - captured[1]))
        if accepted:
            self._happened.message("event", "acknowledged", len(accepted))
        if rejected:
            self._happened.outbox_dropped("rejected", len(rejected))

    def _remember(self, events: Sequence[Event]) -> None:
        with self._captured_lock:
            for event in events:
                if event.captured_monotonic_s is not None:
                    self._captured_s[event.event_id] = (event.camera_id, event.captured_monotonic_s)
            while len(self._captured_s) > MAX_CAPTURE_TIMES:
                self._captured_s.popitem(last=False)

    def _is_over(self) -> bool:
        stop_by_s = self._stop_by_s
        if stop_by_s is None:
            return False
        now_s = self._clock.monotonic_s()
        return now_s >= min(stop_by_s, self._moved_at_s + SILENT_S) or self._outbox.size().events == 0

    def _rest(self, timeout_s: float) -> None:
        """Wait for news; while stopping only a moment, for more to be due."""
        with self._turned:
            if self._stop_by_s is None:
                self._turned.wait_for(lambda: self._has_news or self._stop_by_s is not None, timeout_s)
            else:
                self._turned.wait(min(timeout_s, LOT_S))
            self._has_news = False

    def _pause(self, timeout_s: float) -> None:
        """Wait whatever is new: the receiver takes nothing now."""
        if timeout_s > 0:
            with self._turned:
                self._turned.wait_for(lambda: self._stop_by_s is not None, timeout_s)
