"""What is lost, changed or out of order is told; what comes twice is not."""

from __future__ import annotations

import pytest
from fakes.events import event
from soak.ledger import Ledger

from agent.publish.payload import event_payload


def payload(number: int, camera_id: str = "gate") -> bytes:
    """The event of this number, as it is sent."""
    return event_payload(event(number, camera_id=camera_id), number)


def ledger_of(*numbers: int) -> Ledger:
    """What arrived, in this order."""
    ledger = Ledger()
    for number in numbers:
        ledger.take(payload(number))
    return ledger


def test_all_there_is_good() -> None:
    """Also when some came twice, late."""
    ledger = ledger_of(1, 2, 3, 2, 3, 4)

    assert ledger.verdict(4) == []
    assert (ledger.count, ledger.doubles) == (4, 2)


@pytest.mark.parametrize(
    ("numbers", "last", "tells"),
    [
        ((1, 2, 4), 4, "1 events of 4 are missing or too many: 3"),
        ((1, 2), 3, "1 events of 3 are missing or too many: 3"),
        ((1, 2, 3), 2, "1 events of 2 are missing or too many: 3"),
        ((1, 3, 2), 3, "gate: event 2 came after 3"),
    ],
)
def test_what_is_wrong_is_told(numbers: tuple[int, ...], last: int, tells: str) -> None:
    """A gap, a missing end, more than were made, and the wrong order."""
    assert ledger_of(*numbers).verdict(last) == [tells]


def test_order_is_kept_per_camera() -> None:
    """Two cameras may come in any order of each other."""
    ledger = Ledger()
    for number, camera in ((1, "gate"), (3, "gate"), (2, "yard"), (4, "yard")):
        ledger.take(payload(number, camera))

    assert ledger.verdict(4) == []


def test_one_number_for_two_events_is_told() -> None:
    """The same sequence with other bytes."""
    ledger = ledger_of(1)
    ledger.take(event_payload(event(2), 1))

    assert ledger.verdict(1) == ["two different events have the sequence 1"]
