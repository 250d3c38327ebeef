"""Runs of an agent one after the other, without threads or pictures, that end in good order or violently."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from fakes.clock import FakeClock
from fakes.events import NOON, NoPicture, teller

from agent.app.keeping.keeper import Keeper
from agent.app.keeping.kept_file import KeptFile
from agent.app.keeping.kept_site import KeptSite
from agent.detect.detected import DetectedFrame
from agent.events.event import Event
from agent.events.event_ids import EventIds
from agent.events.lifecycle import LifecyclePatience, LifecycleRule
from agent.publish.open_objects import told_event
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload, object_id
from agent.stream.frame import ClockSource, Frame, FrameInfo
from agent.telemetry.events import EventHappenings
from agent.telemetry.publish import PublishHappenings
from agent.telemetry.teller import Teller
from agent.telemetry.track import TrackHappenings
from agent.track.camera_trackers import CameraTrackers
from trackers import ByteTracker, ByteTrackSettings, Detections

PATIENCE_S = 0.5
STEP_S = 0.1
WRITTEN_WITHIN_S = 5.0
UPDATES = LifecyclePatience(update_every_s=0.5)


class RememberingFile(KeptFile):
    """Also knows everything that was written in this run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.written: list[str] = []

    def write(self, site: KeptSite) -> None:
        """As ever."""
        super().write(site)
        self.written.append(self.path.read_text())


class World:
    """What outlives a run: the time, the folder, what the outside was told and what was seen in frames.

    Attributes:
        now: wall time.
        told: every event that was stored, in order.
        shown: in frames: the object's id and the place where it was.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOON
        self.told: list[Event] = []
        self.shown: list[tuple[str, int]] = []
        self.runs = 0

    @property
    def ids(self) -> list[str]:
        """The object of each event."""
        return [object_id(each.track_run_id or each.run_id, each.camera_id, each.track_id) for each in self.told]


class KeptRun:
    """One run with the camera `gate`; `see` is a frame, `stop` and `kill` are its ends."""

    def __init__(self, world: World, *, fits: str = "same", boot_s: float = 50.0) -> None:
        self.world = world
        world.runs += 1
        self.clock = FakeClock(boot_s, world.now)
        self.run_id = f"01957e3a-0000-7000-8000-{world.runs:012d}"
        self.teller: Teller = teller()
        self.file = RememberingFile(world.folder / "tracks.json")
        self.numbered_by: dict[tuple[str, int], str] = {}
        self._sequence = 0
        self._unstored: list[Event] = []
        self._outbox = self._opened_outbox()
        ids = EventIds(self.clock, random.Random(world.runs))
        self._rule = LifecycleRule("depot", self.run_id, ids, UPDATES, EventHappenings(self.teller))
        happened = TrackHappenings(self.teller)
        settings = ByteTrackSettings(lost_patience_s=PATIENCE_S)
        self._trackers = CameraTrackers(lambda: ByteTracker(settings), happened)
        self.keeper = Keeper(
            self.file, self._rule, lambda: [told_event(each) for each in self._outbox.objects()], {"gate": fits},
            patience_s=PATIENCE_S, clock=self.clock, happened=happened, numbered_by=self.numbered_by,
        )  # fmt: skip
        self._writer = threading.Thread(target=self.keeper.run, args=(lambda: None,), daemon=True)
        self._writer.start()
        self.resumed = self.keeper.begin(self._trackers)
        self._unstored += self.resumed.ends
        self.store()

    def see(self, *places: int, camera_id: str = "gate") -> list[int]:
        """People of 40 x 80 px at these left edges, a step later; the numbers they have."""
        self.clock.advance(STEP_S)
        self._sequence += 1
        boxes = np.array([[left, 100.0, left + 40.0, 180.0] for left in places]).reshape(-1, 4)
        detections = Detections(boxes, np.full(len(places), 0.9), np.zeros(len(places), np.int32))
        frame = Frame(self._info(camera_id), NoPicture())
        tracked = self._trackers.track(DetectedFrame(frame, detections, ("person",)))
        self._unstored += self._rule.observe(tracked)
        self.keeper.tracked(frame.info)
        self._turn()
        numbers: list[int] = tracked.tracks.track_ids.tolist()
        self._show(camera_id, numbers, tracked.tracks.boxes[:, 0].round().astype(int).tolist())
        return numbers

    def _turn(self) -> None:
        """A turn of the keeper; what is due is on the disk when it returns, as on a machine that is not late."""
        due_s, written = self.keeper._due_s, len(self.file.written)
        self.keeper.turn()
        deadline_s = time.monotonic() + WRITTEN_WITHIN_S
        while self.keeper._due_s != due_s and len(self.file.written) == written and time.monotonic() < deadline_s:
            time.sleep(0.001)

    def store(self, most: int = 10_000) -> None:
        """Let the telling thread store what it was handed, the oldest first."""
        ready, self._unstored = self._unstored[:most], self._unstored[most:]
        self._outbox.append(ready)
        self.world.told += ready

    def stop(self) -> None:
        """End in good order, as the tracking thread does."""
        self.keeper.leave()
        self._unstored += self._rule.close(self.clock.now())
        self.store()
        self._end()

    def kill(self, choose: Callable[[int], int] = lambda _: -1) -> None:
        """End violently: `choose` says which of so many files written is the last on disk."""
        self.keeper.stop()
        self._writer.join()
        text = self.file.written[choose(len(self.file.written))]
        self.file.path.write_text(text)
        self._end()

    def _end(self) -> None:
        self.keeper.stop()
        self._writer.join()
        self._outbox.close()
        self.world.now = self.clock.now()

    def _info(self, camera_id: str) -> FrameInfo:
        now: datetime = self.clock.now().astimezone(timezone.utc) - timedelta(milliseconds=20)
        at_s = self.clock.monotonic_s() - 0.02
        return FrameInfo(camera_id, self._sequence, now, ClockSource.PTS, at_s, 640, 480)

    def _show(self, camera_id: str, numbers: list[int], places: list[int]) -> None:
        for number, place in zip(numbers, places, strict=True):
            numbered_by = self.numbered_by.get((camera_id, number), self.run_id)
            self.world.shown.append((object_id(numbered_by, camera_id, number), place))

    def _opened_outbox(self) -> Outbox:
        path, limits = self.world.folder / "outbox.db", OutboxLimits(10**8, 1e9)
        outbox = Outbox(path, limits, self.clock, PublishHappenings(teller()), event_payload, follows_objects=True)
        outbox.open()
        return outbox
