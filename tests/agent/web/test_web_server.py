"""The server's life: its address, its end, and what it refuses."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest
from prometheus_client import CollectorRegistry

from agent.errors import PortInUseError, SettingsError
from agent.pipeline.heartbeat import Heartbeats
from agent.web.answers import Answers
from agent.web.web_server import WebServer

DEADLINE_S = 5.0


def _answers() -> Answers:
    return Answers(CollectorRegistry(), Heartbeats(), list, dict)


def _server(host: str = "127.0.0.1", port: int = 0, token: str | None = None) -> WebServer:
    return WebServer(host, port, _answers(), token)


def test_a_port_in_use_is_told_before_anything_is_served() -> None:
    """The sentence names port, address and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=rf"http.port: {port} on 127.0.0.1 is in use by another program"):
            _server(port=port).open()


def test_two_servers_cannot_open_one_address() -> None:
    """An address is taken from `open` on, not only while `run` runs."""
    first = _server()
    first.open()
    port = int(first.address.rpartition(":")[2])

    with pytest.raises(PortInUseError):
        _server(port=port).open()
    first.close()
    first.close()
    again = _server(port=port)
    again.open()
    again.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "depot.example.org", ""])  # noqa: S104 - refused here
@pytest.mark.parametrize("token", [None, ""])
def test_an_open_address_demands_a_token(host: str, token: str | None) -> None:
    """What other machines can reach is never served to everybody."""
    with pytest.raises(SettingsError, match=r"http\.token must be set"):
        _server(host=host, token=token)


def test_an_address_of_another_machine_is_told() -> None:
    """A site file copied from another box."""
    with pytest.raises(SettingsError, match=r"http.host: 192.0.2.1 cannot be served on"):
        _server(host="192.0.2.1", token="t").open()


def test_a_name_that_is_none_is_told() -> None:
    """A spelling mistake in the host."""
    with pytest.raises(SettingsError, match=r"http.host: no such host is no address of this machine"):
        _server(host="no such host", token="t").open()


def test_stop_before_run_ends_run_at_once() -> None:
    """A stop during start-up is not forgotten."""
    server = _server()
    server.open()
    server.stop()
    thread = threading.Thread(target=server.run)
    thread.start()
    thread.join(DEADLINE_S)

    assert not thread.is_alive()


def test_stop_does_not_wait_for_an_idle_connection() -> None:
    """A scraper that keeps its connection open does not hold the end up, and the address is free afterwards."""
    server = _server()
    server.open()
    thread = threading.Thread(target=server.run)
    thread.start()
    with httpx.Client(trust_env=False, timeout=DEADLINE_S) as client:
        assert client.get(server.address + "/readyz").status_code == 200
        server.stop()
        thread.join(DEADLINE_S)

    assert not thread.is_alive()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.address + "/readyz", trust_env=False)


def test_serving_takes_one_thread() -> None:
    """No page runs in a pool that nobody owns."""
    before = set(threading.enumerate())
    server = _server()
    server.open()
    thread = threading.Thread(target=server.run, name="web")
    thread.start()
    with httpx.Client(trust_env=False, timeout=DEADLINE_S) as client:
        for path in ("/metrics", "/healthz", "/readyz", "/api/v1/status"):
            client.get(server.address + path)
        made = {one.name for one in set(threading.enumerate()) - before}
    server.stop()
    thread.join(DEADLINE_S)

    assert made == {"web"}


def test_ipv6_addresses_are_written_as_addresses() -> None:
    """`[::1]` in brackets, as a browser wants it."""
    assert _server(host="::1", port=9464).address == "http://[::1]:9464"


def test_who_asks_is_answered_while_something_long_is_done() -> None:
    """The same address answers before `run`, and goes on in `run`."""
    web = _server()
    web.open()
    with web.meanwhile():
        early = httpx.get(f"{web.address}/readyz", timeout=DEADLINE_S)
    thread = threading.Thread(target=web.run)
    thread.start()
    late = httpx.get(f"{web.address}/readyz", timeout=DEADLINE_S)
    web.stop()
    thread.join(DEADLINE_S)

    assert early.status_code == late.status_code == 200
    assert not thread.is_alive()


def test_an_exception_meanwhile_leaves_no_thread() -> None:
    """What fails in the caller passes through, and the thread is gone."""
    web = _server()
    web.open()
    with pytest.raises(ValueError, match="no engine"), web.meanwhile():
        raise ValueError("no engine")
    web.close()

    assert "http-meanwhile" not in {thread.name for thread in threading.enumerate()}
