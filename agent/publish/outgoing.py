"""What waits to go to the broker, in the order of its worth: statuses, events, detections."""

from __future__ import annotations

import threading
from collections import deque

from agent.publish.deliveries import Deliveries
from agent.publish.message import Message
from agent.publish.retained import Retained

# A frame's detections are worth nothing late: about two seconds of one camera, then the oldest go.
PASSING_LIMIT = 32


class Outgoing:
    """The three kinds of messages on their way; any thread puts in, the connection's thread takes out."""

    def __init__(self) -> None:
        self.statuses = Retained()
        self.events = Deliveries()
        self._lock = threading.Lock()
        self._passing: deque[Message] = deque()

    def put_passing(self, message: Message) -> bool:
        """Add a message that is sent once or never; False when the oldest had to go for it."""
        with self._lock:
            self._passing.append(message)
            if len(self._passing) <= PASSING_LIMIT:
                return True
            self._passing.popleft()
            return False

    def take_passing(self) -> Message | None:
        """The next of these."""
        with self._lock:
            return self._passing.popleft() if self._passing else None

    def begin_anew(self) -> int:
        """A connection begins; how many events that were in flight wait again."""
        with self._lock:
            self._passing.clear()
        self.statuses.begin_anew()
        return self.events.lost()
