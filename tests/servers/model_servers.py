"""Real model servers of the KServe v2 protocol on free ports of this machine: started, stopped, killed by tests."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from pathlib import Path

import onnx
from servers.environments import locked_environment
from servers.ports import free_port

from devices.engines.kserve.connection import datatype_of
from devices.engines.model_file import read_model

HERE = Path(__file__).parent
DEADLINE_S = 40.0


class ModelServer(ABC):
    """A server with its files under `folder`; ports stay the same over restarts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.models.mkdir(parents=True)
        self.http_port, self.grpc_port, self.metrics_port = free_port(), free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._served: list[str] = []

    @property
    def grpc(self) -> str:
        """Its address over gRPC."""
        return f"grpc://127.0.0.1:{self.grpc_port}"

    @property
    def http(self) -> str:
        """Its address over HTTP."""
        return f"http://127.0.0.1:{self.http_port}"

    def __enter__(self) -> ModelServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, wait until it answers, load what was served before."""
        with (self.folder / "server.log").open("ab") as log:
            command, surroundings = self.command()
            self._process = subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **surroundings}, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        end_s = time.monotonic() + DEADLINE_S
        while not self._is_up():
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < end_s, self.log()
            time.sleep(0.1)
        for name in self._served:
            self._ask(f"/v2/repository/models/{name}/load")

    def kill(self) -> None:
        """End it and its children at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(DEADLINE_S)
            self._process = None

    def serve_once(self, model: Path) -> str:
        """Load an ONNX file under a name made of its content, unless it is there; the name."""
        name = f"m{hashlib.sha256(model.read_bytes()).hexdigest()[:12]}"
        if name not in self._served:
            self.serve(name, model)
        return name

    def serve(self, name: str, model: Path) -> None:
        """Load an ONNX file under a name, in place of another."""
        if name in self._served:
            self._ask(f"/v2/repository/models/{name}/unload")
            self._served.remove(name)
        shutil.rmtree(self.models / name, ignore_errors=True)
        self.write(name, model)
        self._ask(f"/v2/repository/models/{name}/load")
        self._served.append(name)

    def load(self, name: str) -> None:
        """Load what somebody wrote into the folder of models."""
        self._ask(f"/v2/repository/models/{name}/load")
        self._served.append(name)

    def unload(self, name: str) -> None:
        """Let go of a model."""
        self._ask(f"/v2/repository/models/{name}/unload")
        self._served.remove(name)

    def log(self) -> str:
        """The end of what it printed."""
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")[-3000:]

    @abstractmethod
    def command(self) -> tuple[list[str], dict[str, str]]:
        """How it is started, and in which environment."""

    @abstractmethod
    def write(self, name: str, model: Path) -> None:
        """Put a model into its folder."""

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.http}/v2/health/ready", timeout=2.0) as answer:  # noqa: S310 - ours
                return bool(answer.status == 200)
        except OSError:
            return False

    def _ask(self, path: str) -> None:
        request = urllib.request.Request(f"{self.http}{path}", data=b"{}", method="POST")  # noqa: S310 - ours
        request.add_header("Content-Type", "application/json")
        try:
            urllib.request.urlopen(request, timeout=DEADLINE_S).close()  # noqa: S310 - ours
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.read()!r}\n{self.log()}") from error


class MlServer(ModelServer):
    """MLServer: the least that the protocol asks for, no extensions."""

    def command(self) -> tuple[list[str], dict[str, str]]:
        """With its settings written beside."""
        settings = {
            "debug": False, "host": "127.0.0.1", "http_port": self.http_port, "grpc_port": self.grpc_port,
            "metrics_port": self.metrics_port, "parallel_workers": 0, "model_repository_root": str(self.models),
        }  # fmt: skip
        (self.folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        python = locked_environment("mlserver")
        return [str(python.with_name("mlserver")), "start", str(self.folder)], {"PYTHONPATH": str(HERE)}

    def write(self, name: str, model: Path) -> None:
        """As MLServer wants it."""
        folder = self.models / name
        folder.mkdir()
        shutil.copy(model, folder / "model.onnx")
        written = {
            "name": name, "implementation": "mlserver_model.OnnxModel",
            "parameters": {"uri": str(folder / "model.onnx")}, **_tensors(model),
        }  # fmt: skip
        (folder / "model-settings.json").write_text(json.dumps(written), encoding="utf-8")


class Triton(ModelServer):
    """Triton with its Python backend: binary tensors, shared memory, statistics."""

    def command(self) -> tuple[list[str], dict[str, str]]:
        """The server that the package carries, with the backend beside this Python's stub."""
        packages = self._packages()
        bundled = packages / "pytriton" / "tritonserver"
        backend = self.folder / "backends" / "python"
        if not backend.exists():
            shutil.copytree(bundled / "backends" / "python", backend)
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            shutil.copy(bundled / "python_backend_stubs" / version / "triton_python_backend_stub", backend)
        addresses = [f"--{each}-address=127.0.0.1" for each in ("http", "grpc", "metrics")]
        ports = [
            f"--http-port={self.http_port}",
            f"--grpc-port={self.grpc_port}",
            f"--metrics-port={self.metrics_port}",
        ]
        modes = [f"--model-repository={self.models}", f"--backend-directory={backend.parent}",
                 "--model-control-mode=explicit", "--exit-timeout-secs=1"]  # fmt: skip
        # The stub is linked against another Python of the same line: this one's library must come first.
        libraries = f"{sysconfig.get_config_var('LIBDIR')}:{packages / 'nvidia_pytriton.libs'}"
        return [str(bundled / "bin" / "tritonserver"), *addresses, *ports, *modes], {"LD_LIBRARY_PATH": libraries}

    def write(self, name: str, model: Path) -> None:
        """As the Python backend wants it."""
        folder = self.models / name / "1"
        folder.mkdir(parents=True)
        shutil.copy(model, folder / "model.onnx")
        shutil.copy(HERE / "triton_model.py", folder / "model.py")
        (folder / "packages.txt").write_text(str(self._packages()), encoding="utf-8")
        lines = [f'name: "{name}"', 'backend: "python"', "instance_group [{ kind: KIND_CPU, count: 1 }]"]
        for what, tensors in _tensors(model).items():
            for each in tensors:
                axes = ", ".join(map(str, each["shape"]))
                kind = str(each["datatype"])
                lines.append(f'{what[:-1]} [{{ name: "{each["name"]}", data_type: TYPE_{kind}, dims: [ {axes} ] }}]')
        (folder.parent / "config.pbtxt").write_text("\n".join(lines), encoding="utf-8")

    @staticmethod
    def can_run() -> bool:
        """Whether there is a server for this machine, and a NumPy before 2 for this Python."""
        return sys.platform == "linux" and os.uname().machine == "x86_64" and sys.version_info < (3, 13)

    @staticmethod
    def _packages() -> Path:
        return next((locked_environment("triton").parents[1] / "lib").glob("python*/site-packages"))


SERVERS: dict[str, type[ModelServer]] = {"mlserver": MlServer, **({"triton": Triton} if Triton.can_run() else {})}


def _tensors(model: Path) -> dict[str, list[dict[str, object]]]:
    """Inputs and outputs as both servers' settings call them."""
    file = read_model(model)
    names = {value.name for value in onnx.load(model).graph.input}
    rows = {"inputs": [spec for spec in file.inputs if spec.name in names], "outputs": file.outputs}
    return {
        what: [
            {
                "name": spec.name,
                "datatype": datatype_of(spec.dtype),
                "shape": [-1 if a is None else a for a in spec.shape],
            }
            for spec in specs
        ]
        for what, specs in rows.items()
    }


class RunningServers:
    """Starts each kind of server when it is first asked for, and keeps it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, ModelServer] = {}

    def __call__(self, kind: str) -> ModelServer:
        """The running server of a kind of `SERVERS`."""
        if kind not in self._running:
            server = SERVERS[kind](self._folder / kind)
            server.start()
            self._running[kind] = server
        return self._running[kind]

    def kill(self) -> None:
        """End them all."""
        while self._running:
            self._running.popitem()[1].kill()
