"""What CUDA's driver says of itself, asked through its C interface in a child process; no CUDA package is needed.

The driver counts its devices in an order of its own (fastest first, unless CUDA_DEVICE_ORDER says otherwise) and hides
those that CUDA_VISIBLE_DEVICES leaves out: its numbers are the ones an engine must use.
"""

from __future__ import annotations

from dataclasses import dataclass

from devices.probes.question import NOT_INSTALLED, answer, ask_library, failure
from devices.probes.root import Root

_DEADLINE_S = 20.0
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE
# CUDA driver interface, CUresult: what a person can do about the usual ones.
_CODES = {
    _NO_DEVICE: "the driver shows this process no device",
    35: "the driver is older than libcuda.so.1: update it, or restart the machine after an update",
    802: "the GPU's fabric is not started: start nvidia-fabricmanager",
    803: "libcuda.so.1 is of another version than the loaded driver: restart the machine",
    804: "libcuda.so.1 is of a newer version than this GPU's driver allows",
    999: "the driver answers an unknown error; see dmesg, and restart the machine",
}
_SCRIPT = f"""
import ctypes, json, sys
try:
    cuda = ctypes.CDLL("libcuda.so.1")
except OSError as error:
    print(error, file=sys.stderr)
    sys.exit({NOT_INSTALLED})
code = cuda.cuInit(0)
if code:
    print(json.dumps({{"code": code}}))
    sys.exit()
count = ctypes.c_int()
cuda.cuDeviceGetCount(ctypes.byref(count))
devices = []
for index in range(count.value):
    device, name, bus, size = ctypes.c_int(), (ctypes.c_char * 100)(), (ctypes.c_char * 20)(), ctypes.c_size_t()
    major, minor = ctypes.c_int(), ctypes.c_int()
    cuda.cuDeviceGet(ctypes.byref(device), index)
    cuda.cuDeviceGetName(name, 100, device)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(size), device)
    cuda.cuDeviceGetAttribute(ctypes.byref(major), 75, device)
    cuda.cuDeviceGetAttribute(ctypes.byref(minor), 76, device)
    cuda.cuDeviceGetPCIBusId(bus, 20, device)
    devices.append({{"name": name.value.decode(), "memory_bytes": size.value, "bus": bus.value.decode(),
                    "compute": f"sm_{{major.value}}{{minor.value}}"}})
print(json.dumps({{"devices": devices}}))
"""


@dataclass(frozen=True)
class CudaDevice:
    """A device as CUDA shows it to this process; its place in the list is its number."""

    name: str
    memory_bytes: int
    bus: str
    compute: str


@dataclass(frozen=True)
class CudaAnswer:
    """The devices, or why there are none: a missing library, a code, a crash."""

    devices: tuple[CudaDevice, ...] = ()
    problem: str = ""


def ask_cuda(root: Root) -> CudaAnswer:
    """Load the driver's library in a child and ask for its devices."""
    result = ask_library(root, "libcuda", _SCRIPT, _DEADLINE_S)
    if result.code == NOT_INSTALLED:
        return CudaAnswer(
            problem="libcuda.so.1 is not here: install the driver's libraries; a container needs NVIDIA's container "
            "toolkit (docker run --gpus all, on a Jetson --runtime nvidia)"
        )
    said = answer(result)
    if said is None:
        return CudaAnswer(problem=failure(result, "loading libcuda.so.1"))
    if said.get("code"):
        return CudaAnswer(problem=_told(int(said["code"]), root))
    return CudaAnswer(tuple(CudaDevice(**device) for device in said.get("devices", ())))


def _told(code: int, root: Root) -> str:
    hidden = root.environment.get("CUDA_VISIBLE_DEVICES")
    if code == _NO_DEVICE and hidden is not None:
        return f"CUDA_VISIBLE_DEVICES={hidden} hides every GPU from this process"
    return _CODES.get(code, "CUDA's driver refuses to start") + f" (CUDA error {code})"
