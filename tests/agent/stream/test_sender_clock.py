from __future__ import annotations

import struct

import pytest

from agent.stream.sender_clock import NTP_TO_UNIX_S, SenderClock, SenderReport

RATE = 90_000


def test_unknown_until_told() -> None:
    """Without the wall time of its zero, and for frames without time, the clock knows nothing."""
    clock = SenderClock(RATE)
    clock.report(SenderReport(1000.0, 90_000), 1.0)

    assert clock.at_s(1.0) is None
    clock.begins_at(1000.0)
    assert clock.at_s(None) is None
    assert clock.at_s(2.5) == pytest.approx(1002.5)


def test_reports_keep_it_true_while_clocks_drift() -> None:
    """A camera whose RTP clock runs fast by one in a thousand is followed at each report."""
    clock = SenderClock(RATE)
    clock.begins_at(5000.0)
    base = 4_000_000_000  # turns over on the way
    for second in range(0, 600, 5):
        ticks = int(second * RATE * 1.001)
        clock.report(SenderReport(5000.0 + second, (base + ticks) % 2**32), ticks / RATE)

    stream_s = 595 * 1.001
    assert clock.at_s(stream_s) == pytest.approx(5595.0, abs=0.001)


def test_side_data_is_read() -> None:
    """NTP time, seconds since 1900 in 32.32 fixed point, becomes Unix time."""
    data = struct.pack("@IQIII4x", 7, (NTP_TO_UNIX_S + 1000) << 32 | 1 << 31, 123, 4, 5)

    assert SenderReport.from_bytes(data) == SenderReport(1000.5, 123)


@pytest.mark.parametrize("data", [b"", b"\0" * 28, b"\0" * 32])
def test_foreign_or_empty_side_data_is_left_alone(data: bytes) -> None:
    """Another layout, or a camera without wall time, is no report."""
    assert SenderReport.from_bytes(data) is None
