"""Writes down what the probe and the readings see of this machine: allowed files and commands only, names taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from devices.probe import probe
from devices.probes.question import question_name
from devices.probes.root import NOT_FOUND, CommandResult, Root
from devices.readings.vitals import read_vitals
from devices.recordings.form import Record
from devices.recordings.scrub import scrub

# Whatever a probe may read one day, nothing but these goes into a record. A star crosses slashes here.
ALLOWED_FILES = (
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/self/cgroup",
    "/proc/self/status",
    "/proc/self/fdinfo/*",
    "/proc/driver/nvidia/version",
    "/proc/device-tree/compatible",
    "/proc/device-tree/model",
    "/proc/device-tree/nvidia,boardids",
    "/sys/firmware/devicetree/base/*",
    "/sys/fs/cgroup*",
    "/sys/class/dmi/id/sys_vendor",
    "/sys/class/dmi/id/product_name",
    "/sys/class/drm/renderD*",
    "/sys/class/accel/accel*",
    "/sys/class/thermal/thermal_zone*",
    "/sys/class/hwmon/hwmon*",
    "/sys/class/video4linux/video*",
    "/sys/bus/pci/devices/*",
    "/sys/bus/usb/devices/*",
    "/sys/bus/i2c/drivers/ina3221x/*",
    "/sys/module/intel_vpu*",
    "/sys/devices/*nvdla[01]*",
    "/sys/devices/*/load",
    "/sys/devices/system/cpu/*",
    "/sys/kernel/debug/nvmap/iovmm/clients",
    "/etc/nv_tegra_release",
    "/etc/nvpmodel.conf",
    "/var/lib/nvpmodel/status",
    "/dev/*",
    "/usr/*",
    "/sbin/lsmod",
    "/bin/lsmod",
)
ALLOWED_COMMANDS = ("python: ", "nvidia-smi ", "nvpmodel -q", "sysctl -n ", "dpkg-query ", "test -r /dev/", "stat -L ")
ALLOWED_VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES",
    "NVIDIA_DRIVER_CAPABILITIES",
)
# Lines that are kept of long files, by how they begin.
_KEPT_LINES = {
    "/proc/meminfo": ("MemTotal", "MemFree", "MemAvailable"),
    "/proc/self/status": ("Name", "Cpus_allowed"),
    "/proc/stat": ("cpu",),
    "/proc/cpuinfo": ("processor", "model name", "flags", "Features", "CPU implementer", "CPU part", "Model"),
}


@dataclass(frozen=True)
class Notebook:
    """What has been seen so far."""

    files: dict[str, str] = field(default_factory=dict)
    commands: dict[str, CommandResult] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    def note(self, path: str, content: str) -> None:
        """Keep a file's text, or that a path is there; what is not on the list is named as refused."""
        if not any(fnmatchcase(path, pattern) for pattern in ALLOWED_FILES):
            self.refused.add(path)
        elif content or path not in self.files:
            self.files[path] = _kept(path, content)


@dataclass(frozen=True)
class NotingRoot(Root):
    """A `Root` that writes into a notebook whatever it is asked for and finds."""

    notebook: Notebook = field(default_factory=Notebook)
    seen: Root | None = None

    def text(self, name: str) -> str | None:
        """As the machine's, noted."""
        content = self._machine().text(name)
        is_idle_descriptor = name.startswith("/proc/self/fdinfo/") and "drm-" not in (content or "")
        if content is not None and not is_idle_descriptor:
            self.notebook.note(name, content)
        return content

    def matches(self, pattern: str) -> tuple[str, ...]:
        """As the machine's; each is noted to be there."""
        found = self._machine().matches(pattern)
        for path in found if not pattern.startswith("/proc/self/fdinfo") else ():
            self.notebook.note(path, "")
        return found

    def _machine(self) -> Root:
        if self.seen is None:
            raise TypeError("a noting root needs a machine to look at")
        return self.seen


def record(root: Root, remark: str, private_words: Sequence[str] = ()) -> Record:
    """Probe the machine and read its vitals, and give what they saw, without names, addresses and serial numbers.

    Args:
        root: the machine.
        remark: what the reader should know of it.
        private_words: this machine's own names (host, user), to be taken out wherever they stand.
    """
    notebook = Notebook()
    noting = note_down(root, notebook)
    read_vitals(noting, probe(noting).accelerators)
    whole = Record(
        facts={name: str(getattr(root, name)) for name in ("system", "release", "architecture", "python")},
        environment={name: value for name, value in root.environment.items() if name in ALLOWED_VARIABLES},
        files=_without_folders(notebook.files),
        commands=notebook.commands,
        remark=remark,
    )
    return scrub(whole, private_words)


def note_down(root: Root, notebook: Notebook) -> NotingRoot:
    """The machine, with everything it is asked for written into the notebook."""

    def run(command: Sequence[str], deadline_s: float) -> CommandResult:
        result = root.run(command, deadline_s)
        name = question_name(command) or " ".join(command)
        if not name.startswith(ALLOWED_COMMANDS):
            notebook.refused.add(name)
        elif result.code != NOT_FOUND:
            notebook.commands[name] = result
        return result

    plain = {name: getattr(root, name) for name in Root.__dataclass_fields__}
    return NotingRoot(**{**plain, "run": run}, notebook=notebook, seen=replace(root))


def _without_folders(files: dict[str, str]) -> dict[str, str]:
    """A folder shows by what lies in it."""
    folders = {path[:end] for path in files for end in range(1, len(path)) if path[end] == "/"}
    return {path: content for path, content in files.items() if content or path not in folders}


def _kept(path: str, content: str) -> str:
    begins = _KEPT_LINES.get(path)
    if begins is None:
        return content
    return "\n".join(line for line in content.splitlines() if line.startswith(begins))
