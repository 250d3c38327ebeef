"""Whatever lies where the outbox should be: it is used, or set aside and told, and events go on being stored."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.clock import FakeClock
from fakes.events import event, metric, teller
from fakes.outbox_place import ROOMY
from fuzz.effort import effort
from fuzz.memory_folder import memory_folder
from fuzz.mutation import spoilt
from hypothesis import given
from hypothesis import strategies as st

from agent.publish.open_objects import told_events
from agent.publish.outbox import Outbox
from agent.publish.payload import event_payload
from agent.telemetry.publish import PublishHappenings

KEPT = 30
TOKENS = (
    b"SQLite format 3\0", b"\x10\x00\x01\x01\0\x40\x20\x20", b"CREATE TABLE event", b"INTEGER", b"TEXT", b"BLOB",
    b"last_sequence", b"counter", b"sequence", b"\x0d", b"\x05", b"\x0a", b"\x02", b"\x03", b"\x04", b"\x17",
)  # fmt: skip


class Place:
    """An outbox's folder that is filled with a file, and used."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "state" / "outbox.db"
        self.told = teller()
        self._happened = PublishHappenings(self.told)

    def outbox(self) -> Outbox:
        """Opened."""
        outbox = Outbox(self.path, ROOMY, FakeClock(), self._happened, event_payload, follows_objects=True)
        outbox.open()
        return outbox

    def put(self, content: bytes) -> None:
        """Let this file be all that is there."""
        shutil.rmtree(self.path.parent, ignore_errors=True)
        self.path.parent.mkdir()
        self.path.write_bytes(content)

    def assert_stores(self, content: bytes) -> None:
        """With this file there, new events are kept and come out again in order, over a restart too."""
        self.put(content)
        told_before = metric(self.told, "outbox_set_aside_total")
        first = self._store()
        second = self._store()
        assert first < second
        asides = list(self.path.parent.glob("*.corrupt-*Z"))
        assert metric(self.told, "outbox_set_aside_total") - told_before >= len(asides)

    def _store(self) -> int:
        outbox = self.outbox()
        try:
            before = outbox.pending(1000)
            stored = [outbox.append([event(number)])[0] for number in (KEPT + 1, KEPT + 2)]
            after = outbox.pending(1000)
            assert [each.sequence for each in after] == sorted({each.sequence for each in after})
            assert after[-2:] == stored
            for each in after:
                assert (type(each.event_id), type(each.camera_id), type(each.payload)) == (str, str, bytes)
            told_events(outbox.objects())
            outbox.size()
            outbox.delete([each.sequence for each in before])
            return stored[-1].sequence
        finally:
            outbox.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with memory_folder() as folder:
        yield Place(folder)


@pytest.fixture(scope="module")
def good(place: Place) -> bytes:
    """A file with events in it, all of it in its pages and none in its log."""
    outbox = place.outbox()
    outbox.append([event(number, label="x" * 100) for number in range(1, KEPT + 1)])
    outbox.close()
    return place.path.read_bytes()


def test_the_seed_is_good(place: Place, good: bytes) -> None:
    """What is spoilt begins as an outbox with events."""
    place.put(good)
    outbox = place.outbox()
    assert [each.sequence for each in outbox.pending(100)] == list(range(1, KEPT + 1))
    outbox.close()


@effort(150)
@given(data=st.data())
def test_a_spoilt_file(place: Place, good: bytes, data: st.DataObject) -> None:
    """Edits anywhere in it, or close to what it means: header, layout, cells."""
    content = data.draw(spoilt(good, TOKENS))
    place.assert_stores(content)


@effort(150)
@given(data=st.data())
def test_a_spoilt_page(place: Place, good: bytes, data: st.DataObject) -> None:
    """Single bytes in the parts that are looked at first: header and layout, and the beginning and end of each page."""
    content = bytearray(good)
    hot = [at for at in range(len(good)) if at < 100 or (good[at] and not 40 <= at % 4096 <= 3000)]
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.sampled_from(hot))] = data.draw(st.integers(0, 255))
    place.assert_stores(bytes(content))


@effort(20)
@given(content=st.binary(max_size=300))
def test_any_bytes(place: Place, content: bytes) -> None:
    """No outbox at all."""
    place.assert_stores(content)
