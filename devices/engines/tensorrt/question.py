"""How a child process asks for TensorRT: the driver first, as TensorRT without one may crash the interpreter."""

from __future__ import annotations

from devices.probes.runtimes import NOT_USABLE, RuntimeQuestion

_GATE = f"""
import ctypes
def closed(why):
    print(f"needs a working NVIDIA driver: {{why}}", file=sys.stderr)
    sys.exit({NOT_USABLE})
try:
    driver = ctypes.CDLL("libcuda.so.1")
except OSError as error:
    closed(error)
count = ctypes.c_int()
code = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
if code or not count.value:
    closed(f"it answers {{code}} and lists {{count.value}} devices")
"""
_DEVICES = (
    "(__import__('pycuda.driver') and [f'GPU {index}' for index in range(count.value)])"
    " + [f'DLA {core}' for core in range(tensorrt.Runtime(tensorrt.Logger()).num_DLA_cores)]"
)
QUESTION = RuntimeQuestion(
    name="tensorrt",
    module="tensorrt",
    devices=_DEVICES,
    package="sitewatch[nvidia]",
    gate=_GATE,
    distributions=("tensorrt", "tensorrt-cu12", "tensorrt-cu13"),
)
