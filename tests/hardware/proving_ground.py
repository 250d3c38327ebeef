"""A booted systemd with a camera and a broker around it, and sitewatch put on it as a person would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from booted_systemd import BootedSystemd
from live.agent_process import total
from live.sites import CAMERA
from servers.mosquitto import Mosquitto
from servers.ports import free_port
from servers.rtsp import RtspServer

UNIT = "sitewatch@yard.service"
SYSTEM_PYTHON = "/usr/bin/python3"


class Proof:
    """The box, and what stands around it."""

    def __init__(self, box: BootedSystemd, folder: Path, camera: RtspServer, broker: Mosquitto) -> None:
        self.box = box
        self.tree = folder / "tree"
        self.folder = folder
        self._camera = camera
        self._broker = broker
        self.http_port = free_port()

    def install(self, *options: str) -> tuple[int, str]:
        """scripts/install as a person runs it in there."""
        return self.box.run("env", f"PYTHON={SYSTEM_PYTHON}", str(self.tree / "scripts" / "install"), *options)

    def site(self, name: str, **more: Any) -> None:
        """Write /etc/sitewatch/NAME.yaml."""
        login = {"username": "yard", "password": "@"}
        site = {
            "site": name,
            "broker": {"host": self._broker.host, "port": self._broker.port, **login},
            "model": {"path": "/etc/sitewatch/squares.onnx"},
            "cameras": {"gate": {**CAMERA, "source": self._camera.url("yard")}},
            "http": {"port": self.http_port},
            **more,
        }
        text = yaml.safe_dump(site).replace("'@'", "!file ${CREDENTIALS_DIRECTORY}/site_broker")
        self.box.write(f"/etc/sitewatch/{name}.yaml", text, "root:sitewatch", "640")

    def status(self) -> dict[str, Any]:
        """What the running site says of itself."""
        said = self.box.run("curl", "--silent", f"http://127.0.0.1:{self.http_port}/api/v1/status")[1]
        return dict(json.loads(said)) if said.startswith("{") else {}

    def frames(self) -> float:
        """How many the running site has captured."""
        said = self.box.must("curl", "--silent", f"http://127.0.0.1:{self.http_port}/metrics")
        return total(said, "sitewatch_frames_total", camera="gate", outcome="captured")

    def pid(self) -> int:
        """Of the running site, in there."""
        return int(self.box.show(UNIT, "MainPID"))

    def is_ready(self, unit: str = UNIT) -> bool:
        """Whether systemd takes it for up."""
        return self.box.show(unit, "ActiveState") == "active"
