"""What the HTTP face is asked and whom it asks in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from agent.pipeline.heartbeat import Heartbeats


@dataclass(frozen=True)
class Answers:
    """Sources of every page. The callables run in the HTTP thread's event loop: quick, no waiting, any thread.

    Attributes:
        registry: the metrics.
        heartbeats: of all threads, for liveness.
        missing: what still lacks for being ready, as sentences; empty when ready.
        status: the whole state for people and tools; values that JSON knows, times, enumerations, records.
    """

    registry: CollectorRegistry
    heartbeats: Heartbeats
    missing: Callable[[], Sequence[str]]
    status: Callable[[], Mapping[str, object]]
