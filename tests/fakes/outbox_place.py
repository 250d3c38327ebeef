"""Outboxes on one file, one after the other, as when an agent restarts."""

from __future__ import annotations

from pathlib import Path

from fakes.clock import FakeClock
from fakes.events import teller

from agent.publish.outbox import Outbox, OutboxLimits
from agent.publish.payload import event_payload
from agent.publish.stored import StoredEvent
from agent.telemetry.publish import PublishHappenings

ROOMY = OutboxLimits(max_bytes=64 * 1024**2, max_age_s=7 * 86400.0)


class Box:
    """Outboxes on one file, one after the other, as when the agent restarts."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state" / "outbox.db"
        self.clock = FakeClock()
        self.teller = teller()
        self._happened = PublishHappenings(self.teller)
        self._live: Outbox | None = None

    def open(self, limits: OutboxLimits = ROOMY) -> Outbox:
        """Open it, after closing the one before."""
        self.close()
        self._live = Outbox(self.path, limits, self.clock, self._happened, event_payload)
        self._live.open()
        return self._live

    def close(self) -> None:
        """Close the one that is open."""
        if self._live is not None:
            self._live.close()

    def set_asides(self) -> list[Path]:
        """Damaged files."""
        return sorted(self.path.parent.glob("*.corrupt-*"))


def sequences(stored: list[StoredEvent]) -> list[int]:
    """Their numbers."""
    return [item.sequence for item in stored]
