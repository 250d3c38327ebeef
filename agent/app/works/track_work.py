"""The work of the tracking thread: detections in each camera's order into identities, and those into events."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from agent.app.keeping.keeper import Keeper
from agent.app.works.ticketed import Farewell, Ticketed
from agent.app.works.told import Told
from agent.clock import Clock
from agent.detect.detected import DetectedFrame
from agent.events.event import Event
from agent.events.rule import Rule
from agent.pipeline.channel import Beat, Channel, ChannelClosed
from agent.pipeline.reorder import Reorder
from agent.telemetry.pipeline import PipelineHappenings
from agent.track.camera_trackers import CameraTrackers

TURN_S = 1.0


class TrackWork:
    """The tracking thread's loop; `run` belongs to that thread."""

    def __init__(
        self,
        source: Channel[Ticketed],
        trackers: CameraTrackers,
        rules: Sequence[Rule],
        out: Channel[Told],
        *,
        clock: Clock,
        stages: PipelineHappenings,
        most_ahead: int,
        silence_s: float | None,
    ) -> None:
        """A worker not yet running.

        Args:
            source: from the detect workers, in any order.
            trackers: one a camera.
            rules: what makes events, asked in this order.
            out: towards telling.
            clock: times steps and silence.
            stages: is told how long tracking and rules took.
            most_ahead: frames of one camera that may overtake another before it counts as lost.
            silence_s: a camera that gives nothing for so long has its tracks ended; None: only the end ends them.
        """
        self._source = source
        self._trackers = trackers
        self._rules = rules
        self._out = out
        self._clock = clock
        self._stages = stages
        self._reorder: Reorder[DetectedFrame | Farewell] = Reorder(most_ahead)
        self._silence_s = silence_s
        self._keeper: Keeper | None = None
        self._last_s: dict[str, float] = {}
        self._seen_at: dict[str, datetime] = {}
        self._labels: dict[str, tuple[str, ...]] = {}
        self._orders: queue.SimpleQueue[Callable[[Beat], object]] = queue.SimpleQueue()

    @property
    def keeper(self) -> Keeper | None:
        """What keeps tracks for the next run."""
        return self._keeper

    @property
    def rules(self) -> Sequence[Rule]:
        """What makes events; for the tracking thread, so for orders."""
        return self._rules

    @property
    def trackers(self) -> CameraTrackers:
        """One a camera; for the tracking thread, so for orders."""
        return self._trackers

    def order(self, action: Callable[[Beat], object]) -> None:
        """Have something done by the tracking thread, before the next frame and within about a second; any thread."""
        self._orders.put(action)

    def expect(self, most_ahead: int) -> None:
        """From now on so many frames of one camera may overtake another; before the workers that need it start."""
        self._reorder.allow(most_ahead)

    def end_after(self, silence_s: float) -> None:
        """From now on, a camera that gives nothing for so long has its tracks ended; an order."""
        self._silence_s = silence_s

    def end_tracks(self, camera_id: str, beat: Beat) -> None:
        """End what a camera has open; its next frame begins new tracks, with new numbers. An order."""
        self._last_s.pop(camera_id, None)
        self._labels.pop(camera_id, None)
        self._trackers.forget(camera_id)
        if self._keeper is not None:
            self._keeper.forget(camera_id)
        if camera_id in self._seen_at:
            self._end_camera(camera_id, beat)

    def keep_with(self, keeper: Keeper | None) -> None:
        """Before `run`: what keeps tracks for the next run; None: the end ends them all."""
        self._keeper = keeper

    def run(self, beat: Beat) -> None:
        """Track until the channel is closed and empty, then end every open track that is not kept for the next run."""
        self._resume(beat)
        while True:
            try:
                ticketed = self._source.get(TURN_S, beat)
            except TimeoutError:
                self._turn(beat)
                continue
            except ChannelClosed:
                break
            beat()
            self._obey(beat)
            for released in self._released(ticketed):
                self._take(released, beat)
            self._turn(beat)
        for _, released in self._reorder.rest():
            self._take(released, beat)
        if self._keeper is not None:
            self._keeper.leave()
        for camera_id in self._seen_at:
            self._end_camera(camera_id, beat)
        self._tell_ends([event for rule in self._rules for event in rule.close(self._clock.now())], beat)

    def _resume(self, beat: Beat) -> None:
        """Go on with what the run before left; a camera that does not come back falls silent like any other."""
        if self._keeper is None:
            return
        resumed = self._keeper.begin(self._trackers)
        self._seen_at.update(resumed.seen_at)
        self._last_s.update(dict.fromkeys(resumed.seen_at, self._clock.monotonic_s()))
        self._tell_ends(resumed.ends, beat)

    def _turn(self, beat: Beat) -> None:
        self._obey(beat)
        self._end_silent(beat)
        if self._keeper is not None:
            self._keeper.turn()

    def _obey(self, beat: Beat) -> None:
        with suppress(queue.Empty):
            while True:
                self._orders.get_nowait()(beat)

    def _released(self, ticketed: Ticketed) -> list[DetectedFrame | Farewell]:
        if ticketed.detected is None:
            return self._reorder.skip(ticketed.camera_id, ticketed.ticket)
        return self._reorder.put(ticketed.camera_id, ticketed.ticket, ticketed.detected)

    def _take(self, released: DetectedFrame | Farewell, beat: Beat) -> None:
        if isinstance(released, Farewell):
            self._bid_farewell(released, beat)
            return
        camera_id, labels = released.frame.info.camera_id, released.labels
        if self._labels.setdefault(camera_id, labels) != labels:
            self.end_tracks(camera_id, beat)  # another model now: its class ids mean something else
            self._labels[camera_id] = labels
        self._track(released, beat)

    def _bid_farewell(self, farewell: Farewell, beat: Beat) -> None:
        camera_id = farewell.camera_id
        self.end_tracks(camera_id, beat)
        if farewell.is_for_good:
            self._seen_at.pop(camera_id, None)
            self._trackers.drop(camera_id)
            self._reorder.forget(camera_id)
        self._out.put(Told(None, (), camera_id), beat)

    def _track(self, detected: DetectedFrame, beat: Beat) -> None:
        camera_id, captured_at = detected.frame.info.camera_id, detected.frame.info.captured_at
        self._seen_at[camera_id] = captured_at
        began_s = self._clock.monotonic_s()
        tracked = self._trackers.track(detected)
        tracked_s = self._clock.monotonic_s()
        events = tuple(event for rule in self._rules for event in rule.observe(tracked))
        done_s = self._clock.monotonic_s()
        self._last_s[camera_id] = done_s
        if self._keeper is not None:
            self._keeper.tracked(detected.frame.info)
        self._stages.stage_took("track", camera_id, tracked_s - began_s)
        self._stages.stage_took("events", camera_id, done_s - tracked_s)
        self._out.put(Told(tracked, events), beat)

    def _end_silent(self, beat: Beat) -> None:
        """A camera that is away can not end its tracks itself; consumers would wait for ever."""
        if self._silence_s is None:
            return
        oldest_s = self._clock.monotonic_s() - self._silence_s
        for camera_id in [camera_id for camera_id, last_s in self._last_s.items() if last_s < oldest_s]:
            del self._last_s[camera_id]
            self._trackers.forget(camera_id)
            self._end_camera(camera_id, beat)

    def _end_camera(self, camera_id: str, beat: Beat) -> None:
        """End what it has open: now, but nothing ends before it was seen, and a clip has only its own time."""
        now, seen_at = self._clock.now(), self._seen_at[camera_id]
        at = seen_at if self._silence_s is None else max(now, seen_at)
        self._tell_ends([event for rule in self._rules for event in rule.camera_ended(camera_id, at)], beat)

    def _tell_ends(self, events: Sequence[Event], beat: Beat) -> None:
        if events:
            self._out.put(Told(None, tuple(events)), beat)
