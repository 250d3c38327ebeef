"""Which troubles a site has, from looks at its counters; arithmetic alone.

Each limit is two: one at which a trouble begins, and a milder one below which it is over.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.app.health.readings import Readings
from agent.app.health.trouble import Trouble, TroubleKey, TroubleKind
from agent.pipeline.slots import Tally

WINDOW_S = 10.0
GROWTH_WINDOW_S = 30.0
# Fewer due frames than this in a window say nothing of a rate.
LEAST_DUE = 5
LEAST_GROWTH = 100
# Frames that a network held back come too old in one burst; a site that is too slow has them all the time.
STALE_LOOKS = 3


@dataclass(frozen=True)
class Limit:
    """Where a trouble begins, and where it is over."""

    begins: float
    ends: float

    def is_below(self, value: float, *, is_active: bool) -> bool:
        """Whether a value is too low."""
        return value < (self.ends if is_active else self.begins)

    def is_above(self, value: float, *, is_active: bool) -> bool:
        """Whether a value is too high."""
        return value > (self.ends if is_active else self.begins)


DETECTED_SHARE = Limit(0.8, 0.9)
DROPPED_SHARE = Limit(0.05, 0.02)
IDLE_SHARE = Limit(0.03, 0.08)
OUTBOX_FILL = Limit(0.8, 0.7)


def troubles(looks: Sequence[Readings], active: Collection[TroubleKey]) -> list[Trouble]:
    """Everything that is wrong now.

    Args:
        looks: oldest first, about one a second over `GROWTH_WINDOW_S`, at least one.
        active: the troubles there were at the last look.
    """
    now = looks[-1]
    recent = [look for look in looks if look.at_s >= now.at_s - WINDOW_S]
    found = [*_at_once(now, active), *_growth(looks, active)]
    # Rates are known after a whole window only: at the start everything is slow.
    if now.at_s - looks[0].at_s >= WINDOW_S:
        found += [*_of_cameras(recent, active), *_of_workers(recent[0], now, active)]
    return found


def _at_once(now: Readings, active: Collection[TroubleKey]) -> Iterator[Trouble]:
    for camera_id, reason in sorted(now.offline.items()):
        yield Trouble(TroubleKind.CAMERA_OFFLINE, camera_id, f"{camera_id} is away ({reason})")
    if now.fallback is not None:
        yield Trouble(TroubleKind.ENGINE_FALLBACK, None, now.fallback)
    if not now.is_connected:
        yield Trouble(TroubleKind.BROKER_AWAY, None, "the broker is away; events wait")
    if now.is_disk_refusing:
        yield Trouble(TroubleKind.DISK_REFUSING, None, "the disk takes no events; they wait in memory")
    if OUTBOX_FILL.is_above(now.outbox_fill, is_active=(TroubleKind.OUTBOX_FULL, None) in active):
        sentence = f"the outbox is {now.outbox_fill:.0%} full; when it is full the oldest events are dropped"
        yield Trouble(TroubleKind.OUTBOX_FULL, None, sentence)


def _growth(looks: Sequence[Readings], active: Collection[TroubleKey]) -> Iterator[Trouble]:
    """With the broker there all the time, events still come faster than they go."""
    first, now = looks[0], looks[-1]
    is_long = now.at_s - first.at_s >= 0.9 * GROWTH_WINDOW_S
    growth = now.events_waiting - first.events_waiting
    least = 1 if (TroubleKind.OUTBOX_GROWING, None) in active else LEAST_GROWTH
    if is_long and all(look.is_connected for look in looks) and growth >= least:
        sentence = f"the outbox grows although the broker is there: {now.events_waiting} events wait"
        yield Trouble(TroubleKind.OUTBOX_GROWING, None, sentence)


def _of_cameras(recent: Sequence[Readings], active: Collection[TroubleKey]) -> Iterator[Trouble]:
    first, now = recent[0], recent[-1]
    for camera_id in sorted(first.tallies.keys() & now.tallies.keys()):
        rise = _rise(first.tallies[camera_id], now.tallies[camera_id])
        if rise.stale and _stale_looks(recent, camera_id) >= STALE_LOOKS:
            sentence = f"{camera_id}: {rise.stale} frames were too old when their turn came"
            yield Trouble(TroubleKind.FRAMES_STALE, camera_id, sentence)
        yield from _of_rates(camera_id, rise, active)


def _of_rates(camera_id: str, rise: Tally, active: Collection[TroubleKey]) -> Iterator[Trouble]:
    due = sum(rise)
    if due < LEAST_DUE:
        return
    shares = rise.taken / due, rise.replaced / due
    if DETECTED_SHARE.is_below(shares[0], is_active=(TroubleKind.CAMERA_BEHIND, camera_id) in active):
        sentence = f"{camera_id}: detection keeps up with {shares[0]:.0%} of the frames that are due"
        yield Trouble(TroubleKind.CAMERA_BEHIND, camera_id, sentence)
    elif DROPPED_SHARE.is_above(shares[1], is_active=(TroubleKind.FRAMES_DROPPED, camera_id) in active):
        yield Trouble(TroubleKind.FRAMES_DROPPED, camera_id, f"{camera_id}: {shares[1]:.0%} of the frames are dropped")


def _of_workers(first: Readings, now: Readings, active: Collection[TroubleKey]) -> Iterator[Trouble]:
    failed = now.failed_inferences - first.failed_inferences
    if failed > 0:
        yield Trouble(TroubleKind.INFERENCE_FAILED, None, f"{failed} inferences failed in the last {WINDOW_S:.0f} s")
    if now.takes_all or first.takes_all:
        return
    idle_share = max(0.0, now.idle_s - first.idle_s) / ((now.at_s - first.at_s) * max(1, now.workers))
    if IDLE_SHARE.is_below(idle_share, is_active=(TroubleKind.WORKERS_SATURATED, None) in active):
        sentence = f"detection is busy {1 - idle_share:.0%} of the time"
        yield Trouble(TroubleKind.WORKERS_SATURATED, None, sentence)


def _stale_looks(recent: Sequence[Readings], camera_id: str) -> int:
    counts = [look.tallies[camera_id].stale for look in recent if camera_id in look.tallies]
    return sum(later > earlier for earlier, later in pairwise(counts))


def _rise(first: Tally, now: Tally) -> Tally:
    """How far the counts have risen; a slot that was made anew counts from nothing."""
    return Tally(*(max(0, later - earlier) for earlier, later in zip(first, now, strict=True)))
