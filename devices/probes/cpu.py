"""The processor: its name, the instructions that matter to inference, and how much of it this process may use."""

from __future__ import annotations

import re

from devices.inventory import Accelerator, AcceleratorKind
from devices.probes.cgroup import cpu_quota
from devices.probes.root import Root

# Linux's names of features (arch/*/include cpufeature lists), by the word we report.
_INSTRUCTIONS = {
    "sse4_2": "sse4_2",
    "avx2": "avx2",
    "avx512f": "avx512",
    "avx512_vnni": "avx512_vnni",
    "avx_vnni": "avx_vnni",
    "avx512_bf16": "avx512_bf16",
    "amx_int8": "amx_int8",
    "amx_bf16": "amx_bf16",
    "asimd": "neon",
    "neon": "neon",
    "asimdhp": "neon_fp16",
    "asimddp": "neon_dotprod",
    "i8mm": "i8mm",
    "sve": "sve",
}
# Arm's implementer and part numbers (MIDR), which is all that Arm Linux tells.
_ARM_PARTS = {
    ("0x41", "0xd03"): "Cortex-A53",
    ("0x41", "0xd07"): "Cortex-A57",
    ("0x41", "0xd08"): "Cortex-A72",
    ("0x41", "0xd0b"): "Cortex-A76",
    ("0x41", "0xd42"): "Cortex-A78AE",
    ("0x41", "0xd83"): "Neoverse-V3AE",
    ("0x41", "0xd0c"): "Neoverse-N1",
    ("0x41", "0xd40"): "Neoverse-V1",
    ("0x4e", "0x003"): "NVIDIA Denver 2",
    ("0x4e", "0x004"): "NVIDIA Carmel",
}
_SYSCTL_DEADLINE_S = 5.0


def probe_cpu(root: Root) -> Accelerator:
    """The processor as an accelerator; every machine has one, even where it does not tell its name."""
    if root.system == "Darwin":
        name = sysctl(root, "machdep.cpu.brand_string") or root.architecture
        return Accelerator(AcceleratorKind.CPU, name, capability=_capability_of_mac(root))
    fields = _cpuinfo(root)
    flags = f"{fields.get('flags', '')} {fields.get('Features', '')}".split()
    capability = tuple(dict.fromkeys(word for flag, word in _INSTRUCTIONS.items() if flag in flags))
    return Accelerator(AcceleratorKind.CPU, _name(root, fields), capability=capability)


def cpu_limit(root: Root) -> float:
    """How many processors this process may use at once: cores, affinity and cgroup quota, the least of them."""
    limits = [float(cores(root))]
    if (allowed := _allowed(root)) is not None:
        limits.append(float(allowed))
    if (quota := cpu_quota(root)) is not None:
        limits.append(quota)
    return min(limits)


def cores(root: Root) -> int:
    """Processors of the machine, as the system counts them."""
    if root.system == "Darwin":
        told = sysctl(root, "hw.ncpu")
        return int(told) if told and told.isdigit() else 1
    return len(re.findall(r"^processor\s*:", root.text("/proc/cpuinfo") or "", re.MULTILINE)) or 1


def sysctl(root: Root, name: str) -> str | None:
    """A value of macOS's sysctl, or None where it has no such."""
    result = root.run(("sysctl", "-n", name), _SYSCTL_DEADLINE_S)
    return result.output.strip() or None if result.code == 0 else None


def _capability_of_mac(root: Root) -> tuple[str, ...]:
    if root.architecture == "arm64":
        return ("neon", "neon_fp16", "neon_dotprod")  # in every one of Apple's own chips
    names = {"hw.optional.avx2_0": "avx2", "hw.optional.avx512f": "avx512", "hw.optional.avx512vnni": "avx512_vnni"}
    return tuple(word for name, word in names.items() if sysctl(root, name) == "1")


def _cpuinfo(root: Root) -> dict[str, str]:
    """The first processor's fields; big and little cores differ, but their instructions do not."""
    fields: dict[str, str] = {}
    for line in (root.text("/proc/cpuinfo") or "").splitlines():
        key, mark, value = line.partition(":")
        if mark:
            fields.setdefault(key.strip(), value.strip())
    return fields


def _name(root: Root, fields: dict[str, str]) -> str:
    part = _ARM_PARTS.get((fields.get("CPU implementer", ""), fields.get("CPU part", "")))
    name = fields.get("model name") or part or f"{root.architecture} processor"
    return re.sub(r"\s+", " ", name)


def _allowed(root: Root) -> int | None:
    """Processors of the affinity mask, e.g. "0-3,8"."""
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)", root.text("/proc/self/status") or "", re.MULTILINE)
    if not found:
        return None
    ranges = [part.partition("-") for part in found[1].split(",")]
    return sum(int(last or first) - int(first) + 1 for first, _, last in ranges)
