"""A real TorchServe on free ports of this machine, in the folder that `sitewatch model torchserve` wrote."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from servers.environments import locked_environment

DEADLINE_S = 60.0


class TorchServe:
    """Started in a folder; one `ask` is one request."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> TorchServe:
        python = _environment()
        temporary = self.folder / "tmp"
        temporary.mkdir()
        # Its launcher believes that one server a folder of temporary files is all there can be.
        surroundings = {
            "TMPDIR": str(temporary),
            "TEMP": str(temporary),
            "PATH": f"{python.parent}:{os.environ['PATH']}",
        }
        command = [str(python.with_name("torchserve")), "--foreground", "--ts-config", "config.properties"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **surroundings}, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(DEADLINE_S)

    def wait(self, model: str) -> None:
        """Until a worker of the model is ready."""
        assert self._process is not None
        end_s = time.monotonic() + DEADLINE_S
        while not self._is_ready(model):
            assert self._process.poll() is None, self.log()
            assert "Backend worker process died" not in self.log(), self.log()
            assert time.monotonic() < end_s, self.log()
            time.sleep(0.2)

    def ask(self, model: str, body: bytes, *, has_key: bool = True) -> tuple[int, Any]:
        """Status and answer to a picture."""
        key = {"Authorization": f"Bearer {self._key('inference')}"} if has_key else {}
        headers = {"Content-Type": "application/octet-stream", **key}
        return _asked(f"http://127.0.0.1:{self._port}/predictions/{model}", headers, body)

    def log(self) -> str:
        """The end of what its workers printed."""
        lines = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([line for line in lines if "TS_METRICS" not in line and "ACCESS_LOG" not in line][-60:])

    def _is_ready(self, model: str) -> bool:
        try:
            headers = {"Authorization": f"Bearer {self._key('management')}"}
            status, told = _asked(f"http://127.0.0.1:{self._port + 1}/models/{model}", headers, None)
        except (OSError, ValueError):
            return False
        return status == 200 and all(worker["status"] == "READY" for worker in told[0]["workers"])

    def _key(self, door: str) -> str:
        keys = json.loads((self.folder / "key_file.json").read_text(encoding="utf-8"))
        return str(keys[door]["key"])


def _environment() -> Path:
    """Its Python, which finds PyTorch where the exporter has it."""
    python = locked_environment("torchserve")
    own, pytorch = (
        next((each.parents[1] / "lib").glob("python*/site-packages")) for each in (python, locked_environment("export"))
    )
    (own / "pytorch.pth").write_text(f"{pytorch}\n", encoding="utf-8")
    return python


def _asked(address: str, headers: dict[str, str], body: bytes | None) -> tuple[int, Any]:
    request = urllib.request.Request(address, data=body, headers=headers)  # noqa: S310 - ours
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:  # noqa: S310 - ours
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
