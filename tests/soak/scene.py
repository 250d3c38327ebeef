"""A site with everything real around it: four cameras, a broker, a subscriber that checks, the agent."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from clips.rendered import Square, render_clip
from servers.mosquitto import Mosquitto
from servers.ports import free_port
from servers.rtsp import RtspServer
from soak.ledger import Ledger, LedgerSubscriber
from soak.living_agent import LivingAgent

USER, PASSWORD = "soak", "s0ak-pa55word"
CAMERAS = ("gate", "yard", "dock", "roof")
REAL_CLIPS = {
    "gate": "car-detection.mp4", "yard": "one-by-one-person-detection.mp4",
    "dock": "person-bicycle-car_480x270.mp4", "roof": "vtest_h264.mp4",
}  # fmt: skip
MODEL, LABELS = "yolox_nano_416.onnx", "coco80.txt"
SIZE_PX = (320, 180)
CROWD_SIZE_PX = (480, 270)
TIMES = {"open_timeout": "5s", "read_timeout": "3s", "stall_timeout": "3s", "retry_min": "250ms", "retry_max": "2s"}


@dataclass
class Scene:
    """What faults are done to.

    Attributes:
        cameras: by name.
        crowded: what stands in for one of them for a while: a busier picture of another size.
        broker, ledger, agent: as they are called.
        site: what the site file holds.
        site_file, state: where it lies, and where the agent keeps what it keeps.
        model: which one runs.
    """

    cameras: dict[str, RtspServer]
    crowded: dict[str, RtspServer]
    broker: Mosquitto
    ledger: Ledger
    agent: LivingAgent
    site: dict[str, Any]
    site_file: Path
    state: Path
    model: str

    def write_site(self) -> None:
        """Write the site file as `site` has it."""
        self.site_file.write_text(yaml.safe_dump(self.site))


def open_scene(folder: Path, assets: Path | None, stack: ExitStack) -> Scene:
    """Start everything but the agent; `stack` ends it.

    Args:
        folder: for everything that is written.
        assets: the folder of models and clips, or None: then clips are drawn and motion is detected.
        stack: gets what is to be ended.
    """
    clips, crowd = (_drawn_clips(folder), _drawn_crowd(folder)) if assets is None else _real_clips(assets)
    login = {"user": USER, "password": PASSWORD}
    cameras = {name: RtspServer({name: clip}, **login) for name, clip in clips.items()}
    crowded = {name: RtspServer({name: crowd}, port=camera.port, **login) for name, camera in cameras.items()}
    for server in (*crowded.values(), *cameras.values()):
        stack.callback(server.stop)
    for camera in cameras.values():
        camera.start()
    broker = stack.enter_context(Mosquitto(folder / "broker", more="max_inflight_messages 0", **login))
    ledger = Ledger()
    stack.enter_context(LedgerSubscriber(broker, ledger, **login))
    broker.save()  # the subscriber's session outlives the broker's violent end
    port, state = free_port(), folder / "state"
    agent = LivingAgent(folder / "site.yaml", state, port, folder)
    site = _site(cameras, broker, port, state, assets)
    model = "motion" if assets is None else MODEL
    scene = Scene(cameras, crowded, broker, ledger, agent, site, folder / "site.yaml", state, model)
    scene.write_site()
    return scene


def _site(
    cameras: dict[str, RtspServer], broker: Mosquitto, port: int, state: Path, assets: Path | None
) -> dict[str, Any]:
    model: Any = "motion"
    if assets is not None:
        models = assets / "models"
        model = {"path": str(models / MODEL), "labels": str(models / LABELS), "engine": "onnxruntime", "threads": 1}
    return {
        "site": "soak",
        "model": model,
        "broker": {
            "host": broker.host, "port": broker.port, "username": USER, "password": PASSWORD, "keepalive": "5s",
        },
        "cameras": {
            name: {"source": camera.url(name, credentials=True), "detect_fps": 2.0, **TIMES}
            for name, camera in cameras.items()
        },
        "tracking": {"lost_patience": "1s"},
        "events": {"update_every": "1s"},
        "http": {"port": port},
        "state_dir": str(state),
    }  # fmt: skip


def _real_clips(assets: Path) -> tuple[dict[str, Path], Path]:
    clips = {name: assets / "videos" / clip for name, clip in REAL_CLIPS.items()}
    return clips, clips["roof"]


def _drawn_clips(folder: Path) -> dict[str, Path]:
    clips = {}
    for number, name in enumerate(CAMERAS):
        seconds = 6 + number
        squares = (
            Square(1, 0, 0.2, seconds - 1.5, (0, 20), (220, 20 + 10 * number)),
            Square(2, 1, 1.0, seconds - 2.0, (240, 100), (20, 100)),
        )
        clips[name] = folder / f"{name}.mp4"
        render_clip(clips[name], seconds=seconds, fps=10, size=SIZE_PX, squares=squares)
    return clips


def _drawn_crowd(folder: Path) -> Path:
    """Many that come and go quickly."""
    squares = tuple(
        Square(n, n % 2, n * 0.4, n * 0.4 + 1.5, (70 * (n % 6), 90 * (n % 3)), (70 * (n % 6) + 50, 90 * (n % 3)))
        for n in range(1, 18)
    )
    render_clip(folder / "crowd.mp4", seconds=9, fps=10, size=CROWD_SIZE_PX, squares=squares)
    return folder / "crowd.mp4"
