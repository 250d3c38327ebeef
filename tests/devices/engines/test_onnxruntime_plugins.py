"""Providers that come as packages: which are found, and which device of theirs is taken."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnxruntime
import pytest
from fakes.tiny_onnx import doubled

from devices.engines import onnxruntime_plugins
from devices.engines.engine import EngineRequest
from devices.engines.onnxruntime_plugins import listed, load, plugin_devices
from devices.errors import EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind

INTEL, NVIDIA, AMD = 0x8086, 0x10DE, 0x1022
NPU = Accelerator(AcceleratorKind.INTEL_NPU, "Intel NPU")


def device(provider: str, kind: str, vendor: int) -> Any:
    hardware = SimpleNamespace(type=SimpleNamespace(name=kind), vendor_id=vendor)
    return SimpleNamespace(ep_name=provider, device=hardware)


def runtime(*devices: Any) -> Any:
    """ONNX Runtime with these devices, the processor's own among them."""
    own = device("CPUExecutionProvider", "CPU", INTEL)
    return SimpleNamespace(
        __version__="1.31.1",
        register_execution_provider_library=lambda _name, _library: None,
        get_ep_devices=lambda: [own, *devices],
    )


def plug_in(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """A package of the kind, on the path."""
    information = folder / "onnxruntime_ep_tests-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-ep-tests\nVersion: 1\n")
    package = folder / "onnxruntime_ep_tests"
    package.mkdir()
    (package / "__init__.py").write_text(body)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "onnxruntime_ep_tests", raising=False)


def test_the_names_are_the_real_ones() -> None:
    """What the stand-in above has, ONNX Runtime's own device has."""
    (own, *_) = onnxruntime.get_ep_devices()

    assert own.ep_name == "CPUExecutionProvider"
    assert own.device.type.name == "CPU"
    assert isinstance(own.device.vendor_id, int)
    assert {"CPU", "GPU", "NPU"} <= set(onnxruntime.OrtHardwareDeviceType.__members__)
    assert hasattr(onnxruntime.SessionOptions, "add_provider_for_devices")
    assert hasattr(onnxruntime, "register_execution_provider_library")


def test_devices_by_vendor() -> None:
    """A device counts by its vendor and type; providers that choose by themselves, and the processor's own, do not."""
    found = runtime(
        device("OpenVINOExecutionProvider", "NPU", INTEL),
        device("OpenVINOExecutionProvider.AUTO", "NPU", INTEL),
        device("OpenVINOExecutionProvider", "GPU", INTEL),
        device("NvTensorRTRTXExecutionProvider", "GPU", NVIDIA),
        device("SomebodysExecutionProvider", "NPU", AMD),
    )

    assert listed(found) == ["intel_gpu", "intel_npu", "nvidia_gpu"]
    assert len(plugin_devices(found)) == 4


def test_the_accelerators_number_counts() -> None:
    """The second GPU is the second of the first plug-in that has GPUs."""
    first, second = (device("A", "GPU", INTEL) for _ in range(2))
    offered = plugin_devices(runtime(device("B", "NPU", INTEL), first, second, device("B", "GPU", INTEL)))
    asked = EngineRequest(Path("model.onnx"), Accelerator(AcceleratorKind.INTEL_GPU, "Intel GPU", index=1))

    assert onnxruntime_plugins._chosen(offered, asked).ort_device is second


def test_nothing_is_installed(tmp_path: Path) -> None:
    """Without plug-ins, and without one for the accelerator, the reason says what there is."""
    with pytest.raises(EngineUnavailable, match="no plug-in offers Intel NPU; there is none that offers anything"):
        load(EngineRequest(doubled().write(tmp_path), NPU))


def test_a_package_that_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package whose library is no library is refused by name."""
    library = tmp_path / "nonsense.so"
    library.write_bytes(b"nonsense")
    plug_in(
        tmp_path,
        monkeypatch,
        f"def get_ep_name(): return 'TestsExecutionProvider'\n\ndef get_library_path(): return {str(library)!r}\n",
    )

    with pytest.raises(
        EngineUnavailable, match=r"onnxruntime_plugin: TestsExecutionProvider does not load: .*nonsense"
    ):
        load(EngineRequest(doubled().write(tmp_path), NPU))


def test_a_package_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package of the name without the two functions is refused by name."""
    plug_in(tmp_path, monkeypatch, "")

    with pytest.raises(EngineUnavailable, match=r"the package onnxruntime-ep-tests cannot be used: .*get_ep_name"):
        load(EngineRequest(doubled().write(tmp_path), NPU))


def test_an_onnx_runtime_without_plug_ins() -> None:
    """Older ones are told apart from those without devices."""
    old: Any = SimpleNamespace(__version__="1.20.0")

    with pytest.raises(EngineUnavailable, match=r"onnxruntime 1\.20\.0 takes no plug-ins; 1\.23 or newer does"):
        plugin_devices(old)
