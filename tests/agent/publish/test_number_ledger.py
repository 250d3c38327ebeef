"""The last number is known again after anything short of losing the file, and never goes back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.publish.number_ledger import NumberLedger


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[NumberLedger]:
    made = NumberLedger(tmp_path / "number")
    yield made
    made.close()


def test_the_last_number_is_known_again(ledger: NumberLedger) -> None:
    """None at first; then whatever was written last, synced or not, over a new opening."""
    assert ledger.open() == 0
    for number in (1, 2, 7, 10**15):
        assert ledger.write(number, is_synced=number == 7)
        assert NumberLedger(ledger.path).open() == number


def test_it_never_grows(ledger: NumberLedger) -> None:
    """Its size is that of its first moment: a full disk takes every write."""
    ledger.open()
    size = ledger.path.stat().st_size
    for number in range(1, 200):
        ledger.write(number, is_synced=False)

    assert ledger.path.stat().st_size == size > 0


@pytest.mark.parametrize("at", range(30))
def test_a_torn_write_leaves_the_number_before(ledger: NumberLedger, at: int) -> None:
    """Whatever byte of the newest entry is wrong, the one before it counts."""
    ledger.open()
    ledger.write(41, is_synced=True)
    ledger.write(42, is_synced=True)
    content = bytearray(ledger.path.read_bytes())
    content[content.index(b"42") // 30 * 30 + at] ^= 0xFF
    ledger.path.write_bytes(content)

    assert ledger.open() == 41


def test_garbage_knows_nothing_and_is_no_error(ledger: NumberLedger) -> None:
    """Any bytes at all: no exception, and no number that was not written; then it works again."""
    chance = random.Random(1)
    for size in range(0, 200, 7):
        ledger.path.write_bytes(chance.randbytes(size))
        assert ledger.open() == 0
        assert ledger.write(5, is_synced=False)
        assert ledger.open() == 5


def test_a_ledger_that_cannot_be_says_so(tmp_path: Path) -> None:
    """Where there is no folder it knows nothing and writes nothing, without an error."""
    ledger = NumberLedger(tmp_path / "nowhere" / "number")

    assert ledger.open() == 0
    assert not ledger.write(1, is_synced=True)
