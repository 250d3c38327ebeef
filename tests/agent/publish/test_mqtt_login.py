"""How the MQTT sink and a real broker come to trust each other, or not."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from fakes.brokers import mqtt_sink, until
from fakes.events import NOON, RUN_ID, metric, teller
from fakes.publish_line import Line
from servers.mosquitto import Mosquitto

from agent.errors import SettingsError
from agent.publish.status import CameraState, CameraStatus
from agent.settings.models import TlsSettings, TlsVerification
from agent.settings.types import Secret

pytestmark = pytest.mark.mosquitto

REPOSITORY = Path(__file__).resolve().parents[3]
LOGIN: dict[str, Any] = {"username": "box", "password": Secret("open sesame")}
CAMERA = CameraStatus("depot", "gate", RUN_ID, CameraState.ONLINE, NOON, fps=10.0)


def test_tls_with_password_and_client_certificate(tmp_path: Path) -> None:
    """The broker proves itself, we do so by certificate and by password, and events arrive."""
    with Mosquitto(
        tmp_path / "broker", tls=True, user="box", password="open sesame", wants_client_certificate=True
    ) as broker:
        tls = TlsSettings(
            ca_file=broker.ca_file, client_cert_file=broker.client_cert_file, client_key_file=broker.client_key_file
        )
        with Line(tmp_path, broker, tls=tls, **LOGIN) as sent:
            sent.accept(200)
            assert sent.publisher.flush(10.0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"password": Secret("wrong")}, "unauthorised"),
        ({"username": None, "password": None}, "unauthorised"),
        ({"tls": "other"}, "tls"),
        ({"tls": None}, "lost"),
    ],
)
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_what_is_wrong_is_told_apart(tmp_path: Path, changes: dict[str, Any], reason: str, protocol: str) -> None:
    """A wrong password, none, a broker we do not trust and plain TCP towards TLS each have their reason."""
    told = teller()
    with Mosquitto(tmp_path / "broker", tls=True, user="box", password="open sesame") as broker:
        settings = {**LOGIN, "tls": TlsSettings(ca_file=broker.ca_file), "protocol": protocol, **changes}
        if settings["tls"] == "other":
            settings["tls"] = TlsSettings(ca_file=broker.other_ca_file)
        sink = mqtt_sink(broker, told, **settings)
        sink.start()
        until(lambda: metric(told, "mqtt_reconnects_total", reason=reason) >= 1, reason)
        assert not sink.is_connected
        assert metric(told, "mqtt_connected") == 0
        sink.close()


def test_a_broker_need_not_prove_itself_where_that_is_off(tmp_path: Path) -> None:
    """`verify: off` connects whoever vouches for the broker."""
    with Mosquitto(tmp_path / "broker", tls=True) as broker:
        sink = mqtt_sink(broker, teller(), tls=TlsSettings(ca_file=broker.other_ca_file, verify=TlsVerification.OFF))
        sink.start()
        until(lambda: sink.is_connected, "connected")
        sink.close()


@pytest.mark.parametrize("wrong", ["ca_file", "client_cert_file"])
def test_certificates_that_cannot_be_used_are_settings_errors(broker: Mosquitto, tmp_path: Path, wrong: str) -> None:
    """The error names the key of the site file and the file."""
    (tmp_path / "no.pem").write_text("no certificate")
    files = {"ca_file": None, "client_cert_file": None, wrong: tmp_path / "no.pem"}
    key = tmp_path / "no.pem" if wrong == "client_cert_file" else None
    sink = mqtt_sink(broker, teller(), tls=TlsSettings(client_key_file=key, **files))

    with pytest.raises(SettingsError, match=rf"broker\.tls\.{wrong}: .*no\.pem"):
        sink.start()
    sink.close()


def test_a_second_client_with_our_id_is_told(broker: Mosquitto) -> None:
    """The one that is thrown off says why, and does not throw the other off in return at once."""
    told = teller()
    first = mqtt_sink(broker, told, client_id="same")
    first.start()
    until(lambda: first.is_connected, "connected")
    second = mqtt_sink(broker, teller(), client_id="same")
    second.start()
    until(lambda: metric(told, "mqtt_reconnects_total", reason="taken_over") >= 1, "told")
    second.close()
    until(lambda: first.is_connected, "connected again")
    first.close()


def test_a_topic_we_may_not_write_is_told_and_tried_again(tmp_path: Path) -> None:
    """An event the broker refuses stays in the outbox until it is allowed."""
    rules = tmp_path / "rules"
    rules.write_text("topic write sitewatch/depot/status\ntopic write sitewatch/depot/yard/#\n")
    with Mosquitto(tmp_path / "broker", more=f"acl_file {rules}") as broker, Line(tmp_path, broker) as sent:
        sent.accept(2)
        until(lambda: metric(sent.teller, "messages_total", kind="event", outcome="refused") >= 1, "told")
        until(lambda: sent.outbox.size().events == 1, "the other one through")
        rules.write_text("topic write sitewatch/#\n")
        broker._signal(signal.SIGHUP)

        assert sent.publisher.flush(10.0)
