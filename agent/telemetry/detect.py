"""How detection is told: engines, inferences, what was seen."""

from __future__ import annotations

import logging
from collections import Counter as TallyOf
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from prometheus_client import Counter, Histogram

from agent.telemetry.teller import SECONDS_BUCKETS, Teller

BATCH_BUCKETS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)


class _EngineMetrics(NamedTuple):
    """Metrics of every inference, bound to an engine's labels."""

    seconds: Histogram
    latencies: Histogram
    inferences: Counter
    batch_sizes: Histogram


class DetectHappenings:
    """Told by whoever makes engines ready, and by detect workers; any thread may call.

    The metrics without prefix are those that dashboards of other inference servers look for.

    Attributes:
        failed_inferences: about how many, so far.
    """

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        engine = ("model", "runtime")
        self._loaded = teller.gauge("engine_loaded", "1 for the engine in use.", (*engine, "accelerator"))
        self._load_seconds = teller.seconds("engine_load_seconds", "Time to make an engine ready.", engine)
        self._fallbacks = teller.counter("engine_fallbacks", "Candidates that could not be used.", ("runtime",))
        self._worker_restarts = teller.counter(
            "engine_worker_restarts", "Engine workers that were lost and started again.", ("model",)
        )
        self._seconds = teller.seconds("inference_seconds", "Duration of one inference of a batch.", engine)
        self.failed_inferences = 0
        self._failures = teller.counter("inference_failures", "Inferences that failed.", engine)
        self._hangs = teller.counter("engine_hangs", "Inferences that never came back.", ("model",))
        self._batch_sizes = Histogram(
            "sitewatch_inference_batch_size",
            "Frames in one inference.",
            engine,
            buckets=BATCH_BUCKETS,
            registry=teller.registry,
        )
        self._inferences = Counter(
            "model_inference", "Inferences done, of one batch each.", engine, registry=teller.registry
        )
        self._latencies = Histogram(
            "model_inference_latency_seconds",
            "Duration of one inference of a batch.",
            engine,
            buckets=SECONDS_BUCKETS,
            registry=teller.registry,
        )
        self._detections = Counter(
            "detections", "Detections that passed every threshold.", ("camera", "label"), registry=teller.registry
        )
        self._bound: dict[tuple[str, str], Counter] = {}
        self._engines: dict[tuple[str, str], _EngineMetrics] = {}

    def plan_made(self, sentence: str) -> None:
        """A model was read and it is known how it will be fed and read."""
        self._teller.say(logging.INFO, sentence)

    def batch_refused(self, model: str, reason: str) -> None:
        """A model that declares an open batch cannot take several pictures at once."""
        self._teller.say(logging.WARNING, f"{model}: takes one picture at a time: {reason}", model=model)

    def engine_loaded(
        self, model: str, runtime: str, version: str, accelerator: str, reason: str, seconds: float
    ) -> None:
        """An engine is ready to be used."""
        self._loaded.labels(model, runtime, accelerator).set(1)
        self._load_seconds.labels(model, runtime).observe(seconds)
        sentence = f"{model}: ready on {runtime} {version}, {accelerator}, after {seconds:.1f} s: {reason}"
        self._teller.say(logging.INFO, sentence, model=model, runtime=runtime, accelerator=accelerator)

    def engine_exchanged(self, model: str, runtime: str, accelerator: str) -> None:
        """This engine detects from now on, in the place of the one before."""
        self._loaded.clear()
        self._loaded.labels(model, runtime, accelerator).set(1)
        sentence = f"{model} on {runtime}, {accelerator}, detects from now on"
        self._teller.say(logging.INFO, sentence, model=model, runtime=runtime, accelerator=accelerator)

    def worker_restarted(self, model: str, sentence: str) -> None:
        """The process that an engine runs in was lost, and started again."""
        self._worker_restarts.labels(model).inc()
        self._teller.say(logging.WARNING, f"{model}: {sentence}", model=model)

    def choice_forgotten(self, model: str, reason: str) -> None:
        """What an earlier start found out about the engines is not used, or not kept."""
        self._teller.say(logging.WARNING, f"{model}: {reason}", model=model)

    def engine_fell_back(self, model: str, runtime: str, reason: str) -> None:
        """A candidate could not be used; the next is tried."""
        self._fallbacks.labels(runtime).inc()
        self._teller.say(logging.WARNING, f"{model}: {runtime} is not used: {reason}", model=model, runtime=runtime)

    def inferred(self, model: str, runtime: str, batch_size: int, seconds: float) -> None:
        """One inference of `batch_size` frames succeeded."""
        bound = self._engines.get((model, runtime))
        if bound is None:
            bound = self._engines[model, runtime] = self._bound_engine(model, runtime)
        bound.seconds.observe(seconds)
        bound.latencies.observe(seconds)
        bound.inferences.inc()
        bound.batch_sizes.observe(batch_size)

    def inference_failed(self, model: str, runtime: str, error: Exception) -> None:
        """One inference failed, or its answer cannot be read; its frames are skipped."""
        self._failures.labels(model, runtime).inc()
        self.failed_inferences += 1  # of two at one moment one may be missed, which changes nothing
        sentence = f"{model} on {runtime}: {{count}} inferences failed in {{seconds}} s; the last: {error}"
        self._teller.fold(("inference_failed", model, runtime), logging.ERROR, sentence, model=model, runtime=runtime)

    def engine_hung(self, model: str, engine: str, worker: str, seconds: float) -> None:
        """An inference lasts far too long; the process is about to end because of it."""
        self._hangs.labels(model).inc()
        sentence = f"{model} on {engine} hangs: an inference of {worker} has not come back for {seconds:.0f} s"
        self._teller.say(logging.CRITICAL, sentence, model=model, engine=engine, worker=worker)

    def detected(self, camera_id: str, labels: tuple[str, ...], class_ids: npt.NDArray[np.integer[Any]]) -> None:
        """A frame was searched, and these classes were found in it, one id a detection."""
        for class_id, count in TallyOf(class_ids.tolist()).items():
            self._counter_of(camera_id, labels[class_id]).inc(count)

    def _bound_engine(self, model: str, runtime: str) -> _EngineMetrics:
        return _EngineMetrics(
            self._seconds.labels(model, runtime),
            self._latencies.labels(model, runtime),
            self._inferences.labels(model, runtime),
            self._batch_sizes.labels(model, runtime),
        )

    def forget(self, camera_id: str) -> None:
        """A camera never comes back; called when nothing of it is under way."""
        for key in [key for key in list(self._bound) if key[0] == camera_id]:
            del self._bound[key]
            self._detections.remove(*key)

    def _counter_of(self, camera_id: str, label: str) -> Counter:
        """The bound counter; binding costs more than counting."""
        bound = self._bound.get((camera_id, label))
        if bound is None:
            # Two threads may both bind the same labels; they get the same child.
            bound = self._bound[camera_id, label] = self._detections.labels(camera_id, label)
        return bound
