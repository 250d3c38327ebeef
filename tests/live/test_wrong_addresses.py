"""A site where nothing around the agent is as the site file says: it runs, and tells what is wrong."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from live.agent_process import AgentProcess, until
from live.sites import write_clip, write_site
from servers.mosquitto import Mosquitto
from servers.ports import free_port
from servers.rtsp import RtspServer

pytestmark = [pytest.mark.rtsp, pytest.mark.mosquitto]
WRONG_PASSWORD = "wr0ng-pa55word"
MOST_STOP_S = 8.0


def test_each_trouble_has_its_reason(tmp_path: Path) -> None:
    """Wrong passwords, an unknown mount, a closed port: ready all the same, each told with its reason, no secrets."""
    clip = write_clip(tmp_path / "clip.mp4")
    with (
        Mosquitto(tmp_path / "broker", user="agent", password="right") as broker,
        RtspServer({"gate": clip}, user="viewer", password="right") as server,
        AgentProcess(wrong_site(tmp_path, broker, server), tmp_path) as agent,
    ):
        until(lambda: reasons(agent) == {"gate": "unauthorised", "yard": "not_found", "dock": "refused"}, "reasons")
        until(lambda: agent.metric("sitewatch_mqtt_reconnects_total", reason="unauthorised") >= 1, "a refused login")
        pages = [agent.get(page) for page in ("/metrics", "/readyz", "/healthz", "/api/v1/status")]
        began_s = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - began_s < MOST_STOP_S

    assert [page.code for page in pages] == [200] * 4
    assert not [text for text in (agent.log, agent.output, *(page.text for page in pages)) if WRONG_PASSWORD in text]
    assert "Traceback" not in agent.log


def wrong_site(folder: Path, broker: Mosquitto, server: RtspServer) -> Path:
    """Three cameras and a broker, none of them right."""
    wrong = {"username": "viewer", "password": WRONG_PASSWORD}
    address = server.url("gate").removeprefix("rtsp://")
    cameras = {
        "gate": {"source": f"rtsp://viewer:{WRONG_PASSWORD}@{address}"},
        "yard": {"source": server.url("roof"), "username": "viewer", "password": "right"},
        "dock": {"source": f"rtsp://127.0.0.1:{free_port()}/dock", **wrong},
    }
    login = {"host": broker.host, "port": broker.port, "username": "agent", "password": WRONG_PASSWORD}
    return write_site(folder, cameras, broker=login, model="motion", log={"level": "debug"})


def reasons(agent: AgentProcess) -> dict[str, Any]:
    """Why each camera is away."""
    cameras = agent.get("/api/v1/status").json()["cameras"]
    return {name: camera["reason"] for name, camera in cameras.items()}
