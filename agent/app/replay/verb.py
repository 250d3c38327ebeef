"""`sitewatch replay`."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

from prometheus_client import CollectorRegistry

from agent.app.detection import Detection, prepare_detection
from agent.app.happened import Happened, make_happened
from agent.app.line import Line
from agent.app.machine import Machine
from agent.app.quiet import quiet_libraries
from agent.app.replay.outputs import Outputs
from agent.app.replay.progress import ReplayProgress
from agent.app.replay.site import replay_site
from agent.app.rules import make_rules
from agent.clock import Clock, SystemClock
from agent.errors import SitewatchError
from agent.events.event_ids import EventIds
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.supervisor import Supervisor
from agent.service.exit_codes import ExitCode
from agent.service.signals import StopSignals
from agent.settings.models import SiteSettings
from agent.telemetry.log import Log
from agent.telemetry.masking import Mask

STOP_WITHIN_S = 20.0


def main(options: argparse.Namespace) -> int:
    """Run one clip through the whole line.

    Raises:
        SitewatchError: the clip, the model or an output cannot be used.
    """
    clock = SystemClock()
    quiet_libraries()
    with Log("text", "warning", sys.stderr, Mask()):
        site = replay_site(options)
        happened = make_happened(CollectorRegistry(), clock)
        detection = prepare_detection(
            site.model,
            site.detection,
            site.cameras,
            Machine.of_site(site),
            clock=clock,
            happened=happened,
            folder=None,
        )
        try:
            return _replay(site, options, detection, clock, happened)
        finally:
            detection.close()


def _replay(
    site: SiteSettings, options: argparse.Namespace, detection: Detection, clock: Clock, happened: Happened
) -> int:
    outputs = Outputs(options)
    rules = make_rules(site, EventIds(clock, random.SystemRandom()), happened)
    began_s = clock.monotonic_s()
    with outputs, ReplayProgress(Path(options.clip)) as progress:
        line = Line(site, detection, rules, outputs.tell, clock=clock, happened=happened, rng=None)
        supervisor = Supervisor(
            line.ranks(),
            happened.pipeline,
            Heartbeats(),
            stop_within_s=STOP_WITHIN_S,
            tick=lambda: progress.at(outputs.frames),
        )
        with StopSignals(supervisor.ask_to_stop):
            outcome = supervisor.run()
        if outcome.error is not None:
            outputs.discard()
    happened.teller.tell_rest()
    if isinstance(outcome.error, SitewatchError):
        raise outcome.error
    if not outcome.is_clean:
        return ExitCode.SOFTWARE
    _tell_end(options.clip, outputs, detection, clock.monotonic_s() - began_s)
    return ExitCode.DATAERR if happened.stream.early_ends else ExitCode.OK


def _tell_end(clip: str, outputs: Outputs, detection: Detection, seconds: float) -> None:
    rate = outputs.frames / seconds if seconds > 0 else 0.0
    print(
        f"{Path(clip).name}: {outputs.frames} frames in {seconds:.1f} s ({rate:.1f}/s), "
        f"{outputs.events} events; {detection.model} on {detection.engine}",
        file=sys.stderr,
    )
