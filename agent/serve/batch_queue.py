"""Pictures of all requests, handed to idle sessions in batches: never a wait that brings nothing.

A batch waits for more pictures only while fewer are there than were in the house at once lately, and never longer than
it may. So the requests of a single client go to a session at once, and those of eight come together.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from agent.pipeline.channel import WAIT_SLICE_S, Beat, ChannelClosed, no_beat
from agent.serve.job import Job
from agent.serve.refusal import Code, RefusedRequestError

# Batches whose company is remembered: who was alone that often is not waited with any more.
REMEMBERED = 4


@dataclass(eq=False)
class Lane:
    """One session as the queue sees it.

    Attributes:
        name: of the session.
        device: that it runs on; other sessions may share it.
        most: pictures of one inference, where it takes less at once than the queue would give.
        done: pictures it was given so far.
        is_idle: it waits for pictures, since `idle_since_s`.
        busy: pictures it works on.
    """

    name: str
    device: str
    most: int | None = None
    done: int = 0
    busy: int = 0
    is_idle: bool = False
    idle_since_s: float = 0.0


class BatchQueue:
    """One lock in front of all sessions. Any thread may put; each lane is taken for by one thread."""

    def __init__(self, lanes: Sequence[Lane], batch: int, max_wait_s: float) -> None:
        """An empty queue.

        Args:
            lanes: every session.
            batch: most pictures of one inference.
            max_wait_s: how long an idle session waits for a fuller batch, at most.
        """
        self._lanes = list(lanes)
        self._batch = batch
        self._max_wait_s = max_wait_s
        self._waiting: deque[tuple[Job, float]] = deque()
        self._running: dict[str, Sequence[Job]] = {}
        self._company = 0
        self._companies: deque[int] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()
        self._lost = ""
        self._is_closed = False

    @property
    def depth(self) -> int:
        """How many pictures wait."""
        return len(self._waiting)

    @property
    def lost(self) -> str:
        """Why nothing will be searched any more, or ""."""
        return self._lost

    def put(self, job: Job) -> None:
        """Hand a picture over.

        Raises:
            RefusedRequestError: the engine was lost, or everything stops.
        """
        with self._changed:
            if self._lost or self._is_closed:
                raise _gone(self._lost or "the server stops")
            self._waiting.append((job, time.monotonic()))
            self._company = max(self._company, self._in_house())
            self._changed.notify_all()

    def take(self, lane: Lane, beat: Beat = no_beat) -> list[tuple[Job, float]]:
        """Wait for pictures; those for the next inference of this lane, with the seconds that each waited.

        Raises:
            ChannelClosed: the end, and nothing is left.
        """
        with self._changed:
            lane.busy = 0
            lane.is_idle, lane.idle_since_s = True, time.monotonic()
            self._running.pop(lane.name, None)
            try:
                self._await_turn(lane, beat)
            finally:
                lane.is_idle = False
            return self._taken(lane)

    def finish(self, lane: Lane) -> None:
        """A lane's pictures are searched; called before anybody is told, so that nobody's next one meets them."""
        with self._changed:
            lane.busy = 0

    def lose(self, why: str) -> None:
        """Nothing will be searched any more: refuse what waits, what is being searched, and what comes."""
        with self._changed:
            self._lost = self._lost or why
            left = [job for job, _ in self._waiting] + [job for jobs in self._running.values() for job in jobs]
            self._waiting.clear()
            self._is_closed = True
            self._changed.notify_all()
        for job in left:
            job.refuse(_gone(self._lost))

    def close(self) -> None:
        """Refuse what comes from now on; what waits is still taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _await_turn(self, lane: Lane, beat: Beat) -> None:
        while not self._may_go(lane):
            if self._is_closed and not self._waiting:
                raise ChannelClosed
            self._changed.wait(self._patience_s(lane))
            beat()

    def _in_house(self) -> int:
        return len(self._waiting) + sum(lane.busy for lane in self._lanes)

    def _may_go(self, lane: Lane) -> bool:
        """Whether there is a batch, or what must do for one, and this lane is the one to take it."""
        while self._waiting and self._waiting[0][0].future.done():
            self._waiting.popleft()
        if not self._waiting or lane is not min(filter(_is_idle, self._lanes), key=self._load):
            return False
        return self._is_closed or len(self._waiting) >= self._enough(lane) or self._patience_s(lane) <= 0

    def _most(self, lane: Lane) -> int:
        return self._batch if lane.most is None else min(self._batch, lane.most)

    def _enough(self, lane: Lane) -> int:
        """Pictures that are not waited for more with: the share of each session in what was here at once lately."""
        company = max([self._company, *self._companies])
        return min(self._most(lane), -(-company // len(self._lanes)))

    def _load(self, lane: Lane) -> tuple[int, int, int]:
        """Least first: what its device works on, what it did so far, its place."""
        busy = sum(other.busy for other in self._lanes if other.device == lane.device)
        done = sum(other.done for other in self._lanes if other.device == lane.device)
        return busy, done, self._lanes.index(lane)

    def _patience_s(self, lane: Lane) -> float:
        """How long to wait before looking again; 0 when the oldest picture has been waited with for long enough."""
        if not self._waiting:
            return WAIT_SLICE_S
        since_s = max(self._waiting[0][1], lane.idle_since_s)
        return min(WAIT_SLICE_S, max(0.0, since_s + self._max_wait_s - time.monotonic()))

    def _taken(self, lane: Lane) -> list[tuple[Job, float]]:
        now_s = time.monotonic()
        others = sum(map(_is_idle, self._lanes))
        share = min(self._most(lane), -(-len(self._waiting) // (others + 1)))
        taken: list[tuple[Job, float]] = []
        while self._waiting and len(taken) < share:
            job, put_s = self._waiting.popleft()
            if not job.future.done():  # whoever asked has gone
                taken.append((job, now_s - put_s))
        lane.busy = len(taken)
        lane.done += len(taken)
        self._running[lane.name] = [job for job, _ in taken]
        self._companies.append(self._company)
        self._company = self._in_house()
        self._changed.notify_all()
        return taken


def _is_idle(lane: Lane) -> bool:
    return lane.is_idle


def _gone(why: str) -> RefusedRequestError:
    return RefusedRequestError(Code.ENGINE_LOST, f"nothing is searched any more: {why}")
