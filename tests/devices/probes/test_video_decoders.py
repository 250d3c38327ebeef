"""Hardware decoders: what the machine has, against what this Python's libraries reach."""

from __future__ import annotations

import sys

import pytest
from fakes.board import board

from devices.inventory import DecoderKind
from devices.probe import probe
from devices.probes.question import answer, ask_library
from devices.probes.root import this_machine
from devices.probes.video_decoders import _SCRIPT

VAAPI, NVDEC, NVV4L2 = DecoderKind.VAAPI, DecoderKind.NVDEC, DecoderKind.NVV4L2
TOOLBOX, M2M = DecoderKind.VIDEOTOOLBOX, DecoderKind.V4L2_M2M
TO_PROCESSOR = "frames are decoded on the processor"


@pytest.mark.parametrize(
    ("name", "kind", "usable", "words"),
    [
        ("pc_two_intel_gpus", VAAPI, True, "/dev/dri/renderD128 (i915), through PyAV"),
        ("nuc_core_ultra", VAAPI, True, "/dev/dri/renderD128 (xe), through OpenCV with GStreamer"),
        ("nuc_n100", VAAPI, False, f"this PyAV has no vaapi, and this OpenCV no GStreamer: {TO_PROCESSOR}"),
        ("nuc_gpu_without_runtime", VAAPI, False, "no VA driver: install intel-media-va-driver"),
        ("nuc_not_in_render_group", VAAPI, False, "you are not in group render"),
        ("raspberry_pi_5", VAAPI, False, "no render node of an Intel or AMD GPU"),
        ("pc_nvidia", NVDEC, True, "nvidia 560.35.03, through PyAV"),
        ("pc_driver_mismatch", NVDEC, False, "CUDA does not work here"),
        ("bare_linux", NVDEC, False, "no NVIDIA driver"),
        ("orin_nano_jetpack5", NVV4L2, True, "/dev/nvhost-nvdec, through OpenCV with GStreamer"),
        ("orin_nano_super", NVV4L2, False, f"this OpenCV has no GStreamer: {TO_PROCESSOR}"),
        ("orin_nano_package_only", NVV4L2, False, "needs lsmod, which is not here: install kmod"),
        ("orin_in_bare_container", NVV4L2, False, "a container needs --runtime nvidia"),
        ("mac_mini_m2", TOOLBOX, True, "part of macOS, through PyAV"),
        ("raspberry_pi_5", M2M, False, "rpi-hevc-dec decodes H.265 only"),
        ("raspberry_pi_4", M2M, False, "/dev/video10 (bcm2835-codec-decode), but this OpenCV has no GStreamer"),
    ],
)
def test_a_decoder(name: str, kind: DecoderKind, *, usable: bool, words: str) -> None:
    """Both halves are told: the machine's and the libraries'."""
    (decoder,) = [each for each in probe(board(name)).decoders if each.kind is kind]

    assert decoder.availability.usable is usable
    assert words in decoder.availability.reason


def test_the_libraries_answer() -> None:
    """The question runs on this machine, where PyAV lists its devices and OpenCV says what it was built with."""
    said = answer(ask_library(this_machine(sys.executable), "decoders", _SCRIPT, 60.0))

    assert said is not None
    assert isinstance(said["pyav"], list)
    assert said["gstreamer"] in (True, False)
