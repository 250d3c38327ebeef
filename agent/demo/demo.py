"""The demo: a site of one camera on this machine, run as anybody would run it, and its events printed."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import yaml

from agent.demo.choice import MOTION, Chosen, assets_folder, choose_clip, choose_model
from agent.demo.downloads import cache_folder
from agent.demo.watch import Watcher, is_terminal
from agent.service.exit_codes import ExitCode
from agent.settings.types import RefusedError, SourceAddress, SourceKind

REPOSITORY = Path(__file__).parents[2]
SITE_ID = "demo"
CAMERA_ID = "camera"
HTTP_PORT = 9464
BROKER_PORT = 1883
TURN_S = 0.2
CONNECT_TURN_S = 0.05
STOP_TIMEOUT_S = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    options = _options(arguments)
    for given in (options.source, options.model):
        if given is not None and (wrong := _missing(given)):
            print(f"demo: {wrong}", file=sys.stderr)
            return ExitCode.NOINPUT
    with tempfile.TemporaryDirectory(prefix="sitewatch-demo-") as folder:
        source, model = _choose(options, Path(folder))
        return _run(Path(folder), source, model, options.seconds)


def _choose(options: argparse.Namespace, scratch: Path) -> tuple[str, str]:
    """Source and model: as given, else what can be had."""
    cache, assets = cache_folder(os.environ, Path.home()), assets_folder(os.environ, REPOSITORY)
    clip = Chosen(options.source, "") if options.source is not None else choose_clip(assets, cache, scratch)
    if clip.sentence:
        _told(clip)
    if options.model is not None:
        return clip.value, options.model
    return clip.value, MOTION if clip.only_moves else _told(choose_model(assets, cache))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Plays a clip as a live camera through detection, tracking and events into an MQTT broker on this "
        "machine, and prints the events. Runs until stopped (Ctrl-C).",
    )
    parser.add_argument(
        "source", nargs="?", metavar="SOURCE", help="a video file, an rtsp:// address or a camera's number"
    )
    parser.add_argument("--model", metavar="M.onnx", help=f"a detection model, or the word {MOTION}")
    parser.add_argument("--seconds", type=float, metavar="N", help="end after so many seconds")
    return parser.parse_args(arguments)


def _told(chosen: Chosen) -> str:
    print(f"demo: {chosen.sentence}", flush=True)
    return chosen.value


def _missing(given: str) -> str | None:
    """What is wrong with a source or model that should be a file; None if nothing is."""
    if given == MOTION:
        return None
    try:
        address = SourceAddress.parse(int(given) if given.isdigit() else given, Path.cwd())
    except RefusedError as error:
        return f"{given}: {error}"
    if address.kind is SourceKind.FILE and not Path(address.location).is_file():
        return f"{given}: no such file"
    return None


def _run(folder: Path, source: str, model: str, seconds: float | None) -> int:
    port, http_port = _free_port(BROKER_PORT), _free_port(HTTP_PORT)
    site = folder / "demo.yaml"
    site.write_text(yaml.safe_dump(_site(folder, source, model, port, http_port)), encoding="utf-8")
    print(f"demo: broker 127.0.0.1:{port}, topics sitewatch/{SITE_ID}/#  (mosquitto_sub -p {port} -t 'sitewatch/#' -v)")
    print(f"demo: metrics http://127.0.0.1:{http_port}/metrics", flush=True)
    # A session of its own: Ctrl-C at the terminal is ours, and the agent is asked to stop once, not twice.
    command = [sys.executable, "-m", "agent", "run", str(site)]
    agent = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)  # noqa: S603 - ourselves
    watcher = Watcher(port, f"sitewatch/{SITE_ID}/#", is_colored=is_terminal())
    try:
        _wait(agent, watcher, seconds)
    finally:
        status = _stop(agent)
        watcher.stop()
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(watcher.events.items())) or "none"
    print(f"demo: stopped. Events: {counts}")
    return status


def _site(folder: Path, source: str, model: str, port: int, http_port: int) -> dict[str, object]:
    is_clip = not source.isdigit() and "://" not in source
    camera: dict[str, object] = {"source": int(source) if source.isdigit() else source}
    if is_clip:
        camera = {"source": str(Path(source).absolute()), "pace": "realtime", "playback": "loop"}
    return {
        "site": SITE_ID,
        "broker": "embedded",
        "embedded_broker_port": port,
        "model": MOTION if model == MOTION else {"path": str(Path(model).absolute())},
        "cameras": {CAMERA_ID: camera},
        "http": {"port": http_port},
        "log": {"level": "warning", "format": "text"},
        "state_dir": str(folder / "state"),
    }


def _wait(agent: subprocess.Popen[bytes], watcher: Watcher, seconds: float | None) -> None:
    """Until the agent ends, the time is over, or somebody presses Ctrl-C; meanwhile the watcher prints."""
    is_watching = False
    until_s = None if seconds is None else time.monotonic() + seconds
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while agent.poll() is None and (until_s is None or time.monotonic() < until_s):
            is_watching = is_watching or watcher.start()
            time.sleep(TURN_S if is_watching else CONNECT_TURN_S)
    except KeyboardInterrupt:
        print()


def _stop(agent: subprocess.Popen[bytes]) -> int:
    if agent.poll() is None:
        agent.terminate()
    try:
        return agent.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        agent.kill()
        return agent.wait()


def _free_port(wanted: int) -> int:
    """The usual port where it is free, else any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("this machine has no free port on loopback")
