"""How the life of threads and hand-offs is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal

from prometheus_client import Histogram

from agent.errors import SitewatchError
from agent.telemetry.teller import Teller

StageLabel = Literal["decode", "preprocess", "inference", "postprocess", "track", "events", "publish"]


class PipelineHappenings:
    """Told by the supervisor and by every step that takes time; any thread may call."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller
        self._durations = teller.seconds(
            "stage_duration_seconds", "Time one frame or batch spends in one step of the line.", ("stage", "camera")
        )
        self._depths = teller.gauge("stage_queue_depth", "Items that wait in front of a stage.", ("stage",))
        self._failures = teller.counter("stage_failures", "Threads that ended with an exception.", ("stage",))
        self._stalls = teller.counter("stage_stalls", "Times a thread's loop stopped turning.", ("stage",))
        self._leftovers = teller.counter("stage_leftovers", "Threads alive after the stop deadline.", ("stage",))
        self._bound: dict[tuple[str, str], Histogram] = {}

    def stage_took(self, stage: StageLabel, camera_id: str, seconds: float) -> None:
        """A step spent `seconds` on one frame (or batch) of a camera."""
        bound = self._bound.get((stage, camera_id))
        if bound is None:
            # Two threads may both bind the same labels; they get the same child.
            bound = self._bound[stage, camera_id] = self._durations.labels(stage, camera_id)
        bound.observe(seconds)

    def forget(self, camera_id: str) -> None:
        """A camera never comes back; called when nothing of it is under way."""
        for key in [key for key in list(self._bound) if key[1] == camera_id]:
            del self._bound[key]

    def watch_depth(self, stage: str, depth: Callable[[], int]) -> None:
        """Show what `depth()` returns whenever metrics are read; `depth` must be quick and safe from any thread."""
        self._depths.labels(stage).set_function(depth)

    def stage_started(self, name: str) -> None:
        """A thread runs."""
        self._teller.say(logging.DEBUG, f"{name}: started", stage=name)

    def stage_finished(self, name: str) -> None:
        """A thread came to its normal end."""
        self._teller.say(logging.DEBUG, f"{name}: finished", stage=name)

    def stage_failed(self, name: str, error: BaseException) -> None:
        """A thread ended with an exception; everything stops. What was raised on purpose is told by who catches it."""
        self._failures.labels(name).inc()
        if isinstance(error, SitewatchError):
            self._teller.say(logging.INFO, f"{name}: failed, so everything stops", stage=name)
            return
        sentence = f"{name}: failed, so everything stops: {type(error).__name__}: {error}"
        self._teller.say_error(logging.ERROR, sentence, error, stage=name)

    def stop_action_failed(self, name: str, error: BaseException) -> None:
        """Asking a thread to stop raised; the others are still asked."""
        self._failures.labels(name).inc()
        sentence = f"{name}: could not be asked to stop: {type(error).__name__}: {error}"
        self._teller.say_error(logging.ERROR, sentence, error, stage=name)

    def stop_began(self, reason: str) -> None:
        """Stopping began."""
        self._teller.say(logging.INFO, f"stopping: {reason}", reason=reason)

    def thread_left_over(self, name: str, seconds: float) -> None:
        """A thread did not end within the stop deadline."""
        self._leftovers.labels(name).inc()
        sentence = f"{name}: still running {seconds:.0f} s after everything was asked to stop; given up"
        self._teller.say(logging.ERROR, sentence, stage=name)

    def heartbeat_stalled(self, name: str, age_s: float) -> None:
        """A thread's loop has not turned for longer than its limit; told once per stall."""
        self._stalls.labels(name).inc()
        sentence = f"{name}: its loop has not turned for {age_s:.0f} s"
        self._teller.say(logging.ERROR, sentence, stage=name, age_seconds=round(age_s, 3))

    def heartbeat_returned(self, name: str) -> None:
        """A stalled loop turns again."""
        self._teller.say(logging.WARNING, f"{name}: its loop turns again", stage=name)
