"""Ways to decode video on hardware: what the machine has, against what this Python's libraries reach.

The wheels from the package index reach little of it: PyAV's Linux wheel has no VAAPI, OpenCV's has neither GStreamer
nor VAAPI. So both halves are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from devices.inventory import Availability, DecoderKind, VideoDecoder
from devices.probes.device_node import refusal
from devices.probes.jetson_modules import identify
from devices.probes.nvidia import loaded_driver
from devices.probes.question import answer, ask_library
from devices.probes.root import Root

_DEADLINE_S = 20.0
_LIBRARIES = ("/usr/lib/*-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/local/nvidia/lib64")
_VAAPI_GPUS = {"i915": "intel-media-va-driver", "xe": "intel-media-va-driver", "amdgpu": "mesa-va-drivers"}
_JETSON_NODES = ("/dev/v4l2-nvdec", "/dev/nvhost-nvdec", "/dev/nvhost-nvdec1")
_SCRIPT = """
import json
names, gstreamer = [], False
try:
    from av.codec.hwaccel import hwdevices_available
    names = list(hwdevices_available())
except ImportError:
    pass
try:
    import cv2
    lines = cv2.getBuildInformation().splitlines()
    gstreamer = any(line.split(":")[0].strip() == "GStreamer" and "YES" in line for line in lines)
except ImportError:
    pass
print(json.dumps({"pyav": names, "gstreamer": gstreamer}))
"""


@dataclass(frozen=True)
class _Reach:
    """What this Python's libraries can use: PyAV's hardware names, and whether OpenCV has GStreamer."""

    pyav: tuple[str, ...] = ()
    gstreamer: bool = False


def probe_video_decoders(root: Root, *, has_cuda: bool) -> tuple[VideoDecoder, ...]:
    """One a kind; `has_cuda`: whether CUDA works here. Libraries are asked only where the machine has a decoder."""
    machine = (_vaapi(root), _nvdec(root, has_cuda=has_cuda), _nvv4l2(root), _videotoolbox(root), _v4l2_m2m(root))
    if not any(decoder.availability.usable for decoder in machine):
        return machine
    said = answer(ask_library(root, "decoders", _SCRIPT, _DEADLINE_S)) or {}
    reach = _Reach(tuple(map(str, said.get("pyav", ()))), gstreamer=bool(said.get("gstreamer")))
    return tuple(_reached(decoder, reach) for decoder in machine)


def _reached(decoder: VideoDecoder, reach: _Reach) -> VideoDecoder:
    """A decoder of the machine is usable where a library of ours reaches it."""
    if not decoder.availability.usable:
        return decoder
    told = decoder.availability.reason
    by_pyav = {DecoderKind.VAAPI: "vaapi", DecoderKind.NVDEC: "cuda", DecoderKind.VIDEOTOOLBOX: "videotoolbox"}
    name = by_pyav.get(decoder.kind)
    if name is not None and name in reach.pyav:
        return _decoder(decoder.kind, decoder.device, f"{told}, through PyAV", usable=True)
    if decoder.kind is not DecoderKind.VIDEOTOOLBOX and reach.gstreamer:
        return _decoder(decoder.kind, decoder.device, f"{told}, through OpenCV with GStreamer", usable=True)
    lacks = f"this PyAV has no {name}, and this OpenCV no GStreamer" if name else "this OpenCV has no GStreamer"
    return _decoder(decoder.kind, decoder.device, f"{told}, but {lacks}: frames are decoded on the processor")


def _vaapi(root: Root) -> VideoDecoder:
    for node in root.matches("/sys/class/drm/renderD*"):
        driver = root.properties(f"{node}/device/uevent").get("DRIVER", "")
        device = f"/dev/dri/{node.rsplit('/', 1)[-1]}"
        if driver in _VAAPI_GPUS and root.matches(device):
            if reason := refusal(root, device):
                return _decoder(DecoderKind.VAAPI, device, reason)
            if not any(_libraries(root, "dri/*_drv_video.so")):
                return _decoder(DecoderKind.VAAPI, device, f"no VA driver: install {_VAAPI_GPUS[driver]}")
            return _decoder(DecoderKind.VAAPI, device, f"{device} ({driver})", usable=True)
    return _decoder(DecoderKind.VAAPI, None, "no render node of an Intel or AMD GPU")


def _nvdec(root: Root, *, has_cuda: bool) -> VideoDecoder:
    driver = loaded_driver(root)
    if identify(root) is not None:
        return _decoder(DecoderKind.NVDEC, None, "a Jetson decodes through nvv4l2")
    if driver is None:
        return _decoder(DecoderKind.NVDEC, None, "no NVIDIA driver")
    if not has_cuda:
        return _decoder(DecoderKind.NVDEC, None, f"the driver ({driver}) is loaded, but CUDA does not work here")
    if not any(_libraries(root, "libnvcuvid.so.1")):
        reason = "the driver's libnvcuvid.so.1 is not here: a container needs NVIDIA_DRIVER_CAPABILITIES=compute,video"
        return _decoder(DecoderKind.NVDEC, None, reason)
    return _decoder(DecoderKind.NVDEC, None, driver, usable=True)


def _nvv4l2(root: Root) -> VideoDecoder:
    if identify(root) is None:
        return _decoder(DecoderKind.NVV4L2, None, "not a Jetson")
    device = next((node for node in _JETSON_NODES if root.matches(node)), None)
    if device is None:
        return _decoder(DecoderKind.NVV4L2, None, f"no {_JETSON_NODES[0]}: a container needs --runtime nvidia")
    if not any(_libraries(root, "gstreamer-1.0/libgstnvvideo4linux2.so")):
        return _decoder(DecoderKind.NVV4L2, device, "no GStreamer plug-in: install nvidia-l4t-gstreamer")
    if not any(root.matches(f"{folder}/lsmod") for folder in ("/usr/sbin", "/sbin", "/usr/bin", "/bin")):
        # The plug-in runs lsmod to tell a Jetson from a card, and delivers no frame for ever where that fails.
        return _decoder(DecoderKind.NVV4L2, device, "NVIDIA's plug-in needs lsmod, which is not here: install kmod")
    return _decoder(DecoderKind.NVV4L2, device, device, usable=True)


def _videotoolbox(root: Root) -> VideoDecoder:
    if root.system != "Darwin":
        return _decoder(DecoderKind.VIDEOTOOLBOX, None, "not a Mac")
    return _decoder(DecoderKind.VIDEOTOOLBOX, None, "part of macOS", usable=True)


def _v4l2_m2m(root: Root) -> VideoDecoder:
    """Codec chips of small boards; the name in sysfs tells a decoder from a camera."""
    for folder in root.matches("/sys/class/video4linux/video*"):
        name = root.text(f"{folder}/name") or ""
        device = f"/dev/{folder.rsplit('/', 1)[-1]}"
        if "dec" not in name.lower() or not root.matches(device):
            continue
        if reason := refusal(root, device):
            return _decoder(DecoderKind.V4L2_M2M, device, reason)
        if "hevc" in name.lower():
            return _decoder(DecoderKind.V4L2_M2M, device, f"{name} decodes H.265 only; H.264 is left to the processor")
        return _decoder(DecoderKind.V4L2_M2M, device, f"{device} ({name})", usable=True)
    return _decoder(DecoderKind.V4L2_M2M, None, "no decoder among /dev/video*")


def _libraries(root: Root, name: str) -> Iterator[str]:
    for folder in _LIBRARIES:
        yield from root.matches(f"{folder}/{name}")


def _decoder(kind: DecoderKind, device: str | None, reason: str, *, usable: bool = False) -> VideoDecoder:
    return VideoDecoder(kind, device, Availability(usable=usable, reason=reason))
