"""What is decided before anything is built: presets, precision, shapes, DLA."""

from __future__ import annotations

import json

import pytest
from fakes.nvidia_machine import DLA, GPU
from fakes.tensorrt_fake import make_tensorrt
from fakes.tensorrt_names import VERSIONS

from devices.engines.engine import Precision, TensorSpec
from devices.engines.tensorrt.dla import dla_note, why_not_driven
from devices.engines.tensorrt.dtypes import numpy_dtype
from devices.engines.tensorrt.precision import plan_precision
from devices.engines.tensorrt.presets import DISCRETE, PRESETS, auto_precision, preset_of
from devices.engines.tensorrt.profiles import profile_count, profile_shapes
from devices.errors import EngineLoadError
from devices.inventory import Accelerator, AcceleratorKind

GPU_KIND = AcceleratorKind.NVIDIA_GPU


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Jetson Orin Nano 8 GB (p3767-0003), Ampere GPU", "Jetson Orin Nano"),
        ("Jetson Orin NX 16 GB (p3767-0000), Ampere GPU", "Jetson Orin NX"),
        ("Jetson Nano (p3448-0000), Maxwell GPU", "Jetson Nano"),
        ("Jetson Xavier NX DLA core 1", "Jetson Xavier NX"),
        ("Jetson AGX Thor (p3834-0008), Blackwell GPU", "Jetson AGX Thor"),
        ("NVIDIA L4", "discrete GPU"),
    ],
)
def test_the_preset_of_a_device(name: str, family: str) -> None:
    """By the name the probe gives it."""
    assert preset_of(Accelerator(GPU_KIND, name)).family == family


def test_presets_are_plausible() -> None:
    """A DLA never computes in fp32; shares are shares; no family hides another by standing before it."""
    families = [preset.family for preset in PRESETS]

    for preset in (*PRESETS, DISCRETE):
        assert preset.dla in (None, Precision.FP16, Precision.INT8)
        assert 0 < preset.workspace_share <= 0.5
        assert preset.batch >= 1
    for index, family in enumerate(families):
        assert not [later for later in families[index + 1 :] if family in later]


@pytest.mark.parametrize(("capability", "precision"), [("5.3", "fp16"), ("6.1", "fp32"), ("8.7", "fp16")])
def test_auto(capability: str, precision: str) -> None:
    """fp16 where it is fast."""
    assert auto_precision(GPU, capability).value == precision
    assert auto_precision(DLA, capability) is Precision.FP16


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dla_does_not_compute_in_fp32(version: str) -> None:
    """It is refused in a sentence before anything is built."""
    with pytest.raises(EngineLoadError, match="a DLA computes in fp16 or int8, not in fp32"):
        plan_precision(make_tensorrt(version), Precision.FP32, "fp32", on_dla=True)


def test_fp32_is_no_tf32() -> None:
    """TF32 is on by default, and off where fp32 was asked for."""
    assert plan_precision(make_tensorrt(VERSIONS[0]), Precision.FP32, "fp32").cleared == ("TF32",)
    assert plan_precision(make_tensorrt(VERSIONS[0]), Precision.FP16, "fp32").cleared == ()


def test_shapes_of_open_axes() -> None:
    """A batch up to the preset's, other axes up to 1024; fixed inputs are left out; a DLA takes none."""
    fixed, open_batch = TensorSpec("a", "float32", (1, 3)), TensorSpec("b", "float32", (None, 3, 8, None))

    assert profile_shapes([fixed], 8, on_dla=True) == {}
    assert profile_shapes([fixed, open_batch], 8, on_dla=False) == {
        "b": ((1, 3, 8, 1), (2, 3, 8, 256), (8, 3, 8, 1024))
    }
    with pytest.raises(EngineLoadError, match="a DLA takes fixed shapes only; b leaves its size open"):
        profile_shapes([open_batch], 8, on_dla=True)


def test_profiles_of_several_sessions() -> None:
    """One, but one for each session where TensorRT (8.5) cannot share it."""
    oldest = make_tensorrt(VERSIONS[0])

    assert [profile_count(make_tensorrt(version), 3) for version in VERSIONS] == [1] * len(VERSIONS)
    oldest.PreviewFeature = object()
    assert profile_count(oldest, 3) == 3


@pytest.mark.parametrize(
    ("version", "driver", "cause"),
    [
        ("11.2.1.2", "L4T 39.2.2", "TensorRT 11.0 to 11.4.0 drive none; 11.4.1 does on AGX Orin"),
        ("11.4.1", "L4T 39.2.2", "on AGX Orin with JetPack 7.2.2 or later, and on no other Jetson"),
        ("10.16.2", "L4T 39.2.0", "10.7 was the last 10.x with DLA"),
        ("10.3.0", "L4T 36.4.3", "built without it, or another program holds it"),
    ],
)
def test_why_a_dla_is_not_driven(version: str, driver: str, cause: str) -> None:
    """By what is known of module, system and version; the number of cores alone decides."""
    sentence = why_not_driven(Accelerator(AcceleratorKind.DLA, "Jetson Orin NX DLA core 0", driver=driver), 0, version)

    assert sentence.startswith(f"TensorRT {version} lists no DLA core, Jetson Orin NX DLA core 0 was asked for: ")
    assert cause in sentence


@pytest.mark.parametrize(
    ("kinds", "note"),
    [
        (["DLA", "Reformat", "Softmax"], "DLA core 1 takes 9 of 10 layers (90%) in 1 part(s), 2 layers of the engine"),
        (["DLA"] * 9, "9 part(s), 0 layers of the engine are on the GPU; many small parts are slower than the GPU"),
        (["Conv"], "nothing runs on DLA core 1: of 10 layers it could take 9, all are on the GPU"),
        ([], "by the builder's word; this engine does not tell what it became"),
    ],
)
def test_what_of_a_model_is_on_the_dla(kinds: list[str], note: str) -> None:
    """The builder's word and what the engine became, in one sentence."""
    layers = json.dumps({"Layers": [{"Name": kind, "LayerType": kind} for kind in kinds]})

    assert note in dla_note(1, (9, 10), layers)


def test_an_inspector_that_tells_names_only() -> None:
    """Without detailed verbosity layers are plain names: nothing is made up of them."""
    assert "does not tell" in dla_note(0, (1, 2), '{"Layers": ["conv1", "conv2"]}')


def test_types_that_cannot_be_fed() -> None:
    """They are refused by name."""

    class Kind:
        name = "BF16"

    with pytest.raises(EngineLoadError, match="x is BF16, which cannot be fed or read"):
        numpy_dtype("x", Kind())
