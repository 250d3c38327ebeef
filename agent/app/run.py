"""`sitewatch run`: one site, from start to stop."""

from __future__ import annotations

import argparse
import os
import random
import sys
from contextlib import ExitStack
from pathlib import Path

from prometheus_client import CollectorRegistry, disable_created_metrics

from agent import __version__
from agent.app.detection import Detection, prepare_detection
from agent.app.exit_status import exit_code
from agent.app.happened import Happened, make_happened
from agent.app.keeping.making import keeps_tracks, make_keeper
from agent.app.life import Life
from agent.app.line import HEARTBEAT_LIMIT_S, Line
from agent.app.machine import Machine
from agent.app.outgoing import Outgoing, make_outgoing
from agent.app.places import state_folder
from agent.app.quiet import quiet_libraries
from agent.app.rules import make_rules
from agent.app.status_board import Identity, StatusBoard
from agent.app.vitals_watch import VitalsWatch
from agent.app.works.told import Told
from agent.clock import Clock, SystemClock
from agent.errors import SitewatchError
from agent.events.event_ids import EventIds
from agent.pipeline.heartbeat import Heartbeat, Heartbeats
from agent.pipeline.stage import Stage
from agent.pipeline.supervisor import Outcome, Supervisor
from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload
from agent.publish.publisher import Publisher
from agent.service.exit_codes import ExitCode
from agent.service.notify import Notifier
from agent.service.signals import StopSignals
from agent.settings.effective import digest
from agent.settings.load import load_site
from agent.settings.models import SiteSettings
from agent.settings.secrets_in_use import secrets_of
from agent.telemetry.log import Log
from agent.telemetry.masking import Mask
from agent.web.answers import Answers
from agent.web.web_server import WebServer
from devices.errors import DevicesError

STOP_WITHIN_S = 20.0
OUTBOX_FILE = "outbox.sqlite3"


def main(options: argparse.Namespace) -> int:
    """Run a site until stopped; what keeps it from running is told in the log.

    Raises:
        SettingsError: the site file is wrong; there is no log yet.
    """
    site = load_site(options.site, os.environ)
    mask = Mask(secret.reveal() for secret in secrets_of(site))
    quiet_libraries()
    with Log(site.log.format, site.log.level, sys.stderr, mask):
        return Run(site, SystemClock()).until_stopped()


class Run:
    """One run of one site. Everything is built in `until_stopped`, in order, and closed in the opposite order."""

    def __init__(self, site: SiteSettings, clock: Clock) -> None:
        self._site = site
        self._clock = clock
        self._ids = EventIds(clock, random.SystemRandom())
        self._run_id = self._ids.next_id()
        self._heartbeats = Heartbeats()
        self._notifier = Notifier(os.environ, os.getpid())
        identity = Identity(site.site, __version__, self._run_id, digest(site))
        self._board = StatusBoard(identity, list(site.cameras), clock)
        self._machine = Machine.of_site(site)
        self._numbered_by: dict[tuple[str, int], str] = {}
        self._folder = state_folder(site, os.environ, Path.home())

    def until_stopped(self) -> int:
        """Start, work, stop; returns the exit status."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client leaves it bare
        registry = CollectorRegistry()
        happened = make_happened(registry, self._clock, self._board.on_camera)
        happened.process.began(__version__, self._site.site, self._run_id)
        try:
            outcome = self._outcome(registry, happened)
            if isinstance(outcome.error, SitewatchError):
                raise outcome.error
        except (SitewatchError, DevicesError) as error:
            happened.process.gave_up(error)
            return exit_code(error)
        finally:
            happened.teller.tell_rest()
        happened.process.stopped(is_clean=outcome.is_clean)
        return ExitCode.OK if outcome.is_clean else ExitCode.SOFTWARE

    def _outcome(self, registry: CollectorRegistry, happened: Happened) -> Outcome:
        with ExitStack() as open_things:
            outbox = self._outbox(happened)
            open_things.callback(outbox.close)
            life = Life(self._board, self._notifier, self._heartbeats, happened, self._clock)
            web = self._web(registry, life)
            open_things.callback(web.close)
            with web.meanwhile():  # an engine may take minutes; who asks for our health is answered
                detection = self._detection(happened, life)
            engine = open_things.enter_context(ExitStack())
            engine.callback(detection.close)
            outgoing = make_outgoing(self._site, self._board, self._clock, happened, self._numbered_by)
            open_things.callback(outgoing.close)
            outgoing.start()
            outcome = self._work(detection, outbox, outgoing, web, happened, life)
            if outcome.leftover:
                # A thread that is stuck may be stuck in the engine; taking it away would crash what is left.
                engine.pop_all()
            return outcome

    def _outbox(self, happened: Happened) -> Outbox:
        limits = OutboxLimits(int(self._site.outbox.max_size), float(self._site.outbox.max_age))
        outbox = Outbox(
            self._folder / OUTBOX_FILE, limits, self._clock, happened.publish, event_payload,
            follows_objects=keeps_tracks(self._site),
        )  # fmt: skip
        outbox.open()
        happened.publish.watch_outbox(
            lambda: outbox.size().events, lambda: outbox.size().bytes, lambda: outbox.size().oldest_age_s
        )
        return outbox

    def _web(self, registry: CollectorRegistry, life: Life) -> WebServer:
        http = self._site.http
        answers = Answers(registry, self._heartbeats, life.missing, life.status)
        web = WebServer(http.host, http.port, answers, None if http.token is None else http.token.reveal())
        web.open()
        return web

    def _detection(self, happened: Happened, life: Life) -> Detection:
        life.preparing("looking at the machine and making the model ready")
        detection = prepare_detection(
            self._site.model,
            self._site.detection,
            self._site.cameras,
            self._machine,
            clock=self._clock,
            happened=happened,
            folder=self._folder,
            building=life.preparing,
        )
        self._board.engine_chosen(detection)
        return detection

    def _work(
        self,
        detection: Detection,
        outbox: Outbox,
        outgoing: Outgoing,
        web: WebServer,
        happened: Happened,
        life: Life,
    ) -> Outcome:
        publisher = Publisher(outbox, outgoing.sink, self._clock, happened.publish)
        line = self._line(detection, outbox, publisher, outgoing, happened)
        line.watch_depths()
        publishing = Stage("publish", publisher.run, publisher.stop, self._heartbeat("publish"))
        serving = Stage("http", web.run, web.stop, self._heartbeat("http"))
        supervisor = Supervisor(
            [*line.ranks(), [publishing], [serving, self._vitals(happened)]],
            happened.pipeline,
            self._heartbeats,
            stop_within_s=STOP_WITHIN_S,
            tick=life.turn,
        )
        life.prepared(web.address, outgoing, outbox)
        with StopSignals(supervisor.ask_to_stop):
            return supervisor.run()

    def _line(
        self, detection: Detection, outbox: Outbox, publisher: Publisher, outgoing: Outgoing, happened: Happened
    ) -> Line:
        def tell(told: Told) -> None:
            publisher.accept(told.events)
            if told.tracked is not None:
                outgoing.tell_frame(told.tracked)

        rules = make_rules(self._site, self._ids, happened, self._run_id)
        keeper = make_keeper(
            self._site, detection, outbox, rules, self._folder,
            clock=self._clock, happened=happened, numbered_by=self._numbered_by,
        )  # fmt: skip
        line = Line(
            self._site,
            detection,
            rules,
            tell,
            clock=self._clock,
            happened=happened,
            rng=random.SystemRandom(),
            on_stop=self._board.stopping,
        )
        line.keep_with(keeper)
        return line

    def _vitals(self, happened: Happened) -> Stage:
        watch = VitalsWatch(self._machine.vitals, happened.devices, self._clock)
        return Stage("vitals", watch.run, watch.stop, self._heartbeat("vitals"))

    def _heartbeat(self, name: str) -> Heartbeat:
        return Heartbeat(name, self._clock, HEARTBEAT_LIMIT_S)
