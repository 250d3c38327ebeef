"""What all dangers together made of the events: printed at the end of a run of the tests."""

from __future__ import annotations

from typing import NamedTuple

from soak.ledger import Ledger


class Account(NamedTuple):
    """Of one site: events generated, different ones that arrived, and how many arrived again."""

    generated: int
    arrived: int
    doubles: int


ACCOUNTS: list[Account] = []


def assert_balanced(ledger: Ledger, generated: int) -> None:
    """Events generated are those received without the doubles, none is missing, the order is kept."""
    ACCOUNTS.append(Account(generated, ledger.count, ledger.doubles))
    wrong = ledger.verdict(generated)
    assert not wrong, "\n".join(wrong)


def total() -> str:
    """The sum, in a sentence."""
    generated, arrived, doubles = (sum(column) for column in zip(*ACCOUNTS, strict=True))
    return f"dangers: {generated} events generated on {len(ACCOUNTS)} sites, {arrived} arrived, {doubles} of them again"
