"""The threads of the detection server: one for HTTP, one a session, one that watches them, one for the model's file."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np

from agent.app.captures import HEARTBEAT_LIMIT_S
from agent.app.happened import Happened
from agent.app.inference_watch import InferenceWatch
from agent.app.serve.engines import Engines
from agent.app.serve.plan import ServePlan
from agent.clock import Clock
from agent.errors import EngineHungError
from agent.pipeline.channel import Beat
from agent.pipeline.heartbeat import Heartbeat
from agent.pipeline.stage import Stage
from agent.serve.batch_queue import BatchQueue, Lane
from agent.serve.batch_work import BatchWork
from agent.serve.fitted_picture import fitted_frame
from agent.serve.http_server import HttpServer
from agent.serve.model_watch import ModelWatch
from agent.serve.service import DetectionService, Served
from agent.stream.frame import Frame
from agent.telemetry.serve import ServeHappenings

PLAIN_GREY = 114


class ServeLine:
    """Makes the stages and what they share; nothing runs yet."""

    def __init__(
        self,
        plan: ServePlan,
        engines: Engines,
        served: Served,
        happened: Happened,
        told: ServeHappenings,
        clock: Clock,
    ) -> None:
        self._plan = plan
        self._engines = engines
        self._served = served
        self._happened = happened
        self._told = told
        self._clock = clock
        self._lanes = [
            Lane(f"{device} #{number}", device)
            for number in range(1, plan.model.sessions + 1)
            for device in engines.by_device
        ]
        self._queue = BatchQueue(self._lanes, engines.batch, plan.max_wait_s)

    def ranks(self, server: HttpServer, decoders: Executor, on_ready: Callable[[], None]) -> list[list[Stage]]:
        """The stages in the order in which they stop; `on_ready` is called once every session is warm."""
        self._served.service = self._service(decoders)
        self._told.watch(
            lambda: self._queue.depth, lambda: self._served.open_requests, lambda: not self._served.lacks()
        )
        watch = InferenceWatch(
            self._engines.plan.model,
            self._engines.runtime,
            float(self._plan.model.inference_deadline),
            self._clock,
            self._happened.detect,
            setting="--inference-deadline",
        )
        return [[self._http(server)], self._sessions(watch, on_ready), [self._watching(watch), self._model_watch()]]

    def _service(self, decoders: Executor) -> DetectionService:
        words = {
            lane.name: {most: each.words for most, each in self._engines.by_device[lane.device].items()}
            for lane in self._lanes
        }
        return DetectionService(self._engines.plan, words, self._queue, self._plan.limits, decoders, self._clock)

    def _http(self, server: HttpServer) -> Stage:
        def drain() -> None:
            self._told.draining()
            server.drain(self._plan.drain_s, self._plan.limits.deadline_s)

        return Stage("http", server.run, drain, self._heartbeat("http"))

    def _sessions(self, watch: InferenceWatch, on_ready: Callable[[], None]) -> list[Stage]:
        all_warm = _After(len(self._lanes), on_ready)
        return [self._session(lane, watch, all_warm.one_more) for lane in self._lanes]

    def _session(self, lane: Lane, watch: InferenceWatch, on_warm: Callable[[], None]) -> Stage:
        heartbeat = self._heartbeat(lane.name)
        watched = watch.worker(heartbeat)
        sizes = self._engines.by_device[lane.device]
        work = BatchWork(
            lane,
            {most: each.for_lane(self._clock, self._happened) for most, each in sizes.items()},
            self._queue,
            self._told,
            plain=self._plain(),
            watched=watched,
            on_warm=on_warm,
            is_measured=self._plan.is_batch_measured,
        )
        stage = Stage(lane.name, work.run, self._queue.close, heartbeat)
        watched.give_up = stage.give_up
        return stage

    def _watching(self, watch: InferenceWatch) -> Stage:
        def run(beat: Beat) -> None:
            try:
                watch.run(beat)
            except EngineHungError as error:
                self._queue.lose(str(error))
                raise

        return Stage("watch", run, watch.stop, self._heartbeat("watch"))

    def _model_watch(self) -> Stage:
        plan = self._engines.plan

        def tell(is_changed: bool) -> None:  # noqa: FBT001 - what a watch tells
            self._served.is_model_changed = is_changed
            self._told.model_changed(str(plan.path), is_changed=is_changed)

        watch = ModelWatch(plan.path, plan.sha256, tell)
        return Stage("model-file", watch.run, watch.stop, self._heartbeat("model-file"))

    def _plain(self) -> Frame:
        image = self._engines.plan.image
        grey = np.full((image.height_px, image.width_px, 3), PLAIN_GREY, np.uint8)
        return fitted_frame(grey, self._engines.plan, 0, self._clock.now(), self._clock.monotonic_s())

    def _heartbeat(self, name: str) -> Heartbeat:
        return Heartbeat(name, self._clock, HEARTBEAT_LIMIT_S)


class _After:
    """Calls once, after so many."""

    def __init__(self, count: int, call: Callable[[], None]) -> None:
        self._left = count
        self._call = call
        self._lock = threading.Lock()

    def one_more(self) -> None:
        with self._lock:
            self._left -= 1
            is_last = self._left == 0
        if is_last:
            self._call()
