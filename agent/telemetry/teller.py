"""Where every happening is told: one registry for metrics, one logger for sentences."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PREFIX = "sitewatch_"
SECONDS_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Teller:
    """Makes metrics and writes log lines for the happenings classes; any thread may use it.

    Attributes:
        registry: holds every metric of this process; given in, so tests have their own.
    """

    def __init__(self, registry: CollectorRegistry, logger: logging.Logger) -> None:
        self.registry = registry
        self._logger = logger

    def counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Counter:
        """A counter; `name` without prefix and without `_total`."""
        return Counter(PREFIX + name, documentation, labels, registry=self.registry)

    def gauge(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Gauge:
        """A gauge; `name` without prefix."""
        return Gauge(PREFIX + name, documentation, labels, registry=self.registry)

    def seconds(self, name: str, documentation: str, labels: Sequence[str] = ()) -> Histogram:
        """A histogram of durations; `name` without prefix, ending in `_seconds`."""
        return Histogram(PREFIX + name, documentation, labels, buckets=SECONDS_BUCKETS, registry=self.registry)

    def say(self, level: int, sentence: str, **fields: object) -> None:
        """One log line: a sentence for people, fields for machines. Levels are those of `logging`."""
        self._logger.log(level, sentence, extra={"fields": fields})
