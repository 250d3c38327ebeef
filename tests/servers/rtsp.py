"""A real RTSP camera for tests, in a process of its own: started, stopped, killed, frozen, thawed."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO
from urllib.parse import quote

from servers.ports import free_port

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).with_name("rtsp_server.py")
START_S = 20.0
STOP_S = 5.0


class RtspServer:
    """Plays clips as cameras on 127.0.0.1. The port stays the same over restarts.

    Args:
        mounts: name of the mount (without slash) to an MP4 file.
        user, password: asked of every client when given.
        port: 0 takes a free one.
        codec: h264 or h265, of every clip.
        once: end each stream with its clip instead of looping without a jump in time.
        jump: let stream time start again at each loop.
        tls: certificate and key, PEM files; the address is then rtsps://.
    """

    def __init__(
        self,
        mounts: Mapping[str, Path],
        *,
        user: str | None = None,
        password: str | None = None,
        port: int = 0,
        codec: str = "h264",
        once: bool = False,
        jump: bool = False,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        self._mounts = dict(mounts)
        self._user, self._password = user, password
        self._port = port
        self._codec = codec
        self._at_end = "stop" if once else "jump" if jump else "loop"
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """Where it listens, or will."""
        self._port = self._port or free_port()
        return self._port

    def url(self, mount: str, *, credentials: bool = False) -> str:
        """The address of one mount, with user and password in it if asked."""
        who = f"{quote(self._user or '')}:{quote(self._password or '')}@" if credentials else ""
        scheme = "rtsps" if self._tls else "rtsp"
        return f"{scheme}://{who}127.0.0.1:{self.port}/{mount.lstrip('/')}"

    def start(self) -> None:
        """Start, and return when it listens."""
        if self._process is not None:
            raise RuntimeError("the RTSP server runs already")
        with tempfile.TemporaryFile() as said:
            self._process = subprocess.Popen(self._command(), stdout=said, stderr=said, stdin=subprocess.DEVNULL)
            try:
                self._await_ready(said)
            except BaseException:
                self.kill()
                raise

    def stop(self) -> None:
        """End as a camera that is shut down; no effect when it does not run."""
        if self._process is None:
            return
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End as a camera that loses its power; no effect when it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_S)
            self._process = None

    def freeze(self) -> None:
        """Stop delivering while connections stay open."""
        self._running().send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on after `freeze`."""
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> RtspServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the RTSP server does not run")
        return self._process

    def _command(self) -> list[str]:
        command = [SYSTEM_PYTHON, str(SCRIPT), "--port", str(self.port), "--codec", self._codec]
        command += ["--at-end", self._at_end]
        if self._user is not None:
            command += ["--user", self._user, "--password", self._password or ""]
        if self._tls is not None:
            command += ["--certificate", str(self._tls[0]), "--key", str(self._tls[1])]
        return command + [f"/{mount.lstrip('/')}={path.resolve()}" for mount, path in self._mounts.items()]

    def _await_ready(self, said: IO[bytes]) -> None:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            said.seek(0)
            words = said.read()
            if b"ready" in words:
                return
            if self._running().poll() is not None:
                raise RuntimeError(f"the RTSP server ended: {words.decode(errors='replace')}")
            time.sleep(0.02)
        raise TimeoutError(f"the RTSP server is not ready after {START_S:.0f} s: {words.decode(errors='replace')}")
