"""A real mosquitto on a free port of this machine: started, stopped, killed, frozen and restarted by tests."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from servers.ports import free_port

PATHS = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
DEADLINE_S = 10.0


class Mosquitto:
    """One broker with its files under `folder`; the port stays the same over restarts.

    With `tls`, `ca_file` vouches for it, and `other_ca_file` does not; `client_cert_file` and `client_key_file` are
    what a client shows where `wants_client_certificate`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        user: str | None = None,
        password: str | None = None,
        persistence: bool = True,
        wants_client_certificate: bool = False,
        more: str = "",
        valid_days: int = 400,  # of its certificates: nobody warns of their end
    ) -> None:
        self.host = "localhost" if tls else "127.0.0.1"
        self.port = free_port()
        self._folder = folder
        self._valid_days = valid_days
        self._process: subprocess.Popen[bytes] | None = None
        self.ca_file = folder / "ca.pem"
        self.other_ca_file = folder / "other_ca.pem"
        self.client_cert_file = folder / "client.pem"
        self.client_key_file = folder / "client.key"
        folder.mkdir(parents=True, exist_ok=True)
        if tls:
            self._make_certificates()
        if user is not None:
            self._make_password_file(user, password or "")
        self._configure(
            tls=tls,
            login=user is not None,
            persistence=persistence,
            client_certificate=wants_client_certificate,
            more=more,
        )

    def __enter__(self) -> Mosquitto:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self._folder / "mosquitto.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_command("mosquitto"), "-c", str(self._folder / "mosquitto.conf")], stdout=log, stderr=log
            )
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"mosquitto ended at once:\n{self.log}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        raise RuntimeError(f"mosquitto does not answer:\n{self.log}")

    def stop(self) -> None:
        """End it cleanly: it saves what it holds."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once: what it did not save is lost.

        It is frozen for a moment before. Else a subscriber's own acknowledgement, written to a socket that is gone,
        would make its library throw away unread what had arrived; the broker had acknowledged that to the publisher.
        That loss is of a broker that keeps nothing on disk, and none that a publisher could mend.
        """
        self.freeze()
        time.sleep(0.1)
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Let it do nothing, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def save(self) -> None:
        """Make it write its sessions, retained and queued messages to disk now."""
        store = self._folder / "mosquitto.db"
        before = store.stat().st_mtime_ns if store.exists() else 0
        self._signal(signal.SIGUSR1)
        deadline = time.monotonic() + DEADLINE_S
        while not store.exists() or store.stat().st_mtime_ns == before:
            if time.monotonic() > deadline:
                raise RuntimeError("mosquitto does not save")
            time.sleep(0.01)

    def expire(self, name: str) -> None:
        """Replace a certificate (`server`, `client`) by one that ended yesterday; before a start."""
        self._sign(name, days=-1)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)  # it may be frozen
        process.wait(DEADLINE_S)

    def _signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _configure(self, *, tls: bool, login: bool, persistence: bool, client_certificate: bool, more: str) -> None:
        lines = [
            f"listener {self.port} 127.0.0.1",
            "user root",  # started by root it would drop to a user who cannot write here
            f"allow_anonymous {'false' if login else 'true'}",
            f"persistence {'true' if persistence else 'false'}",
            f"persistence_location {self._folder}/",
            "max_queued_messages 0",
            "log_dest stdout",
        ]
        if login:
            lines.append(f"password_file {self._folder / 'passwords'}")
        if tls:
            lines += [
                f"cafile {self.ca_file}",
                f"certfile {self._folder / 'server.pem'}",
                f"keyfile {self._folder / 'server.key'}",
                f"require_certificate {'true' if client_certificate else 'false'}",
            ]
        (self._folder / "mosquitto.conf").write_text("\n".join([*lines, more, ""]))

    def _make_password_file(self, user: str, password: str) -> None:
        path = self._folder / "passwords"
        path.touch(mode=0o600)
        subprocess.run([_command("mosquitto_passwd"), "-b", str(path), user, password], check=True)

    def _make_certificates(self) -> None:
        self._make_authority("ca")
        self._make_authority("other_ca")
        self._make_certificate("server", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self._make_certificate("client", "extendedKeyUsage=clientAuth")

    def _make_authority(self, name: str) -> None:
        self._openssl(
            "req", "-x509", *KEY, "-days", str(self._valid_days), "-subj", f"/CN=test {name}",
            "-addext", "keyUsage=critical,keyCertSign", "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip

    def _make_certificate(self, name: str, extension: str) -> None:
        self._openssl("req", *KEY, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self._folder / f"{name}.ext").write_text(extension)
        self._sign(name, days=self._valid_days)

    def _sign(self, name: str, *, days: int) -> None:
        self._openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip

    def _openssl(self, *arguments: str) -> None:
        subprocess.run([_command("openssl"), *arguments], cwd=self._folder, check=True, capture_output=True)


KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _command(name: str) -> str:
    path = shutil.which(name, path=PATHS)
    if path is None:
        raise RuntimeError(f"{name} is not installed")
    return path
