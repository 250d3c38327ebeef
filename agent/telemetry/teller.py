"""Where every happening is told: one registry for metrics, one logger for sentences."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Sequence
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from agent.clock import Clock, SystemClock
from agent.telemetry.floods import Floods, Line

PREFIX = "sitewatch_"
SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
FLOOD_PERIOD_S = 10.0

M = TypeVar("M", Counter, Gauge, Histogram)


class Teller:
    """Makes metrics and writes log lines for the happenings classes; any thread may use it.

    Attributes:
        registry: holds every metric of this process; given in, so tests have their own.
    """

    def __init__(self, registry: CollectorRegistry, logger: logging.Logger, clock: Clock | None = None) -> None:
        self.registry = registry
        self._logger = logger
        self._floods = Floods(SystemClock() if clock is None else clock)
        self._by_camera: list[tuple[Counter | Gauge | Histogram, Sequence[str]]] = []

    def counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
        """A counter; `name` without prefix and without `_total`."""
        return self._noted(Counter(PREFIX + name, documentation, labels, registry=self.registry), labels)

    def gauge(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
        """A gauge; `name` without prefix."""
        return self._noted(Gauge(PREFIX + name, documentation, labels, registry=self.registry), labels)

    def seconds(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Histogram:
        """A histogram of durations; `name` without prefix, ending in `_seconds`."""
        made = Histogram(PREFIX + name, documentation, labels, buckets=SECONDS_BUCKETS, registry=self.registry)
        return self._noted(made, labels)

    def forget_camera(self, camera_id: str) -> None:
        """Take a camera that never comes back out of every metric, so that those who come and go leave nothing."""
        for metric, labels in self._by_camera:
            samples = [sample.labels for family in metric.collect() for sample in family.samples]
            for values in {tuple(each[label] for label in labels) for each in samples if each["camera"] == camera_id}:
                metric.remove(*values)

    def says(self, level: int) -> bool:
        """Whether a line of this level would be written; ask before building a costly sentence."""
        return self._logger.isEnabledFor(level)

    def say(self, level: int, sentence: str, **fields: object) -> None:
        """One log line: a sentence for people, fields for machines. Levels are those of `logging`."""
        if self._logger.isEnabledFor(level):
            self._logger.log(level, "%s", sentence, extra={"fields": fields})

    def say_error(self, level: int, sentence: str, error: BaseException, **fields: object) -> None:
        """As `say`, with the traceback of `error` below it; for bugs, not for what operators can mend."""
        if self._logger.isEnabledFor(level):
            trace = (type(error), error, error.__traceback__)
            self._logger.log(level, "%s", sentence, exc_info=trace, extra={"fields": fields})

    def fold(
        self,
        key: Hashable,
        level: int,
        sentence: str,
        *,
        period_s: float = FLOOD_PERIOD_S,
        count: int = 1,
        **fields: object,
    ) -> None:
        """As `say` for what may come in floods: the first at once, then one line a period with the number.

        Args:
            key: what repeats, for instance `("frame_dropped", camera_id)`; from a bounded set.
            level: one of `logging`.
            sentence: holds `{count}` and `{seconds}` where the number and the period shall stand.
            period_s: least seconds between two lines of this key.
            count: how many happenings this call stands for.
            fields: of the last happening, for machines; `count` is added.
        """
        if self._logger.isEnabledFor(level):
            self._write(self._floods.add(key, Line(level, sentence, fields), period_s=period_s, count=count))

    def tell_due(self) -> None:
        """Write the lines of floods whose period is over; the main loop calls this about twice a second."""
        self._write(self._floods.due())

    def tell_rest(self) -> None:
        """Write what floods still hold; called once, at the end."""
        self._write(self._floods.rest())

    def _noted(self, metric: M, labels: Sequence[str]) -> M:
        if "camera" in labels:
            self._by_camera.append((metric, labels))
        return metric

    def _write(self, lines: list[Line]) -> None:
        for level, sentence, fields in lines:
            self.say(level, sentence, **fields)
