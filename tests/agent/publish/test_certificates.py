"""Until when certificates are valid is read off real ones, told in time, and no bytes crash the reading."""

from __future__ import annotations

import random
import ssl
import subprocess
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fakes.brokers import mqtt_sink, until
from fakes.clock import FakeClock
from fakes.events import metric, teller
from servers.mosquitto import Mosquitto

from agent.publish.certificate_expiry import CertificateError, pem_certificates, valid_until
from agent.publish.certificate_watch import LOOK_EVERY_S, CertificateWatch
from agent.settings.models import TlsSettings
from agent.telemetry.publish import PublishHappenings

EXPIRY = "mqtt_certificate_expiry_timestamp_seconds"


def certificate(folder: Path, days: int) -> Path:
    """A real one that lasts so long, with its key before it in the file."""
    path = folder / f"{days}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*command, "-days", str(days), "-subj", "/CN=a test, \u00e4\u00f6", "-utf8", "-keyout", str(path), "-out", "-"],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    made = subprocess.run(
        [*command[:3], "-key", str(path), "-days", str(days), "-subj", "/CN=test"], check=True, capture_output=True
    )
    path.write_bytes(path.read_bytes() + made.stdout)
    return path


@pytest.mark.parametrize("days", [1, 400, 9000, 20000])
def test_the_end_is_read_as_openssl_reads_it(tmp_path: Path, days: int) -> None:
    """In this century and beyond 2050, where the form of the date changes."""
    path = certificate(tmp_path, days)
    said = subprocess.run(
        ["openssl", "x509", "-in", str(path), "-noout", "-enddate"], check=True, capture_output=True, text=True
    )
    seconds = ssl.cert_time_to_seconds(said.stdout.strip().removeprefix("notAfter="))

    assert [valid_until(der).timestamp() for der in pem_certificates(path.read_bytes())] == [seconds]


def test_no_bytes_crash_the_reading(tmp_path: Path) -> None:
    """Every single wrong byte, every cut and plain noise: a date or our error, nothing else."""
    der = pem_certificates(certificate(tmp_path, 10).read_bytes())[0]
    chance = random.Random(1)
    tried: list[bytes] = [der[:length] for length in range(len(der))]
    tried += [der[:at] + bytes([chance.randrange(256)]) + der[at + 1 :] for at in range(len(der))]
    tried += [chance.randbytes(chance.randrange(300)) for _ in range(500)]
    for content in tried:
        with suppress(CertificateError):
            assert isinstance(valid_until(content), datetime)
        pem_certificates(b"-----BEGIN CERTIFICATE-----" + content + b"-----END CERTIFICATE-----")


@pytest.mark.parametrize(("days", "level"), [(400, None), (20, "WARNING"), (-1, "ERROR")])
def test_an_end_that_is_near_is_told(
    tmp_path: Path, days: int, level: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a year ahead; a month ahead as a warning; afterwards as an error, with what to do."""
    clock, told = FakeClock(), teller()
    path = certificate(tmp_path, 30)
    end = valid_until(pem_certificates(path.read_bytes())[0])
    clock.jump((end - timedelta(days=days) - clock.now()).total_seconds())
    tls = TlsSettings(client_cert_file=path, client_key_file=path)
    CertificateWatch(tls, clock, PublishHappenings(told)).look()

    assert metric(told, EXPIRY, which="client") == end.timestamp()
    assert [record.levelname for record in caplog.records] == ([] if level is None else [level])
    assert all("broker.tls.client_cert_file" in record.getMessage() for record in caplog.records)


def test_a_renewed_file_is_seen(tmp_path: Path) -> None:
    """Without a restart, a few times a day; a file that is gone or no certificate is no error here."""
    clock, told = FakeClock(), teller()
    path = tmp_path / "ours.pem"
    path.write_bytes(certificate(tmp_path, 10).read_bytes())
    watch = CertificateWatch(TlsSettings(ca_file=path), clock, PublishHappenings(told))
    watch.look()
    before = metric(told, EXPIRY, which="ca")
    path.write_bytes(certificate(tmp_path, 20).read_bytes())
    watch.turn()
    assert metric(told, EXPIRY, which="ca") == before
    clock.advance(LOOK_EVERY_S)
    watch.turn()
    assert metric(told, EXPIRY, which="ca") - before > 9 * 86400
    path.unlink()
    watch.look()
    path.write_text("no certificate")
    watch.look()


@pytest.mark.mosquitto
def test_our_own_certificate_expired(tmp_path: Path) -> None:
    """The broker's refusal is told as what it is; once renewed on disk the next attempt works, without a restart."""
    told = teller()
    broker = Mosquitto(tmp_path / "broker", tls=True, wants_client_certificate=True)
    fresh = broker.client_cert_file.read_bytes()
    broker.expire("client")
    files: dict[str, Any] = {"client_cert_file": broker.client_cert_file, "client_key_file": broker.client_key_file}
    with broker:
        sink = mqtt_sink(broker, told, tls=TlsSettings(ca_file=broker.ca_file, **files))
        sink.start()
        until(lambda: metric(told, "mqtt_reconnects_total", reason="tls") >= 1, "told")
        assert metric(told, EXPIRY, which="client") < datetime.now(timezone.utc).timestamp()
        broker.client_cert_file.write_bytes(fresh)
        until(lambda: sink.is_connected, "connected with the new one")
        sink.close()

    assert metric(told, EXPIRY, which="broker") > datetime.now(timezone.utc).timestamp()
