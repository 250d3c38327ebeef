"""Certificates and the note of the last number: whatever is in them, an answer or our own error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from fuzz.effort import effort
from fuzz.memory_folder import memory_folder
from fuzz.mutation import spoilt
from hypothesis import given
from hypothesis import strategies as st

from agent.publish.certificate_expiry import CertificateError, pem_certificates, valid_until
from agent.publish.number_ledger import NumberLedger

LAST = 4711


def _der(tag: int, *content: bytes) -> bytes:
    whole = b"".join(content)
    return bytes([tag, 0x82]) + len(whole).to_bytes(2, "big") + whole


VALIDITY = _der(0x30, _der(0x17, b"260101000000Z"), _der(0x18, b"20360101000000Z"))
CERTIFICATE = _der(
    0x30, _der(0x30, _der(0xA0, _der(2, b"\2")), _der(2, b"\1"), _der(0x30), _der(0x30), VALIDITY, _der(0x30)), _der(3)
)  # fmt: skip
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def ledger_file() -> Iterator[Path]:
    with memory_folder() as folder:
        yield folder / "outbox.number"


def test_the_seeds_are_good(ledger_file: Path) -> None:
    """What is spoilt begins as something that is read."""
    assert valid_until(CERTIFICATE) == datetime(2036, 1, 1, tzinfo=timezone.utc)
    assert len(pem_certificates(PEM)) == 1
    assert _reread(ledger_file, _written(ledger_file)) == LAST


@effort(200)
@given(content=st.one_of(spoilt(CERTIFICATE, (b"\x30\x80", b"\x30\x84\xff\xff\xff\xff")), st.binary(max_size=60)))
def test_any_certificate(content: bytes) -> None:
    """What the broker shows comes from outside."""
    try:
        until = valid_until(content)
    except CertificateError:
        return
    assert until.tzinfo is timezone.utc


@effort(100)
@given(content=st.one_of(spoilt(PEM, (b"=", b"-----BEGIN CERTIFICATE-----", b"-----END ")), st.binary(max_size=60)))
def test_any_certificate_file(content: bytes) -> None:
    """Certificates, fewer of them, or none."""
    assert all(isinstance(der, bytes) for der in pem_certificates(content))


@effort(100)
@given(data=st.data())
def test_any_note_of_the_last_number(ledger_file: Path, data: st.DataObject) -> None:
    """A number that was written, or none; and it can be written again."""
    good = _written(ledger_file)

    assert _reread(ledger_file, data.draw(spoilt(good))) in (0, LAST - 1, LAST)
    assert _reread(ledger_file, _written(ledger_file)) == LAST


def _written(path: Path) -> bytes:
    path.unlink(missing_ok=True)
    ledger = NumberLedger(path)
    ledger.open()
    for number in (LAST - 1, LAST):
        ledger.write(number, is_synced=False)
    ledger.close()
    return path.read_bytes()


def _reread(path: Path, content: bytes) -> int:
    path.write_bytes(content)
    ledger = NumberLedger(path)
    number = ledger.open()
    ledger.close()
    return number
