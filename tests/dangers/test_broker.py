"""Danger: the broker is killed, frozen, refuses us, shows an old certificate, is away for long, or not ours alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from dangers.watched_site import CALM, WatchedSite
from live.agent_process import until
from servers.mosquitto import Mosquitto
from servers.mqtt_subscriber import Subscriber
from soak.ledger import LedgerSubscriber

pytestmark = pytest.mark.mosquitto
AWAY_EVENTS = 10_000
REPLAY_RATE = 2_000
VALID_DAYS = 2
MOST_HANGING_STOP_S = 5.0
# Under traffic a broker's last word is often lost with the connection; the third sudden end in a row tells.
MOST_TAKE_OVERS = 4


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def test_broker_killed_and_frozen(tmp_path: Path, stack: ExitStack) -> None:
    """Killed twice and frozen twice, for a moment and beyond the keep-alive, under load: every event arrives."""
    site = WatchedSite(stack, tmp_path, outbox={"replay_rate": REPLAY_RATE})
    site.configure(CALM, broker={"host": site.broker.host, "port": site.broker.port, "keepalive": "5s"})
    site.agent.start()
    for _ in range(2):
        site.await_events(20)
        site.broker.kill()
        site.await_reason("refused")
        site.broker.start()
    site.await_events(20)
    site.broker.freeze()
    time.sleep(1.0)
    site.broker.thaw()
    site.await_events(20)
    site.broker.freeze()
    site.await_reason("timeout")
    site.broker.thaw()
    site.await_drained()

    assert site.stop() == 0
    site.assert_all_arrived()


def test_stopping_while_the_broker_hangs(tmp_path: Path, stack: ExitStack) -> None:
    """A frozen broker holds a stop up for a bounded time; what it did not take comes with the next start."""
    site = WatchedSite(stack, tmp_path)
    site.agent.start()
    site.await_events(20)
    site.broker.freeze()
    site.await_waiting(20)
    began_s = time.monotonic()
    assert site.stop() == 0
    took_s = time.monotonic() - began_s
    site.broker.thaw()
    site.configure(CALM)
    site.agent.start()
    site.await_drained()

    assert took_s < MOST_HANGING_STOP_S
    assert site.stop() == 0
    site.assert_all_arrived()


def test_broker_refuses_and_is_away_for_ten_thousand_events(tmp_path: Path, stack: ExitStack) -> None:
    """Refused as unauthorised, not tried in a loop; then all of it at a bounded rate, states first, new events too."""
    refusing = stack.enter_context(Mosquitto(tmp_path / "refusing", user="agent", password="right"))
    site = WatchedSite(stack, tmp_path, outbox={"replay_rate": REPLAY_RATE})
    site.configure({"playback": "loop", "pace": "fast"}, broker={"host": refusing.host, "port": refusing.port})
    site.agent.start()
    site.await_waiting(AWAY_EVENTS)
    attempts = site.agent.metric("sitewatch_mqtt_reconnects_total", reason="unauthorised")
    assert attempts == site.agent.metric("sitewatch_mqtt_reconnects_total")
    assert 1 <= attempts <= 3
    assert site.stop() == 0
    waiting = site.last_number()

    site.configure(CALM)
    with Subscriber(site.broker, client_id="order") as order:
        site.agent.start()
        site.await_events(1)
        began_s = time.monotonic()
        until(lambda: site.ledger.count > waiting, "all of the old, and new ones", 30.0)
        took_s = time.monotonic() - began_s
        topics = [message.topic.removeprefix("sitewatch/home/") for message in order.messages]
    first_event = next(place for place, topic in enumerate(topics) if topic.endswith("events"))

    assert {"status", "gate/status", "yard/status"} <= set(topics[:first_event])
    assert took_s > 0.8 * waiting / REPLAY_RATE
    assert site.stop() == 0
    site.assert_all_arrived()


def test_broker_shows_a_certificate_that_has_expired(tmp_path: Path, stack: ExitStack) -> None:
    """Told as what it is, tried again slowly, expiries measured; with a new certificate all events arrive."""
    secure = Mosquitto(tmp_path / "secure", tls=True, valid_days=VALID_DAYS)
    fresh = (tmp_path / "secure" / "server.pem").read_bytes()
    secure.expire("server")
    stack.enter_context(secure)
    site = WatchedSite(stack, tmp_path, camera=CALM)
    site.configure(CALM, broker={"host": secure.host, "port": secure.port, "tls": {"ca_file": str(secure.ca_file)}})
    site.agent.start()
    site.await_waiting(10)
    assert site.agent.metric("sitewatch_mqtt_reconnects_total", reason="tls") == 1
    assert "certificate has expired" in site.agent.log
    assert "the authority's certificate of broker.tls.ca_file" in site.agent.log
    assert 0 < seconds_left(site, "ca") < VALID_DAYS * 86400.0
    assert site.stop() == 0
    (tmp_path / "secure" / "server.pem").write_bytes(fresh)
    secure.restart()
    with LedgerSubscriber(secure, site.ledger):
        site.agent.start()
        site.await_events(1)
        assert 0 < seconds_left(site, "broker") < VALID_DAYS * 86400.0
        assert site.stop() == 0
        site.assert_all_arrived()


def seconds_left(site: WatchedSite, which: str) -> float:
    """Until a certificate expires, as the metric tells it."""
    return site.agent.metric("sitewatch_mqtt_certificate_expiry_timestamp_seconds", which=which) - time.time()


def test_two_agents_with_one_client_id(tmp_path: Path, stack: ExitStack) -> None:
    """Both say so and neither pesters the broker; with an id of its own the one goes on without a loss."""
    site = WatchedSite(stack, tmp_path, camera=CALM)
    broker = {"host": site.broker.host, "port": site.broker.port, "client_id": "same"}
    site.configure(CALM, broker=broker)
    (tmp_path / "other").mkdir()
    other = WatchedSite(stack, tmp_path / "other", camera=CALM, site="other", base_topic="elsewhere", broker=broker)
    site.agent.start()
    site.await_events(1)
    other.agent.start()
    site.await_reason("taken_over")
    assert "another client with our client id" in site.agent.log
    assert site.agent.metric("sitewatch_mqtt_reconnects_total") <= MOST_TAKE_OVERS
    assert site.stop() == 0
    assert other.stop() == 0
    site.configure(CALM)
    site.agent.start()
    site.await_drained()

    assert site.stop() == 0
    site.assert_all_arrived()
