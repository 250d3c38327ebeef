"""One run of the detection server, from start to the end of its drain."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics

from agent import __version__
from agent.app.exit_status import exit_code
from agent.app.happened import Happened, make_happened
from agent.app.machine import Machine
from agent.app.replay.drawing import draw_detections
from agent.app.serve.engines import EngineMaker, Engines
from agent.app.serve.plan import ServePlan
from agent.app.serve.serve_line import ServeLine
from agent.app.stop_requests import StoppedEarlyError, StopRequests
from agent.clock import SystemClock
from agent.errors import SitewatchError
from agent.pipeline.heartbeat import Heartbeats
from agent.pipeline.supervisor import Outcome, Supervisor
from agent.serve.app import Face, make_app
from agent.serve.http_server import HttpServer
from agent.serve.picture import load_readers
from agent.serve.service import Served
from agent.service.exit_codes import ExitCode
from agent.telemetry.serve import ServeHappenings
from devices.errors import DevicesError

# To wind up what is not a request.
CLOSE_WITHIN_S = 5.0


class Serving:
    """Everything is built in `until_stopped`, in order, and closed in the opposite order; main thread."""

    def __init__(self, plan: ServePlan, stop: StopRequests) -> None:
        self._plan = plan
        self._stop = stop
        self._clock = SystemClock()
        self._began_s = self._clock.monotonic_s()
        self._heartbeats = Heartbeats()
        self._served = Served(self._heartbeats.stalled)

    def until_stopped(self) -> int:
        """Start, serve, drain; returns the exit status."""
        disable_created_metrics()  # type: ignore[no-untyped-call] # prometheus_client leaves it bare
        logging.getLogger("python_multipart").disabled = True  # else whoever sends bad forms fills the log
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        happened = make_happened(registry, self._clock)
        told = ServeHappenings(happened.teller)
        try:
            outcome = self._outcome(registry, happened, told)
            if isinstance(outcome.error, SitewatchError):
                raise outcome.error
        except StoppedEarlyError:
            return ExitCode.OK
        except (SitewatchError, DevicesError) as error:
            happened.process.gave_up(error)
            return exit_code(error)
        finally:
            happened.teller.tell_rest()
        happened.process.stopped(is_clean=outcome.is_clean)
        return ExitCode.OK if outcome.is_clean else ExitCode.SOFTWARE

    def _outcome(self, registry: CollectorRegistry, happened: Happened, told: ServeHappenings) -> Outcome:
        limits, address = self._plan.limits, self._plan.address
        face = Face(self._served, registry, told, self._plan.usual, draw_detections, __version__, address.token)
        server = HttpServer(address.host, address.port, make_app(face), self._served, requests=limits.requests)
        server.open()
        with ExitStack() as open_things:
            open_things.callback(server.close)
            told.began(f"sitewatch {__version__} serves {self._plan.model.path} on {server.address}")
            with server.meanwhile():  # an engine may take minutes; who asks for our health is answered
                engines = self._stop.unless_asked(lambda: self._engines(happened))
            closing = open_things.enter_context(ExitStack())
            closing.callback(engines.close)
            pool = ThreadPoolExecutor(self._plan.decoders, "decode")
            open_things.callback(pool.shutdown, wait=False, cancel_futures=True)
            outcome = self._work(engines, server, pool, happened, told)
            if outcome.leftover:
                # A thread that is stuck may be stuck in the engine; taking it away would crash what is left.
                closing.pop_all()
                self._stop.is_thread_left = True
            return outcome

    def _engines(self, happened: Happened) -> Engines:
        def building(sentence: str) -> None:
            self._served.missing = (sentence,)

        load_readers()
        building("looking at the machine and making the model ready")
        return EngineMaker(self._plan, Machine(), self._clock, happened, building).make()

    def _work(
        self,
        engines: Engines,
        server: HttpServer,
        pool: ThreadPoolExecutor,
        happened: Happened,
        told: ServeHappenings,
    ) -> Outcome:
        line = ServeLine(self._plan, engines, self._served, happened, told, self._clock)
        ranks = line.ranks(server, pool, lambda: self._is_ready(server, told))
        supervisor = Supervisor(
            ranks,
            happened.pipeline,
            self._heartbeats,
            stop_within_s=len(ranks) * (self._plan.drain_s + self._plan.limits.deadline_s + CLOSE_WITHIN_S),
            tick=happened.teller.tell_due,
        )
        self._stop.pass_on_to(supervisor.ask_to_stop)
        return supervisor.run()

    def _is_ready(self, server: HttpServer, told: ServeHappenings) -> None:
        self._served.missing = ()
        told.ready(server.address, self._clock.monotonic_s() - self._began_s)
