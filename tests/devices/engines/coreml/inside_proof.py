"""`scripts/prove-coreml` over the stand-in for Apple's part: its table, what it calls different, its exit status."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fakes.coreml_proxy import Mac, install

MAC = Mac()
install(MAC)

from fakes import tiny_coreml  # noqa: E402 - it imports coremltools, over the stand-in
from hardware import prove_coreml  # noqa: E402 - as above


def prove(*arguments: str) -> int:
    return prove_coreml.main([*arguments, "--inferences", "2"], system=lambda: "Darwin")


def test_a_mac_that_computes_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five rows a model: the processor, and each device cold and warm."""
    MAC.answers = {"doubled": lambda data: {"y": data["x"] * 2 + 1}}
    MAC.plan = {"mul": "engine", "add": "engine"}

    assert prove(str(tiny_coreml.doubled(tmp_path))) == 0

    said = capsys.readouterr().out
    assert "5 proofs, 0 not the same" in said
    assert "Neural Engine, again" in said
    assert "taken from the engine cache" in said
    assert "100% of 2 operations on the Neural Engine" in said
    assert MAC.opened == ["CPU_ONLY", "CPU_AND_NE", "CPU_AND_NE", "CPU_AND_GPU", "CPU_AND_GPU"]


def test_a_device_that_computes_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another answer than the processor's is called different and fails the proof."""
    MAC.opened.clear()
    MAC.answers = {"doubled": lambda data: {"y": data["x"] * (2 if len(MAC.opened) == 1 else 3)}}

    assert prove(str(tiny_coreml.doubled(tmp_path))) == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_its_own_model(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a model one is made, and read."""
    MAC.answers = {"eight-convolutions": lambda _: {"features": np.ones((1, 32, 40, 40), np.float32)}}

    assert prove() == 0
    assert "eight-convolutions.mlpackage" in capsys.readouterr().out
