"""The main thread's turn: signs of life, floods, rates, readiness; and what the HTTP face is told of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from agent.app.happened import Happened
from agent.app.outgoing import Outgoing
from agent.app.status_board import StatusBoard
from agent.clock import Clock
from agent.pipeline.heartbeat import Heartbeats
from agent.publish.outbox import Outbox
from agent.service.notify import Notifier
from agent.service.watchdog import Watchdog

# A model that is made ready for the first time may take this long; the service manager is told.
PREPARATION_S = 600.0
STATUS_EVERY_S = 5.0


class Life:
    """What the supervisor calls twice a second, and what `/readyz` and `/api/v1/status` ask."""

    def __init__(
        self, board: StatusBoard, notifier: Notifier, heartbeats: Heartbeats, happened: Happened, clock: Clock
    ) -> None:
        self._board = board
        self._notifier = notifier
        self._watchdog = Watchdog(notifier, heartbeats.stalled, clock)
        self._happened = happened
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._missing: tuple[str, ...] = ("starting",)
        self._address = ""
        self._outgoing: Outgoing | None = None
        self._outbox: Outbox | None = None
        self._told_status_s = self._began_s

    def preparing(self, sentence: str) -> None:
        """Something that may take minutes begins."""
        self._missing = (sentence,)
        self._notifier.extend_timeout(PREPARATION_S)
        self._notifier.status(sentence)

    def prepared(self, address: str, outgoing: Outgoing, outbox: Outbox) -> None:
        """Everything is loaded and warm; with the next turn, when every thread runs, we are ready."""
        self._missing = ("starting the threads",)
        self._address = address
        self._outgoing = outgoing
        self._outbox = outbox

    def turn(self) -> None:
        """One turn of the main loop."""
        if self._missing:
            self._missing = ()
            self._happened.process.ready(self._address, self._clock.monotonic_s() - self._began_s)
            self._notifier.ready(self._board.sentence())
        self._watchdog.turn()
        self._happened.teller.tell_due()
        self._board.count_frames(self._happened.stream.captured_frames)
        if self._clock.monotonic_s() - self._told_status_s >= STATUS_EVERY_S:
            self._told_status_s = self._clock.monotonic_s()
            self._notifier.status(self._board.sentence())

    def missing(self) -> Sequence[str]:
        """What still lacks for being ready."""
        return self._missing

    def status(self) -> Mapping[str, object]:
        """Everything, for `/api/v1/status`."""
        known = self._board.as_mapping()
        known["broker"] = None if self._outgoing is None else {"connected": self._outgoing.is_connected()}
        known["outbox"] = None if self._outbox is None else asdict(self._outbox.size())
        return known
