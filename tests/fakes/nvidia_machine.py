"""A machine with an NVIDIA GPU that is none: fakes of tensorrt and pycuda, for this process and for build processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest
from fakes.cuda_fake import World, make_pycuda
from fakes.tensorrt_fake import make_tensorrt

from devices.engines.engine import BuildWatch, Engine, EngineRequest
from devices.engines.tensorrt import build_child
from devices.engines.tensorrt.build import Built, _content, build
from devices.engines.tensorrt.engine import Vendor, load
from devices.engines.tensorrt.order import CALIBRATION, MODEL, PLAN, TIMING, BuildOrder
from devices.inventory import Accelerator, AcceleratorKind

GPU = Accelerator(AcceleratorKind.NVIDIA_GPU, "Fake GPU", driver="nvidia 550.1")
DLA = Accelerator(AcceleratorKind.DLA, "Jetson AGX Orin DLA core 1", driver="L4T 36.4.3", index=1)
_FOLDER = Path(__file__).with_name("nvidia")
_MODULES = ("tensorrt", "pycuda", "pycuda.driver")


@dataclass
class NvidiaMachine:
    """What the fakes saw.

    Attributes:
        trt: the fake tensorrt of this process.
        cuda: what the fake CUDA saw in this process.
        monkeypatch: for what build processes see.
        orders: what was built here, and the caches of earlier builds given along.
    """

    trt: ModuleType
    cuda: World
    monkeypatch: pytest.MonkeyPatch = field(repr=False)
    orders: list[tuple[BuildOrder, dict[str, bytes | None]]] = field(default_factory=list)

    def load(self, request: EngineRequest, *, is_child: bool = False, **options: Any) -> Engine:
        """An engine on it; built in a child process as on a site, or here, which is quicker."""
        return load(request, vendor=Vendor(gate=lambda: 1, build=build if is_child else self.build_here), **options)

    def build_here(self, graph: bytes, order: BuildOrder, watch: BuildWatch, **caches: bytes | None) -> Built:
        """As the build process builds, without a process."""
        with TemporaryDirectory() as name:
            folder = Path(name)
            (folder / MODEL).write_bytes(graph)
            order.write(folder)
            notes = build_child._build(folder, lambda **_: None)
            assert watch.deadline_s > 0
            self.orders.append((order, caches))
            return Built((folder / PLAN).read_bytes(), notes, _content(folder / TIMING), _content(folder / CALIBRATION))

    def builds_with(self, behaviour: str) -> None:
        """How TensorRT behaves in build processes from now on."""
        self.monkeypatch.setenv("FAKE_TENSORRT", f"{self.trt.__version__} {behaviour}".strip())

    def assert_clean(self) -> None:
        """Everything was freed, on the right thread, and no context is left."""
        assert self.trt.violations == []
        assert self.cuda.violations == []
        assert self.cuda.live == {}
        assert set(self.cuda.contexts.values()) <= {0}
        assert self.cuda.retained == 0


@contextmanager
def nvidia_machine(monkeypatch: pytest.MonkeyPatch, version: str, behaviour: str = "") -> Iterator[NvidiaMachine]:
    """`import tensorrt` and `import pycuda.driver` find the fakes, here and in children."""
    machine = NvidiaMachine(make_tensorrt(version, behaviour), World(), monkeypatch)
    monkeypatch.syspath_prepend(_FOLDER)
    machine.builds_with("")
    for name in _MODULES:
        sys.modules.pop(name, None)
    package, driver = ModuleType("pycuda"), make_pycuda(machine.cuda)
    package.driver = driver  # type: ignore[attr-defined]  # as an imported submodule is
    sys.modules.update({"tensorrt": machine.trt, "pycuda": package, "pycuda.driver": driver})
    try:
        yield machine
    finally:
        for name in _MODULES:
            sys.modules.pop(name, None)
