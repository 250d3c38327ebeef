"""`sitewatch batch`."""

from __future__ import annotations

import argparse
import math
import random
import sys
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from agent.app.batch.clip_files import ResultPaths
from agent.app.batch.clips import Clip, find_clips
from agent.app.batch.deciding import deciding_digest
from agent.app.batch.inputs import Inputs
from agent.app.batch.lanes import Lanes
from agent.app.batch.out_folder import OutFolder
from agent.app.batch.plays import Plays
from agent.app.batch.progress import BatchProgress
from agent.app.batch.records import Records
from agent.app.batch.results import Result, State
from agent.app.batch.site import batch_site
from agent.app.batch.summary import Summary
from agent.app.batch.writers import Writers
from agent.app.detection import Detection, label_filters, prepare_detection
from agent.app.happened import Happened, make_happened
from agent.app.line import Line
from agent.app.machine import Machine
from agent.app.quiet import quiet_libraries
from agent.app.rules import make_rules
from agent.app.saying import say
from agent.clock import Clock, SystemClock
from agent.errors import OutputError, SitewatchError
from agent.events.event_ids import EventIds
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.supervisor import Outcome, Supervisor
from agent.service.exit_codes import ExitCode
from agent.service.signals import StopSignals
from agent.settings.models import SiteSettings
from agent.telemetry.log import Log
from agent.telemetry.masking import Mask

STOP_WITHIN_S = 20.0
SIGNAL_STATUS = 128
# Decoders beyond this only take memory where the engine does not need them for its batches.
MOST_FOR_CORES = 8


def main(options: argparse.Namespace) -> int:
    """Run many clips through one line.

    Raises:
        SitewatchError: there are no clips, or the model, settings or results cannot be used.
    """
    quiet_libraries()
    clips = find_clips(options.clips)
    site = batch_site(options, clips[0])
    with OutFolder(options.out), BatchProgress() as progress, Log("text", "warning", sys.stderr, Mask()):
        batch = Batch(options, clips, site, SystemClock(), progress)
        played = batch.play()
        summary = batch.summary(played)
        _write(summary, options.out, has_failed=played.error is not None)
    say(summary.as_text())
    return played.status(summary)


def _write(summary: Summary, folder: Path, *, has_failed: bool) -> None:
    try:
        summary.write(folder)
    except OutputError:
        if not has_failed:  # then what ended the run is told, not this
            raise


@dataclass(frozen=True)
class Played:
    """How the playing ended.

    Attributes:
        error: what ended it, if anything did.
        signal: which one ended it, if one did.
        seconds: that it took.
        engine: what detected.
        is_clean: whether every thread has ended.
    """

    error: BaseException | None = None
    signal: int | None = None
    seconds: float = 0.0
    engine: str = ""
    is_clean: bool = True

    def status(self, summary: Summary) -> int:
        """The exit status.

        Raises:
            SitewatchError: what ended it.
        """
        if isinstance(self.error, SitewatchError):
            raise self.error
        if self.error is not None or not self.is_clean:
            return ExitCode.SOFTWARE
        if self.signal is not None:
            return SIGNAL_STATUS + self.signal
        bad = {State.FAILED.value, State.DAMAGED.value}
        return ExitCode.DATAERR if bad & summary.states.keys() else ExitCode.OK


class Batch:
    """One run over all clips."""

    def __init__(
        self,
        options: argparse.Namespace,
        clips: list[Clip],
        site: SiteSettings,
        clock: Clock,
        progress: BatchProgress,
    ) -> None:
        """Nothing is looked at yet.

        Args:
            options: as `command_line` describes them.
            clips: all of them.
            site: what they are played with; its camera is the first of them.
            clock: for everything that needs time.
            progress: is told how far it is.
        """
        self._options, self._clips, self._site = options, clips, site
        self._clock, self._progress = clock, progress
        self._before: list[Result] = []

    def play(self) -> Played:
        """Play what is not done.

        Raises:
            SitewatchError: the model or the folder cannot be used.
        """
        inputs = Inputs(self._clips)
        paths = {clip.name: ResultPaths.of(clip, self._options) for clip in self._clips}
        inputs.refuse_as_results(paths.values())
        records = Records(self._options.out, deciding_digest(self._site, self._options), inputs)
        found = [] if self._options.anew else [records.find(clip, paths[clip.name]) for clip in self._clips]
        self._before = [result for result in found if result is not None]
        done = {result.clip.name for result in self._before}
        left = [clip for clip in self._clips if clip.name not in done]
        for clip in left:
            records.clean(clip, paths[clip.name])
        self._progress.begin(len(left), len(done))
        return self._play(left, records) if left else Played()

    def summary(self, played: Played) -> Summary:
        """What came of all of them."""
        ended = {result.clip.name: result for result in [*self._before, *self._progress.results]}
        results = [ended.get(clip.name) or Result(clip, State.INTERRUPTED) for clip in self._clips]
        names = frozenset(result.clip.name for result in self._progress.results)
        return Summary(results, names, played.seconds, played.engine)

    def _play(self, clips: list[Clip], records: Records) -> Played:
        happened = make_happened(CollectorRegistry(), self._clock)
        machine = Machine.of_site(self._site)
        detection = prepare_detection(
            self._site.model, self._site.detection, self._site.cameras, machine,
            clock=self._clock, happened=happened, folder=None,
        )  # fmt: skip
        try:
            needed = detection.workers * detection.batch
            usual = max(needed, min(math.ceil(machine.hardware().cpu_limit), MOST_FOR_CORES))
            return self._run(clips, min(self._options.jobs or usual, len(clips)), detection, records, happened)
        finally:
            detection.close()
            happened.teller.tell_rest()

    def _run(self, clips: list[Clip], jobs: int, detection: Detection, records: Records, happened: Happened) -> Played:
        clock, plays = self._clock, Plays()
        writers = Writers(
            jobs, plays, records, self._options, self._progress.finished,
            clock=clock, forget=lambda camera_id: _forget(camera_id, detection, happened),
        )  # fmt: skip
        line = self._line(detection, writers, happened)
        (label_filter,) = label_filters(detection.labels, self._site.detection, self._site.cameras).values()
        lanes = Lanes(
            line, clips, plays, label_filter,
            clock=clock, happened=happened, counts_frames=self._progress.is_watched,
        )  # fmt: skip
        supervisor = Supervisor(
            [lanes.stages(jobs), *line.ranks()[1:], writers.stages()],
            happened.pipeline,
            Heartbeats(),
            stop_within_s=STOP_WITHIN_S,
            tick=lambda: self._progress.turn(plays),
        )
        began_s = clock.monotonic_s()
        with StopSignals(supervisor.ask_to_stop) as signals:
            outcome: Outcome = supervisor.run()
        self._progress.turn(plays)
        engine = f"{detection.model} on {detection.engine}"
        seconds = clock.monotonic_s() - began_s
        return Played(outcome.error, signals.received, seconds, engine, outcome.is_clean)

    def _line(self, detection: Detection, writers: Writers, happened: Happened) -> Line:
        """Without cameras: lanes are in front of it."""
        rules = make_rules(self._site, EventIds(self._clock, random.SystemRandom()), happened)
        site = self._site.model_copy(update={"cameras": {}})
        return Line(site, detection, rules, writers.tell, clock=self._clock, happened=happened, rng=None)


def _forget(camera_id: str, detection: Detection, happened: Happened) -> None:
    """However many clips there are, only those in play take memory."""
    detection.forget(camera_id)
    happened.forget_camera(camera_id)
