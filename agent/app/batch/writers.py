"""Writers behind a line: each keeps the files of one lane's clips."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress

from agent.app.batch.clip_files import ClipFiles, ResultPaths
from agent.app.batch.plays import Play, Plays
from agent.app.batch.records import Looks, Records
from agent.app.batch.results import Result, State
from agent.app.captures import HEARTBEAT_LIMIT_S
from agent.app.works.told import Told
from agent.clock import Clock
from agent.errors import OutputError
from agent.pipeline.channel import Beat, Channel, ChannelClosed, WhenFull
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.stage import Stage

# Frames that wait for a writer; each holds a decoded picture.
CAPACITY = 4


class Writers:
    """One for each lane, so that encoding of videos goes on side by side."""

    def __init__(
        self,
        count: int,
        plays: Plays,
        records: Records,
        options: argparse.Namespace,
        finished: Callable[[Result], None],
        *,
        clock: Clock,
        forget: Callable[[str], None],
    ) -> None:
        """Nothing is written yet.

        Args:
            count: of lanes.
            plays: the clips in play.
            records: where it is written down what came of each.
            options: `out`, `mot`, `no_video`.
            finished: is told what came of each, by any thread.
            clock: for how long it took.
            forget: lets go of a camera of which nothing is under way any more, and nothing ever will be.
        """
        self.plays, self.records, self.options, self.finished = plays, records, options, finished
        self.clock, self.forget = clock, forget
        self._channels: list[Channel[Told]] = [Channel(CAPACITY, WhenFull.BLOCK) for _ in range(count)]

    def stages(self) -> list[Stage]:
        """The last rank of the line."""
        return [self._stage(number, channel) for number, channel in enumerate(self._channels)]

    def tell(self, told: Told) -> None:
        """Hand a frame to the writer of its clip."""
        with suppress(ChannelClosed):  # it could not write, and everything stops
            self._channels[self.plays.of(told).lane].put(told)

    def _stage(self, number: int, channel: Channel[Told]) -> Stage:
        writer = Writer(channel, self)
        heartbeat = Heartbeat(f"write-{number}", self.clock, HEARTBEAT_LIMIT_S)
        return Stage(heartbeat.name, writer.run, channel.close, heartbeat)


class Writer:
    """The files of the clips of one lane; `run` belongs to its thread."""

    def __init__(self, channel: Channel[Told], writers: Writers) -> None:
        self._channel = channel
        self._writers = writers
        self._open: dict[str, ClipFiles] = {}

    def run(self, beat: Beat) -> None:
        """Write until the channel is closed and empty; what has not come to its end then is taken away.

        Raises:
            OutputError: nothing can be written any more.
        """
        try:
            for told in self._channel.items(beat):
                self._take(told)
        finally:
            self._channel.close()
            for files in self._open.values():
                files.discard()

    def _take(self, told: Told) -> None:
        play = self._writers.plays.of(told)
        try:
            if told.ended is not None:
                self._finish(play)
            elif play.failure is None:
                self._write(play, told)
        except Exception as error:  # the outermost loop of one clip: what it sets off, the others survive
            if _is_about_the_disk(error):
                raise _as_output_error(error) from error
            self._spoil(play, error)
            if told.ended is not None:
                self._finish(play)

    def _write(self, play: Play, told: Told) -> None:
        self._files(play).tell(told)
        play.frames += told.tracked is not None

    def _files(self, play: Play) -> ClipFiles:
        camera_id = play.clip.camera_id
        if camera_id not in self._open:
            self._open[camera_id] = ClipFiles(play.clip, self._paths(play)).open()
        return self._open[camera_id]

    def _spoil(self, play: Play, error: Exception) -> None:
        """Its pictures cannot be written, whatever the disk says; the other clips go on."""
        play.fail(str(error) if isinstance(error, OutputError) else f"{type(error).__name__}: {error}")
        files = self._open.pop(play.clip.camera_id, None)
        if files is not None:
            files.discard()

    def _finish(self, play: Play) -> None:
        if play.failure is None and not play.frames:
            play.fail("no picture in it could be looked at")
        result = self._failed(play) if play.failure is not None else self._kept(play)
        self._writers.plays.end(play)
        self._writers.forget(play.clip.camera_id)
        self._writers.finished(result)

    def _failed(self, play: Play) -> Result:
        files = self._open.pop(play.clip.camera_id, None)
        if files is not None:
            files.discard()
        self._writers.records.remove(play.clip)
        return Result(play.clip, State.FAILED, play.failure or "", seconds=self._seconds(play))

    def _kept(self, play: Play) -> Result:
        paths, records = self._paths(play), self._writers.records
        records.remove(play.clip, keep=paths)
        files = self._open.pop(play.clip.camera_id)
        files.keep()
        damage = _damage(play)
        state = State.DAMAGED if damage else State.DONE
        result = Result(play.clip, state, damage, files.counts, self._seconds(play))
        records.write(result, play.looks or Looks(0, 0), paths)
        return result

    def _paths(self, play: Play) -> ResultPaths:
        return ResultPaths.of(play.clip, self._writers.options)

    def _seconds(self, play: Play) -> float:
        return self._writers.clock.monotonic_s() - play.began_s


def _damage(play: Play) -> str:
    lost = play.frames_played - play.frames
    return play.damage or (f"detection failed in {lost} of {play.frames_played} frames" if lost > 0 else "")


def _is_about_the_disk(error: Exception) -> bool:
    """Whether the system refuses to write, rather than an encoder a picture."""
    return isinstance(error.__cause__ if isinstance(error, OutputError) else error, OSError)


def _as_output_error(error: Exception) -> OutputError:
    return error if isinstance(error, OutputError) else OutputError(f"results cannot be written: {error}")
