"""What the publish room tells: metrics that can be read, lines that can be understood."""

from __future__ import annotations

import logging

import pytest
from fakes.events import metric, teller

from agent.telemetry.publish import PublishHappenings


def test_what_waits_is_read_when_metrics_are() -> None:
    """The three gauges of the outbox show what their functions return."""
    told = teller()
    waiting = [3, 4096]
    PublishHappenings(told).watch_outbox(lambda: waiting[0], lambda: waiting[1], lambda: 1.5)

    assert metric(told, "outbox_events") == 3
    assert metric(told, "outbox_bytes") == 4096
    assert metric(told, "outbox_oldest_age_seconds") == 1.5
    waiting[0] = 0
    assert metric(told, "outbox_events") == 0


def test_the_connection_is_a_gauge_and_a_counter() -> None:
    """Connected is 1 or 0; every loss counts under its reason."""
    told = teller()
    happened = PublishHappenings(told)
    happened.broker_connected("b:1883")
    assert metric(told, "mqtt_connected") == 1
    happened.broker_lost("b:1883", "timeout", "it fell silent", 1.0)
    assert metric(told, "mqtt_connected") == 0
    assert metric(told, "mqtt_reconnects_total", reason="timeout") == 1


def test_a_broker_that_stays_away_is_one_line_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Retries for hours do not fill the log."""
    happened = PublishHappenings(teller())
    with caplog.at_level(logging.DEBUG):
        for _ in range(100):
            happened.broker_lost("b:1883", "refused", "connection refused", 1.0)

    assert [record.getMessage() for record in caplog.records] == [
        "broker b:1883: connection refused; failed attempts in the last 60 s: 1"
    ]


def test_lost_events_are_told_with_number_and_cause(caplog: pytest.LogCaptureFixture) -> None:
    """The one thing that must never happen silently."""
    with caplog.at_level(logging.ERROR):
        PublishHappenings(teller()).outbox_dropped("age", 7)

    assert "7 events lost" in caplog.text
    assert "longer than is allowed" in caplog.text
