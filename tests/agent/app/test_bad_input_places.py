"""Ports and folders that are not free: the agent ends with a sentence, and the one that has them goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from live.agent_process import AgentProcess
from live.sites import write_clip, write_site
from servers.ports import free_port

from agent.cli import main
from agent.service.exit_codes import ExitCode

REPOSITORY = Path(__file__).resolve().parents[3]
NOBODY = 65534
WITHIN_S = 30.0
ON_LINUX = pytest.mark.skipif(not Path("/proc/self").exists(), reason="linux only: a folder that takes no files")


class Neighbour:
    """A running agent, and sites that differ from its own in where they want to be."""

    def __init__(self, folder: Path) -> None:
        self.http_port, self.broker_port = free_port(), free_port()
        camera = {"source": str(write_clip(folder / "clip.mp4")), "playback": "loop"}
        self.folder = folder
        self.site = write_site(
            folder, {"gate": camera}, broker="embedded", embedded_broker_port=self.broker_port, model="motion",
            http={"port": self.http_port}, log={"format": "text"},
        )  # fmt: skip
        self.state = folder / "state"
        self.agent = AgentProcess(self.site, folder)

    def second(self, name: str, **other: Any) -> AgentProcess:
        """An agent beside it, started: the same site, but for these keys."""
        folder = self.folder / name
        folder.mkdir()
        apart = {"http": {"port": 0}, "state_dir": str(folder / "state"), "embedded_broker_port": free_port()}
        content = {**yaml.safe_load(self.site.read_text()), **apart, **other}
        (folder / "site.yaml").write_text(yaml.safe_dump(content))
        agent = AgentProcess(folder / "site.yaml", folder)
        agent.spawn()
        return agent


@pytest.fixture(scope="module")
def neighbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neighbour]:
    """Runs as long as the tests of this file; is ready at the end as it was at the beginning."""
    neighbour = Neighbour(tmp_path_factory.mktemp("neighbour"))
    with neighbour.agent:
        yield neighbour
        assert neighbour.agent.get("/readyz").code == 200
        assert neighbour.agent.metric("sitewatch_mqtt_connected") == 1
        assert neighbour.agent.stop() == ExitCode.OK


def assert_ends(agent: AgentProcess, code: ExitCode, told: str) -> None:
    """With that exit status, and the sentence as the log's last line."""
    assert agent.wait(WITHIN_S) == code, agent.log
    assert f"error    sitewatch ends: {told}" in agent.log.splitlines()[-1]
    assert "Traceback" not in agent.log


def test_the_http_port_is_taken(neighbour: Neighbour) -> None:
    """Which port, and three ways out."""
    assert_ends(
        neighbour.second("http", http={"port": neighbour.http_port}),
        ExitCode.TEMPFAIL,
        f"http.port: {neighbour.http_port} on 127.0.0.1 is in use by another program; stop that one, choose another "
        "port, or 0 for any free one",
    )


def test_the_embedded_brokers_port_is_taken(neighbour: Neighbour) -> None:
    """Perhaps a real broker listens there: use that."""
    assert_ends(
        neighbour.second("broker", embedded_broker_port=neighbour.broker_port),
        ExitCode.TEMPFAIL,
        f"the embedded broker cannot listen on 127.0.0.1:{neighbour.broker_port}: another program does",
    )


def test_the_state_folder_is_taken(neighbour: Neighbour) -> None:
    """Two agents of one site: the second is told so, and has not touched what the first keeps."""
    assert_ends(
        neighbour.second("twin", state_dir=str(neighbour.state)),
        ExitCode.CANTCREAT,
        f"the state folder {neighbour.state} is in use: another process holds it; two agents may not share one",
    )


@ON_LINUX
def test_a_state_folder_that_cannot_be_made(neighbour: Neighbour) -> None:
    """Read-only even for root: which folder, why, what it is for and which key names another."""
    assert_ends(
        neighbour.second("proc", state_dir="/proc/sitewatch"),
        ExitCode.CANTCREAT,
        "the state folder /proc/sitewatch cannot be used: ",
    )


def test_a_read_only_state_folder(neighbour: Neighbour) -> None:
    """A folder of another user: ends before a camera is opened, and leaves nothing in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        state = folder / "state"
        state.mkdir(mode=0o555)
        content = {**yaml.safe_load(neighbour.site.read_text()), "state_dir": str(state), "http": {"port": 0}}
        content["cameras"] = {"gate": {"source": "rtsp://127.0.0.1:1/gate"}}
        (folder / "site.yaml").write_text(yaml.safe_dump(content))
        done = _run_as_nobody(folder / "site.yaml")
        assert not list(state.iterdir())

    assert done.returncode == ExitCode.CANTCREAT, done.stderr
    assert f"sitewatch ends: the state folder {state} cannot be used: " in done.stderr
    assert "(state_dir in the site file names another)" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_in_the_place_of_the_state_folder(neighbour: Neighbour, capsys: pytest.CaptureFixture[str]) -> None:
    """Seen with the other mistakes of the site file."""
    clip, site = neighbour.folder / "clip.mp4", neighbour.folder / "file.yaml"
    site.write_text(yaml.safe_dump({**yaml.safe_load(neighbour.site.read_text()), "state_dir": str(clip)}))

    assert main(["check", str(site)]) == ExitCode.CONFIG
    assert f"state_dir: {clip}: not a folder; allowed: a folder, which is made" in capsys.readouterr().err


@ON_LINUX
def test_an_events_file_that_cannot_be_written(neighbour: Neighbour) -> None:
    """Told at the start, and not when the first event is lost."""
    assert_ends(
        neighbour.second("events", sink="jsonl", events_file="/proc/sitewatch.jsonl"),
        ExitCode.CANTCREAT,
        "events_file: /proc/sitewatch.jsonl cannot be written: ",
    )


def _run_as_nobody(site: Path) -> subprocess.CompletedProcess[str]:
    """`sitewatch run` by a user who may read this site but not write; root may write everything."""
    become = f"import os; os.setgid({NOBODY}); os.setuid({NOBODY})" if os.geteuid() == 0 else ""
    # Checked before, as Python's own modules, which come when they are needed, may lie where nobody else may look.
    code = (
        "import sys, agent.app.run, agent.cli\n"
        f"agent.cli.main(['check', {str(site)!r}])\n{become}\nsys.exit(agent.cli.main(['run', {str(site)!r}]))"
    )
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
