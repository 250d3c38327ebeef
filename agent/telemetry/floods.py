"""Repeated happenings as one line a period with a number in it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.clock import Clock

MAX_KEYS = 1024


class Line(NamedTuple):
    """One line to be written: level of `logging`, sentence, fields."""

    level: int
    sentence: str
    fields: dict[str, object]


@dataclass
class _Flood:
    """What one key has seen since its last line."""

    level: int
    sentence: str
    period_s: float
    told_at_s: float
    count: int = 0
    fields: dict[str, object] = field(default_factory=dict)


class Floods:
    """Counts what repeats; any thread may use it.

    The first happening of a key is told at once. What follows is counted and told as one line when the period is
    over: by the next happening of that key, or by `due()`, which the main thread calls now and then so that the
    end of a flood is told too. A key that was silent for a whole period is forgotten, and at most `max_keys` are
    kept (the one untouched longest is told and leaves), so memory is bounded.
    """

    def __init__(self, clock: Clock, max_keys: int = MAX_KEYS) -> None:
        self._clock = clock
        self._max_keys = max_keys
        self._lock = threading.Lock()
        self._floods: OrderedDict[Hashable, _Flood] = OrderedDict()

    def add(self, key: Hashable, line: Line, *, period_s: float, count: int = 1) -> list[Line]:
        """Count `count` happenings of `key`; returns the lines to write now, mostly none."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            flood = self._floods.get(key)
            if flood is None:
                return self._begin(key, line, period_s, count, now_s)
            flood.count += count
            flood.level, flood.sentence, flood.fields = line
            self._floods.move_to_end(key)
            return [_tell(flood, now_s)] if now_s - flood.told_at_s >= flood.period_s else []

    def due(self) -> list[Line]:
        """Lines of the periods that are over; forgets keys that were silent for one."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            return list(self._ripe(now_s))

    def rest(self) -> list[Line]:
        """Lines of everything counted and not yet told, whatever the period; forgets all."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            lines = [_tell(flood, now_s) for flood in self._floods.values() if flood.count]
            self._floods.clear()
            return lines

    def _begin(self, key: Hashable, line: Line, period_s: float, count: int, now_s: float) -> list[Line]:
        self._floods[key] = _Flood(line.level, line.sentence, period_s, now_s)
        lines = [_filled(line, count, period_s)]
        if len(self._floods) > self._max_keys:
            _, evicted = self._floods.popitem(last=False)
            lines += [_tell(evicted, now_s)] if evicted.count else []
        return lines

    def _ripe(self, now_s: float) -> Iterator[Line]:
        for key, flood in list(self._floods.items()):
            if now_s - flood.told_at_s < flood.period_s:
                continue
            if flood.count:
                yield _tell(flood, now_s)
            else:
                del self._floods[key]


def _tell(flood: _Flood, now_s: float) -> Line:
    seconds, count = now_s - flood.told_at_s, flood.count
    flood.told_at_s, flood.count = now_s, 0
    return _filled(Line(flood.level, flood.sentence, flood.fields), count, seconds)


def _filled(line: Line, count: int, seconds: float) -> Line:
    # replace, not format: a sentence may carry braces that a camera or broker sent.
    sentence = line.sentence.replace("{count}", str(count)).replace("{seconds}", f"{max(1.0, seconds):.0f}")
    return Line(line.level, sentence, {**line.fields, "count": count})
