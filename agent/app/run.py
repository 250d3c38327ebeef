"""`sitewatch run`: one site, from start to stop."""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from prometheus_client import CollectorRegistry, disable_created_metrics

from agent import __version__
from agent.app.captures import HEARTBEAT_LIMIT_S
from agent.app.detection import Detection, prepare_detection
from agent.app.exit_status import exit_code
from agent.app.happened import Happened, make_happened
from agent.app.health.health_watch import HealthWatch
from agent.app.heaps import spare_heaps
from agent.app.keeping.making import fits_of, keeps_tracks, make_keeper
from agent.app.life import Life
from agent.app.line import Line
from agent.app.machine import Machine
from agent.app.outgoing import make_outgoing
from agent.app.places import state_folder
from agent.app.quiet import quiet_libraries
from agent.app.reload.exchangeable_outgoing import ExchangeableOutgoing
from agent.app.reload.making import Origin, Reloading, make_reloading
from agent.app.reload.reloader import SiteFile
from agent.app.reload.requests import ReloadRequests
from agent.app.reload.running_site import RunningSite
from agent.app.rules import make_rules
from agent.app.status_board import Identity, StatusBoard
from agent.app.stop_requests import StoppedEarlyError, StopRequests
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
from agent.service.children import end_children
from agent.service.exit_codes import ExitCode
from agent.service.notify import Notifier
from agent.service.signals import ReloadSignal, StopSignals
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
# After a failure, for the goodbye and for closing everything; what failed may keep something from closing.
CLOSE_WITHIN_S = 15.0
OUTBOX_FILE = "outbox.sqlite3"


def main(options: argparse.Namespace) -> int:
    """Run a site until stopped; what keeps it from running is told in the log.

    Raises:
        SettingsError: the site file is wrong; there is no log yet.
    """
    stop, reload = StopRequests(), ReloadRequests()
    with StopSignals(stop.ask), ReloadSignal(reload.ask):
        site = load_site(options.site, os.environ)
        mask = Mask(secret.reveal() for secret in secrets_of(site))
        quiet_libraries()
        spare_heaps()
        with Log(site.log.format, site.log.level, sys.stderr, mask) as log:
            origin = Origin(SiteFile(options.site, os.environ, mask), reload, log)
            status = Run(site, SystemClock(), stop, origin).until_stopped()
    if stop.is_thread_left:
        _leave(status)
    return status


def _end_within(seconds: float) -> None:
    last_resort = threading.Timer(seconds, os._exit, (ExitCode.SOFTWARE,))
    last_resort.daemon = True
    last_resort.start()


def _leave(status: int) -> NoReturn:
    """End without waiting for anybody: a thread that is stuck in a vendor's library would not let go."""
    end_children()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


class Run:
    """One run of one site. Everything is built in `until_stopped`, in order, and closed in the opposite order."""

    def __init__(self, site: SiteSettings, clock: Clock, stop: StopRequests, origin: Origin) -> None:
        self._site = site
        self._origin = origin
        self._running: RunningSite | None = None
        self._stop = stop
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
        except StoppedEarlyError:
            happened.process.stopped(is_clean=True)
            return ExitCode.OK
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
                detection = self._stop.unless_asked(lambda: self._detection(happened, life))
            engine = open_things.enter_context(ExitStack())
            engine.callback(self._close_engine, detection)
            outgoing = ExchangeableOutgoing(
                lambda site: make_outgoing(site, self._board, self._clock, happened, self._numbered_by), self._site
            )
            open_things.callback(outgoing.close)
            outgoing.start()
            outcome = self._work(detection, outbox, outgoing, web, happened, life)
            if not outcome.is_clean:
                _end_within(CLOSE_WITHIN_S)
            if outcome.leftover:
                # A thread that is stuck may be stuck in the engine; taking it away would crash what is left.
                engine.pop_all()
                self._stop.is_thread_left = True
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
        outgoing: ExchangeableOutgoing,
        web: WebServer,
        happened: Happened,
        life: Life,
    ) -> Outcome:
        publisher = Publisher(
            outbox, outgoing, self._clock, happened.publish, replay_rate=self._site.outbox.replay_rate
        )
        line = self._line(detection, outbox, publisher, outgoing, happened)
        line.watch_depths()
        publishing = Stage("publish", publisher.run, publisher.stop, self._heartbeat("publish"))
        serving = Stage("http", web.run, web.stop, self._heartbeat("http"))
        reloading, health = self._reloading(happened, life), HealthWatch(self._clock)
        supervisor = Supervisor(
            [*line.ranks(), [publishing], [serving, self._vitals(happened), self._watching(health), reloading.stage]],
            happened.pipeline,
            self._heartbeats,
            stop_within_s=STOP_WITHIN_S,
            tick=life.turn,
        )
        self._running = RunningSite(
            self._site, detection, line, supervisor.changes, outgoing, publisher, outbox, self._board, happened,
            self._origin.log, lambda site, labels: fits_of(site, labels) if keeps_tracks(site) else {},
        )  # fmt: skip
        health.watch(self._running)
        life.prepared(web.address, outgoing.as_outgoing(), outbox)
        self._stop.pass_on_to(supervisor.ask_to_stop)
        outcome = supervisor.run()
        self._stop.is_thread_left = self._stop.is_thread_left or reloading.is_thread_left()
        return outcome

    def _reloading(self, happened: Happened, life: Life) -> Reloading:
        def running() -> RunningSite:
            assert self._running is not None, "made before the threads start"  # noqa: S101 - for the type checker
            return self._running

        return make_reloading(
            self._origin, running, self._folder,
            notifier=self._notifier, clock=self._clock, happened=happened, is_ready=lambda: not life.missing(),
        )  # fmt: skip

    def _line(
        self,
        detection: Detection,
        outbox: Outbox,
        publisher: Publisher,
        outgoing: ExchangeableOutgoing,
        happened: Happened,
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
            on_stop=self._stopping,
        )
        line.keep_with(keeper)
        return line

    def _stopping(self) -> None:
        self._board.stopping()
        self._notifier.stopping("stopping: cameras first, then what is under way, then the broker")

    def _close_engine(self, first: Detection) -> None:
        """That of the start, or whichever a reload has put in its place."""
        (self._running or first).close()

    def _vitals(self, happened: Happened) -> Stage:
        watch = VitalsWatch(self._machine.vitals, happened.devices, self._clock)
        return Stage("vitals", watch.run, watch.stop, self._heartbeat("vitals"))

    def _watching(self, health: HealthWatch) -> Stage:
        return Stage("health", health.run, health.stop, self._heartbeat("health"))

    def _heartbeat(self, name: str) -> Heartbeat:
        return Heartbeat(name, self._clock, HEARTBEAT_LIMIT_S)
