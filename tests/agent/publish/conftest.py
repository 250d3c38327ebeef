"""What several files of this room's tests start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.outbox_place import Box
from servers.mosquitto import Mosquitto


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A place for outboxes."""
    place = Box(tmp_path)
    yield place
    place.close()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A plain one, running."""
    with Mosquitto(tmp_path / "broker") as made:
        yield made
