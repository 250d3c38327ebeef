"""A real systemd as process 1 of namespaces of its own, on a throw-away copy of this machine's root; needs root.

Nothing of it reaches the machine: files go to an overlay in memory, devices are a few nodes of its own, processes and
control groups live in namespaces. Only the network is the machine's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

BOOT_S = 30.0
SYSTEMD = "/lib/systemd/systemd"
# In the namespaces, $1 is an empty folder.
PREPARE = r"""
set -eu
mount -t tmpfs tmpfs "$1"; mkdir "$1/upper" "$1/work" "$1/root"; R=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$R"
mount -t proc proc "$R/proc"; mount --bind "$R/proc/sys" "$R/proc/sys"; mount -o remount,bind,ro "$R/proc/sys"
mount -t sysfs -o ro sysfs "$R/sys"; mount -t tmpfs tmpfs "$R/sys/fs/cgroup" || true
mount -t cgroup2 cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$R/dev"; mkdir "$R/dev/shm" "$R/dev/pts"
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- "$1" $node; mknod -m 666 "$R/dev/$2" c "$3" "$4"
done
mount -t tmpfs -o mode=1777 tmpfs "$R/dev/shm"; mount -t devpts -o newinstance,ptmxmode=666 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"; ln -s /proc/self/fd "$R/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$R/run"; mount -t tmpfs -o mode=1777 tmpfs "$R/tmp"
# What a boot would do to a machine is not wanted here; what is left is the manager, its journal and our units.
rm -rf "$R"/lib/systemd/system/*.wants "$R"/etc/systemd/system/*.wants
printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\nAfter=systemd-journald.service\n' \
    > "$R/etc/systemd/system/booted.target"
printf '%s\n' 0123456789abcdef0123456789abcdef > "$R/etc/machine-id"
# Not chroot: in one nobody may make a user namespace, which PrivateUsers= does.
cd "$R"; mkdir -p old-root; pivot_root . old-root; cd /; umount --lazy /old-root; rmdir /old-root
mount --make-rshared /  # as a boot does; credentials reach a service that way
exec env -i container=sitewatch PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=booted.target --log-target=journal-or-kmsg
"""


class BootedSystemd:
    """While entered, `run` runs commands where systemd is process 1."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._outer: subprocess.Popen[bytes] | None = None
        self._cgroup = _cgroup2() / f"sitewatch-prove-{os.getpid()}"
        self._pid = 0

    def __enter__(self) -> BootedSystemd:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._cgroup.mkdir()
        enter = f'echo $$ > "{self._cgroup}/cgroup.procs" && exec "$@"'
        namespaces = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc", "--cgroup"]
        prepare = ["sh", "-c", PREPARE, "sh", str(self._folder)]
        with (self._folder.parent / "boot.log").open("wb") as log:
            self._outer = subprocess.Popen(
                ["sh", "-c", enter, "sh", *namespaces, "--propagation", "private", *prepare],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        until(self._is_up, "systemd is up", BOOT_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
        if self._outer is not None:
            self._outer.kill()
            self._outer.wait()
        until(self._cgroup_is_gone, "the control group is empty")

    def run(self, *command: str, timeout_s: float = 900.0) -> tuple[int, str]:
        """Status and words of a command in there."""
        inside = ["nsenter", "--target", str(self._pid), "--all", "--root", "--wd"]
        done = subprocess.run(
            [*inside, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=timeout_s, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.decode(errors="replace")

    def must(self, *command: str) -> str:
        """The words of a command that has to succeed."""
        status, said = self.run(*command)
        assert status == 0, f"{' '.join(command)}: status {status}\n{said}"
        return said

    def write(self, path: str, text: str, owner: str = "root:root", mode: str = "644") -> None:
        """A file in there."""
        beside = self._folder / "root" / path.lstrip("/")
        real = Path(f"/proc/{self._pid}/root") / beside.relative_to(self._folder / "root")
        real.parent.mkdir(parents=True, exist_ok=True)
        real.write_text(text, encoding="utf-8")
        self.must("chown", owner, path)
        self.must("chmod", mode, path)

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.must("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def _cgroup_is_gone(self) -> bool:
        for folder, _, _ in os.walk(self._cgroup, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
        return not self._cgroup.exists()

    def _is_up(self) -> bool:
        assert self._outer is not None
        assert self._outer.poll() is None, (self._folder.parent / "boot.log").read_text(errors="replace")
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text(encoding="ascii").split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text(encoding="ascii").strip() != "systemd":
            return False
        self._pid = int(children[0])
        return self.run("systemctl", "is-active", "booted.target")[1].strip() == "active"


def why_not_here() -> str | None:
    """What is missing for it, or None."""
    if os.geteuid() != 0:
        return "only root can make the namespaces"
    missing = [
        name for name in ("unshare", "nsenter", "mount", "pivot_root", "systemctl") if shutil.which(name) is None
    ]
    if missing or not Path(SYSTEMD).exists():
        return f"missing: {', '.join(missing) or SYSTEMD}"
    if not any(" cgroup2 " in line for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()):
        return "no cgroup2 is mounted"
    return None


def until(is_so: Callable[[], object], what: str, timeout_s: float = 30.0) -> None:
    """Wait for a condition; fails after the time-out."""
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline_s, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.1)


def _cgroup2() -> Path:
    mounts = Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    return next((Path(line.split()[1]) for line in mounts if line.split()[2] == "cgroup2"), Path("/sys/fs/cgroup"))
