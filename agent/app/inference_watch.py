"""Notices an inference that never comes back: a driver may hang, and no thread can be taken out of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent.clock import Clock
from agent.errors import EngineHungError
from agent.pipeline.channel import Beat
from agent.pipeline.heartbeat import Heartbeat
from agent.telemetry.detect import DetectHappenings

TURN_S = 0.25
# The longest that one turn counts as: if the whole process stood still meanwhile, the engine is not to blame.
MOST_OF_A_TURN_S = 1.0
# The first inference with so many pictures may compile something, and some run-times take minutes for it.
FIRST_LIMIT_S = 600.0


@dataclass(eq=False)
class _Inference:
    limit_s: float
    age_s: float = 0.0


@dataclass(eq=False)
class WatchedWorker:
    """One detect worker as the watch sees it; `inference` belongs to its thread.

    Attributes:
        heartbeat: the worker's; the watch beats it as long as an inference may take its time.
        give_up: called when the worker is stuck, so that a stop does not wait for it.
    """

    heartbeat: Heartbeat
    limit_s: float
    give_up: Callable[[], None] = lambda: None
    _known: set[int] = field(default_factory=set)
    _running: _Inference | None = None

    @contextmanager
    def inference(self, pictures: int) -> Iterator[None]:
        """While entered, an inference of so many pictures runs."""
        self._running = _Inference(self.limit_s if pictures in self._known else max(self.limit_s, FIRST_LIMIT_S))
        try:
            yield
        finally:
            self._running = None
        self._known.add(pictures)

    def grow_older(self, seconds: float) -> float | None:
        """Time passed; how long the inference has lasted if that is too long. Called by the watch alone."""
        running = self._running
        if running is None:
            return None
        running.age_s += seconds
        if running.age_s > running.limit_s:
            return running.age_s
        self.heartbeat.beat()
        return None


class InferenceWatch:
    """`run` is a stage's work; it ends with an error, and so ends everything, when an inference exceeds its limit."""

    def __init__(
        self,
        model: str,
        engine: str,
        limit_s: float,
        clock: Clock,
        happened: DetectHappenings,
        *,
        setting: str = "model.inference_deadline in the site file",
    ) -> None:
        """Nothing is watched yet.

        Args:
            model: its name, for people.
            engine: the same.
            limit_s: seconds that one inference may take; the first ones of each size may take minutes.
            clock: measures them.
            happened: is told of a hang.
            setting: where a person changes the limit.
        """
        self._model = model
        self._engine = engine
        self._limit_s = limit_s
        self._clock = clock
        self._happened = happened
        self._setting = setting
        self._workers: list[WatchedWorker] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._turned_at_s: float | None = None

    def worker(self, heartbeat: Heartbeat) -> WatchedWorker:
        """Watch another worker from now on."""
        made = WatchedWorker(heartbeat, self._limit_s)
        with self._lock:
            self._workers.append(made)
        return made

    def follow(self, model: str, engine: str, limit_s: float) -> None:
        """Workers made from now on run this; those of before are gone, or about to go."""
        self._model, self._engine, self._limit_s = model, engine, limit_s

    def forget(self, worker: WatchedWorker) -> None:
        """Its thread has ended."""
        with self._lock:
            self._workers.remove(worker)

    def run(self, beat: Beat) -> None:
        """Watch until stopped.

        Raises:
            EngineHungError: an inference lasts too long.
        """
        while not self._stopping.wait(TURN_S):
            beat()
            self.turn()

    def stop(self) -> None:
        """End soon; any thread."""
        self._stopping.set()

    def turn(self) -> None:
        """Look once.

        Raises:
            EngineHungError: an inference lasts too long.
        """
        now_s = self._clock.monotonic_s()
        passed_s = 0.0 if self._turned_at_s is None else min(MOST_OF_A_TURN_S, now_s - self._turned_at_s)
        self._turned_at_s = now_s
        with self._lock:
            workers = list(self._workers)
        hung = [(worker, age_s) for worker in workers if (age_s := worker.grow_older(passed_s)) is not None]
        for worker, age_s in hung:
            self._happened.engine_hung(self._model, self._engine, worker.heartbeat.name, age_s)
            worker.give_up()
        if hung:
            raise EngineHungError(
                f"{self._model} on {self._engine}: an inference has not come back for {hung[0][1]:.0f} s; only a new "
                f"process can mend that ({self._setting} says how long one may take)"
            )
