"""One named thread with a heartbeat, a way to ask it to end, and a join."""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.pipeline.channel import Beat
from agent.pipeline.heartbeat import Heartbeat


class Stage:
    """Runs `work` once in a thread of its own; made without effects, started and joined by the supervisor.

    `work(beat)` loops until its input ends or it is told to stop, calling `beat` at least each turn. `on_stop` makes
    it end soon: closes its input channel, closes its source, sets its flag. It is called by the supervisor's thread,
    once, and must not block. `on_dismiss` does the same for a stage that leaves a line which goes on; where it is not
    given, that is `on_stop`. Whatever `work` raises is kept in `error`.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Beat], object],
        on_stop: Callable[[], object],
        heartbeat: Heartbeat,
        *,
        on_dismiss: Callable[[], object] | None = None,
    ) -> None:
        self.name = name
        self.heartbeat = heartbeat
        self.error: BaseException | None = None
        self.is_given_up = False
        self._work = work
        self._on_stop = on_stop
        self._on_dismiss = on_dismiss or on_stop
        self._on_end: Callable[[Stage], None] | None = None
        # Daemon: a thread stuck in a vendor's library must not keep a process alive that has given it up.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self, on_end: Callable[[Stage], None]) -> None:
        """Start the thread; it calls `on_end` with this stage as its last act."""
        self._on_end = on_end
        self.heartbeat.beat()
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Run the stop action; the thread ends a little later."""
        self._on_stop()

    def give_up(self) -> None:
        """Its thread is stuck for good: a stop need not wait for it, and names it at the end. Any thread."""
        self.is_given_up = True

    def dismiss(self) -> None:
        """Run the action by which it leaves a line that goes on; the thread ends a little later."""
        self._on_dismiss()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end at most so long; whether it ended. A thread never started has ended."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, timeout_s))
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._work(self.heartbeat.beat)
        except BaseException as error:  # noqa: BLE001 - the outermost loop: the supervisor decides on it
            self.error = error
        finally:
            if self._on_end is not None:
                self._on_end(self)
