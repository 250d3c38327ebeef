"""What the kernel shows against what the run-times list: a device counts where both agree, and the gap has a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from devices.inventory import Absence, Accelerator, AcceleratorKind, RuntimeStatus
from devices.probes.dla import cores_of_tensorrt
from devices.probes.finding import Finding
from devices.probes.jetpack import l4t_release
from devices.probes.jetson_modules import identify
from devices.probes.myriad import claimed_by_camera, stick
from devices.probes.root import Root

_GPU_LIBRARIES = "install Intel's compute runtime (intel-opencl-icd, libze-intel-gpu1)"
_NPU_LIBRARIES = "install level-zero and the NPU's libze_intel_npu.so.1 (Intel's linux-npu-driver)"


def agree(root: Root, finding: Finding, runtimes: Sequence[RuntimeStatus]) -> Finding:
    """`finding` without what the run-times that should drive it cannot see, and with what they alone prove."""
    usable = {status.name: status for status in runtimes if status.availability.usable}
    finding = _openvino(finding, usable.get("openvino"), AcceleratorKind.INTEL_GPU, "GPU", _GPU_LIBRARIES)
    finding = _openvino(finding, usable.get("openvino"), AcceleratorKind.INTEL_NPU, "NPU", _NPU_LIBRARIES)
    finding = _tensorrt(root, finding, usable.get("tensorrt") or usable.get("tensorrt_worker"))
    return _myriad(root, finding, usable)


def _openvino(
    finding: Finding, openvino: RuntimeStatus | None, kind: AcceleratorKind, listed_as: str, libraries: str
) -> Finding:
    """OpenVINO lists a GPU or NPU only where its own libraries are there too."""
    devices = [each for each in finding.accelerators if each.kind is kind]
    if openvino is None or not devices or any(name.startswith(listed_as) for name in openvino.devices):
        return finding
    names = " and ".join(f"{each.name} ({each.driver})" for each in devices)
    reason = f"{names} can be opened, but OpenVINO {openvino.version} does not list {listed_as}: {libraries}"
    return _without(finding, kind, devices, reason)


def _tensorrt(root: Root, finding: Finding, tensorrt: RuntimeStatus | None) -> Finding:
    """The fourth fact about DLA: the TensorRT that is here can build for it."""
    cores = [each for each in finding.accelerators if each.kind is AcceleratorKind.DLA]
    identity = identify(root)
    if tensorrt is None or identity is None or not cores:
        return finding
    count, reason = cores_of_tensorrt(identity.module, l4t_release(root), tensorrt)
    if count >= len(cores):
        return finding
    reason = reason or f"TensorRT {tensorrt.version} lists {count} of {len(cores)} DLA cores"
    return _without(finding, AcceleratorKind.DLA, cores[count:], reason)


def _myriad(root: Root, finding: Finding, usable: Mapping[str, RuntimeStatus]) -> Finding:
    """Only the run-time that boots a stick can tell it from a camera."""
    listed = [name for status in usable.values() for name in status.devices if name.startswith("MYRIAD")]
    if not listed or claimed_by_camera(root):
        return finding
    return Finding((*finding.accelerators, *(stick(name) for name in listed)), finding.absent, finding.notes)


def _without(finding: Finding, kind: AcceleratorKind, gone: Sequence[Accelerator], reason: str) -> Finding:
    kept = tuple(each for each in finding.accelerators if each not in gone)
    if any(each.kind is kind for each in kept):
        return Finding(kept, finding.absent, (*finding.notes, reason))
    return Finding(kept, (Absence(kind, reason), *finding.absent), finding.notes)
