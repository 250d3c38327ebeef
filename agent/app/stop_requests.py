"""Remembers that somebody asked to stop, from the first moment on, and passes it on to whoever can do it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class StoppedEarlyError(Exception):
    """Somebody asked to stop before everything was ready."""


class StopRequests:
    """`ask` may be called by a signal handler; the rest belongs to the main thread.

    Attributes:
        is_thread_left: whether a thread was left alone with what it does, so that the process must end without it.
    """

    def __init__(self) -> None:
        self.is_thread_left = False
        # SimpleQueue.put is reentrant, so a signal handler may use it; an Event could deadlock there.
        self._news: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._is_asked = False
        self._pass_on: Callable[[], None] | None = None

    def ask(self) -> None:
        """Stop as soon as possible."""
        self._is_asked = True
        self._news.put(None)
        if self._pass_on is not None:
            self._pass_on()

    def pass_on_to(self, stop: Callable[[], None]) -> None:
        """From now on `stop` is called for it, at once if it was asked for before."""
        self._pass_on = stop
        if self._is_asked:
            stop()

    def unless_asked(self, work: Callable[[], T]) -> T:
        """Do what may take minutes, in a thread of its own, and give what it gave.

        Raises:
            StoppedEarlyError: somebody asked to stop first; the thread is left alone with it.
        """
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(work())
            except BaseException as error:  # noqa: BLE001 - the thread's outermost loop: it is raised again below
                failed.append(error)
            finally:
                self._news.put(None)

        thread = threading.Thread(target=run, name="prepare", daemon=True)
        thread.start()
        self._news.get()
        if self._is_asked and not failed:
            self.is_thread_left = True
            raise StoppedEarlyError
        if failed:
            raise failed[0]
        thread.join()
        return done[0]
