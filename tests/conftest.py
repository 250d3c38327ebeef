"""What every test stands on: shared test code on the path, the assets, system tools, and no leftover threads.

On a developer's machine what cannot run is skipped by name. With CI=true a skip fails the run, unless it is for the
assets folder and there is none.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from servers.model_servers import RunningServers

TESTS = Path(__file__).resolve().parent
REPOSITORY = TESTS.parent
sys.path.insert(0, str(TESTS))  # `from servers.rtsp import RtspServer`, `from fakes... import ...`

SYSTEM_PYTHON = "/usr/bin/python3"
THREAD_GRACE_S = 3.0
# Threads that may outlive a test: the start of the name, and why.
LONG_LIVED_THREADS: dict[str, str] = {
    "tqdm_monitor": "made once by a library of the scorer and kept for the life of the process",
}
GSTREAMER_RTSP = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
missing = [n for n in ("qtdemux", "h264parse", "rtph264pay") if not Gst.ElementFactory.find(n)]
assert not missing, missing
"""
GSTREAMER_OPENCV = """
import cv2
line = next(l for l in cv2.getBuildInformation().splitlines() if "GStreamer:" in l)
assert "YES" in line, line
"""


def _on_path(command: str) -> bool:
    return shutil.which(command, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin") is not None


def _system_python_runs(code: str) -> bool:
    if not Path(SYSTEM_PYTHON).exists():
        return False
    done = subprocess.run([SYSTEM_PYTHON, "-c", code], capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def _may_mount() -> bool:
    """Whether a tmpfs and a file system in a file can be mounted here."""
    tools = all(map(_on_path, ("mkfs.ext4", "findmnt", "unshare")))
    tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return tools and Path("/dev/loop-control").exists() and os.geteuid() == 0 and _runs(tried)


def _runs(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode == 0


# Mark: how to see that the tool is there, and what is missing when it is not.
SYSTEM_TOOLS: dict[str, tuple[Callable[[], bool], str]] = {
    "rtsp": (lambda: _system_python_runs(GSTREAMER_RTSP), "the GStreamer RTSP server of the system's Python"),
    "mosquitto": (lambda: _on_path("mosquitto"), "the mosquitto broker"),
    "ffmpeg": (lambda: _on_path("ffmpeg"), "the ffmpeg command"),
    "gstreamer_opencv": (lambda: _system_python_runs(GSTREAMER_OPENCV), "a system OpenCV built with GStreamer"),
    "mounts": (_may_mount, "the right to mount file systems, as root has it, and loop devices"),
    "compiler": (lambda: _on_path("gcc"), "the C compiler gcc"),
    "java": (lambda: _on_path("java") and _runs(["java", "-version"]), "Java, which TorchServe runs on"),
    "tensorrt_bindings": (lambda: _on_path("gcc"), "the C compiler gcc"),
}


def assets_folder() -> Path:
    """Where the assets are looked for, whether there or not."""
    return Path(os.environ.get("SITEWATCH_ASSETS") or REPOSITORY.parent / "shared" / "assets")


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of models, clips and ground truth."""
    folder = assets_folder()
    if not folder.is_dir():
        pytest.skip(f"assets: no folder {folder}; SITEWATCH_ASSETS names it")
    return folder


@pytest.fixture(scope="session")
def model_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServers]:
    """Real model servers, each started when it is first asked for."""
    from servers.model_servers import RunningServers  # noqa: PLC0415 - the path to it is set above

    servers = RunningServers(tmp_path_factory.mktemp("model-servers"))
    yield servers
    servers.kill()


@cache
def _missing(mark: str) -> str | None:
    """Why tests of this mark cannot run here, or None."""
    if mark == "assets":
        return None if assets_folder().is_dir() else f"assets: no folder {assets_folder()}; SITEWATCH_ASSETS names it"
    is_there, what = SYSTEM_TOOLS[mark]
    return None if is_there() else f"{mark}: {what} is missing; scripts/test installs it where it may"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, by name, what this machine cannot run."""
    for mark in ("assets", *SYSTEM_TOOLS):
        if item.get_closest_marker(mark) and (reason := _missing(mark)):
            pytest.skip(reason)


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """A thread that a test started and left running fails it; those of wider fixtures are not its own."""
    before = set(threading.enumerate())
    yield
    deadline = time.monotonic() + THREAD_GRACE_S
    while (left := _left(before)) and time.monotonic() < deadline:
        left[0].join(timeout=0.05)
    if left:
        pytest.fail(f"threads left running: {', '.join(thread.name for thread in left)}", pytrace=False)


def _left(before: set[threading.Thread]) -> list[threading.Thread]:
    known = tuple(LONG_LIVED_THREADS)
    return [t for t in threading.enumerate() if t not in before and not t.name.startswith(known)]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one."""
    report = yield
    _refuse_skip(report, is_about_assets=item.get_closest_marker("assets") is not None)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """In CI a module that skips itself fails the run."""
    report = yield
    _refuse_skip(report, is_about_assets=collector.get_closest_marker("assets") is not None)
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what all dangers together did to the events."""
    accounts = sys.modules.get("dangers.accounts")
    if accounts is not None and accounts.ACCOUNTS:
        terminalreporter.line(accounts.total())


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport, *, is_about_assets: bool) -> None:
    excused = is_about_assets and not assets_folder().is_dir()
    if os.environ.get("CI") != "true" or not report.skipped or excused or hasattr(report, "wasxfail"):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
    report.outcome = "failed"
    report.longrepr = f"{report.nodeid}: skipped, and in CI nothing may be: {reason}"
