"""The way out of a site, which can be another one from one moment to the next."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from agent.app.outgoing import Outgoing
from agent.publish.sink import Delivery
from agent.publish.stored import StoredEvent
from agent.settings.models import EventSettings, SiteSettings
from agent.track.tracked import TrackedFrame

MakeOutgoing = Callable[[SiteSettings], Outgoing]


class ExchangeableOutgoing:
    """Hands everything to the way out that is in use; an `EventSink` and, with `as_outgoing`, an `Outgoing`.

    While one takes the place of the other, events wait in the outbox and frames are not told. The old one leaves
    first: both may be the same client of the same broker, and that throws the older of two connections out. What the
    old one had sent and not heard of is sent again.
    """

    def __init__(self, make: MakeOutgoing, site: SiteSettings) -> None:
        """Nothing is opened yet."""
        self._make = make
        self._current: Outgoing | None = make(site)
        self._site = site
        self._using = threading.Lock()  # held while events are handed over

    def as_outgoing(self) -> Outgoing:
        """This, as a record."""
        return Outgoing(self, self.start, self.close, self.tell_frame, self.is_connected, self.tune)

    def start(self) -> None:
        """Open the first."""
        if self._current is not None:
            self._current.start()

    def exchange(self, site: SiteSettings) -> None:
        """Go out by these settings from now on; takes seconds.

        Raises:
            SitewatchError: that way cannot be opened; the old one has been opened again.
        """
        with self._using:
            before, self._current = self._current, None
        if before is not None:
            before.close()
        try:
            self._use(site)
        except BaseException:
            self._use(self._site)
            raise
        self._site = site

    def send(self, batch: Sequence[StoredEvent]) -> Delivery:
        """See `EventSink`; nothing is taken while the way out is exchanged."""
        with self._using:
            return Delivery() if self._current is None else self._current.sink.send(batch)

    def tell_frame(self, tracked: TrackedFrame) -> None:
        """Publish the tracks of a frame, if that is asked for and due."""
        current = self._current
        if current is not None:
            current.tell_frame(tracked)

    def is_connected(self) -> bool:
        """Whether the receiver is there."""
        current = self._current
        return current is not None and current.is_connected()

    def tune(self, events: EventSettings) -> None:
        """Tell frames so often from now on."""
        if self._current is not None:
            self._current.tune(events)

    def close(self) -> None:
        """Say goodbye and close the one in use."""
        if self._current is not None:
            self._current.close()

    def _use(self, site: SiteSettings) -> None:
        made = self._make(site)
        try:
            made.start()
        except BaseException:
            made.close()
            raise
        self._current = made
