"""The release of Jetson Linux (L4T), the JetPack that brought it, and the power mode."""

from __future__ import annotations

import re

from devices.probes.root import Root

_DEADLINE_S = 5.0
# Jetson Linux to JetPack, after NVIDIA's release notes; the longest match counts. Others stay without a JetPack.
_JETPACKS = {
    "32.6.1": "4.6",
    "32.7.1": "4.6.1",
    "32.7": "4.6.2 or later",
    "35.1": "5.0.2",
    "35.2.1": "5.1",
    "35.3.1": "5.1.1",
    "35.4.1": "5.1.2",
    "35.5": "5.1.3",
    "35.6": "5.1.4 or later",
    "36.2": "6.0 developer preview",
    "36.3": "6.0",
    "36.4.0": "6.1",
    "36.4.3": "6.2",
    "36.4.4": "6.2.1",
    "36.4.7": "6.2.1",
    "36.5.0": "6.2.2",
    "38.2": "7.0",
    "38.4": "7.1",
    "39.2.0": "7.2",
    "39.2.2": "7.2.2",
}


def l4t_release(root: Root) -> str | None:
    """Such as "36.4.3", from the release file, or from the package where an image has no such file; else None."""
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", root.text("/etc/nv_tegra_release") or "")
    if found:
        return f"{found[1]}.{found[2]}"
    asked = root.run(("dpkg-query", "-W", "-f=${Version}", "nvidia-l4t-core"), _DEADLINE_S)
    package = re.match(r"(\d+\.\d+(?:\.\d+)?)", asked.output) if asked.code == 0 else None
    return package[1] if package else None


def jetpack_of(l4t: str | None) -> str | None:
    """The JetPack of a release: "36.4.3" came with "6.2"; None where we know none."""
    parts = _parts(l4t or "")
    known = [(len(_parts(key)), name) for key, name in _JETPACKS.items() if parts[: len(_parts(key))] == _parts(key)]
    return max(known)[1] if known else None


def at_least(version: str, least: str) -> bool:
    """Whether a dotted version is that one or a later one; what is no number counts as zero."""
    ours, theirs = _parts(version), _parts(least)
    length = max(len(ours), len(theirs))
    return [*ours, *[0] * (length - len(ours))] >= [*theirs, *[0] * (length - len(theirs))]


def power_mode(root: Root) -> str | None:
    """As nvpmodel names it, "MAXN_SUPER"; never set by us: some modes take a restart of the machine."""
    asked = root.run(("nvpmodel", "-q"), _DEADLINE_S)
    # Complaints (NVPM ERROR) and the fan's mode may stand before it.
    if found := re.search(r"^NV Power Mode:\s*(\S+)", asked.output, re.MULTILINE):
        return found[1]
    return _from_status(root)


def _from_status(root: Root) -> str | None:
    """In a container without nvpmodel: its status file has the number, its settings the name of each number."""
    number = re.search(r"pmode:0*(\d+)", root.text("/var/lib/nvpmodel/status") or "")
    if not number:
        return None
    settings = root.text("/etc/nvpmodel.conf") or ""
    name = re.search(rf"^<\s*POWER_MODEL\s+ID={number[1]}\s+NAME=(\S+)", settings, re.MULTILINE)
    return name[1] if name else f"mode {number[1]}"


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
