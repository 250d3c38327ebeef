"""Lanes in front of a line: each plays clips, one after the other, as cameras that come and go."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable

from agent.app.batch.clips import Clip
from agent.app.batch.plays import Play, Plays
from agent.app.batch.records import Looks
from agent.app.captures import HEARTBEAT_LIMIT_S, slot_policy
from agent.app.happened import Happened
from agent.app.line import Line
from agent.app.replay.progress import frame_count
from agent.app.replay.site import clip_camera
from agent.app.works.ticketed import Farewell, Ticketed
from agent.clock import Clock
from agent.detect.label_choice import LabelFilter
from agent.errors import SourceError
from agent.pipeline.channel import Beat, ChannelClosed, WhenFull
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.stage import Stage

# A slot that no camera can be called by: it is open until all lanes have ended, so that workers wait between clips.
BETWEEN_CLIPS = "(lanes)"


class Lanes:
    """Makes the stages of rank 0, which share one queue of clips."""

    def __init__(
        self,
        line: Line,
        clips: Iterable[Clip],
        plays: Plays,
        label_filter: LabelFilter,
        *,
        clock: Clock,
        happened: Happened,
        counts_frames: bool,
    ) -> None:
        """Nothing is played yet.

        Args:
            line: made without cameras.
            clips: to be played, in this order.
            plays: is told which are.
            label_filter: which labels count, on every clip.
            clock: for everything that needs time.
            happened: what is told of cameras.
            counts_frames: find out beforehand how many frames a clip has.
        """
        self.line, self.plays, self.label_filter = line, plays, label_filter
        self.clock, self.happened, self.counts_frames = clock, happened, counts_frames
        self._clips: queue.SimpleQueue[Clip] = queue.SimpleQueue()
        for clip in clips:
            self._clips.put(clip)
        line.slots.add(BETWEEN_CLIPS, WhenFull.BLOCK)

    def stages(self, count: int) -> list[Stage]:
        """So many lanes."""
        return [Lane(number, self).stage for number in range(count)]

    def next(self) -> Clip | None:
        """The next clip to be played; None when there are no more."""
        try:
            return self._clips.get_nowait()
        except queue.Empty:
            return None


class Lane:
    """One lane; its stage ends when no clip is left."""

    def __init__(self, number: int, lanes: Lanes) -> None:
        self._number = number
        self._lanes = lanes
        self._line = lanes.line
        self._is_stopped = threading.Event()
        self._heartbeat = Heartbeat(f"lane-{number}", lanes.clock, HEARTBEAT_LIMIT_S)
        self._stopping = threading.Lock()
        self._stop_camera: Callable[[], None] = _nothing
        self.stage = Stage(self._heartbeat.name, self._run, self._stop, self._heartbeat)

    def _run(self, beat: Beat) -> None:
        while not self._is_stopped.is_set() and (clip := self._lanes.next()) is not None:
            self._play(clip, beat)

    def _stop(self) -> None:
        """What is in play is interrupted."""
        self._is_stopped.set()
        with self._stopping:
            self._stop_camera()

    def _stop_by(self, stop_camera: Callable[[], None]) -> None:
        with self._stopping:
            self._stop_camera = stop_camera

    def _play(self, clip: Clip, beat: Beat) -> None:
        slots, camera_id = self._line.slots, clip.camera_id
        settings = clip_camera(clip.path)
        camera = self._line.captures.camera(camera_id, settings, self._heartbeat)
        play = Play(clip, self._number, Looks.of(clip.path), self._lanes.clock.monotonic_s(), camera)
        self._line.filter_with({camera_id: self._lanes.label_filter})
        slots.add(camera_id, slot_policy(settings))
        self._lanes.plays.begin(play)

        def stop() -> None:
            camera.stop()
            slots.close(camera_id)  # a frame that waits for its turn waits no longer

        self._stop_by(stop)
        if self._is_stopped.is_set():
            return
        self._show(play, camera.run)
        self._stop_by(_nothing)
        slots.close(camera_id)
        if slots.drain(camera_id, beat, self._is_stopped.is_set) and not self._is_stopped.is_set():
            self._end(play, beat)

    def _show(self, play: Play, run: Callable[[], None]) -> None:
        """Play it to its end."""
        path = play.clip.path
        if not path.is_file():  # FFmpeg would wait for ever for what comes out of a pipe
            play.fail("is no file" if path.exists() else "no such file")
            return
        try:
            play.frames_expected = frame_count(path) if self._lanes.counts_frames else None
            run()
        except SourceError as error:
            play.fail(error.detail.removeprefix(f"{path}: "))
        except ChannelClosed:  # stopped
            return
        except Exception as error:  # noqa: BLE001 - the outermost loop of one clip: what it sets off, the others survive
            play.fail(f"{type(error).__name__}: {error}")

    def _end(self, play: Play, beat: Beat) -> None:
        """Its tracks end behind its last frame, and then its writer knows that this is all."""
        camera_id, stream = play.clip.camera_id, self._lanes.happened.stream
        play.damage = stream.early_ends.get(camera_id, "").removeprefix(f"{play.clip.path}: ")
        play.frames_played = stream.captured_frames.get(camera_id, 0)
        self._line.captures.forget_for_good(camera_id)
        ticket = self._line.slots.retire(camera_id)
        self._line.detected.put(Ticketed(camera_id, ticket, Farewell(camera_id, is_for_good=True)), beat)


def _nothing() -> None:
    """No camera is in play."""
