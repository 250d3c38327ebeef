"""The outcome of a selection, kept for the next start."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU

from devices.candidates import Candidate
from devices.engines.engine import BuildProgress, BuildWatch, EngineRequest, Precision
from devices.inventory import AcceleratorKind, Availability, Inventory, JetsonBoard, RuntimeStatus
from devices.kept_choice import ChoiceShelf, KeptChoice, choice_key
from devices.measurement import Measurement
from devices.selection import Verdict
from devices.trials.exam import Difference

USABLE = Availability(usable=True, reason="lists CPU")
VERDICTS = (
    Verdict(
        Candidate("openvino", CPU.kind, CPU, USABLE),
        is_chosen=True, reason="9.8 ms, chosen", runtime_version="2026.4.1",
        precision="fp32", measurement=Measurement(1.0, 0.5, 0.009, 0.0098, 0.02, 7), memory_bytes=1 << 20,
        difference=Difference("7 boxes", is_within=True), outcome="chosen",
    ),
    Verdict(
        Candidate(None, AcceleratorKind.DLA, None, Availability(usable=False, reason="not a Jetson")),
        is_chosen=False, reason="not a Jetson",
    ),
)  # fmt: skip
ANSWERS = ({"y": np.arange(4, dtype=np.float32)}, {"y": np.ones(4, np.float32), "z": np.zeros((2, 2), np.int64)})
KEPT = KeptChoice(VERDICTS, ANSWERS, datetime(2026, 1, 2, 3, 4, tzinfo=timezone.utc))
MACHINE = Inventory("PC", "Linux 6.1", "3.11", 1 << 33, 4.0, (CPU,), ())
QUESTIONS = ({"x": np.zeros((1, 2), np.float32)},)


def key(machine: Inventory = MACHINE, *, model: str = "a" * 64, wanted: str = "auto", **request: object) -> str:
    """Of this machine, model and request."""
    asked = EngineRequest(Path("model.onnx"), CPU, **request)
    return choice_key(machine, asked, QUESTIONS, model_sha256=model, wanted=wanted, distributions={"numpy": ["numpy"]})


def test_what_is_kept_is_found(tmp_path: Path) -> None:
    """Verdicts, answers and time come back as they were, under their key and no other."""
    shelf = ChoiceShelf(tmp_path / "new")
    shelf.keep("k", KEPT)

    found = shelf.find("k")

    assert found is not None
    assert found.verdicts == VERDICTS
    assert found.made_at == KEPT.made_at
    for got, put in zip(found.answers, ANSWERS, strict=True):
        assert {name: array.tolist() for name, array in got.items()} == {n: a.tolist() for n, a in put.items()}
    assert shelf.find("other") is None


@pytest.mark.parametrize("suffix", ["json", "npz"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b"PK\x03\x04"])
def test_a_damaged_choice_is_none(tmp_path: Path, suffix: str, content: bytes) -> None:
    """Whatever happened to either file, the candidates are tried again."""
    shelf = ChoiceShelf(tmp_path)
    shelf.keep("k", KEPT)
    (tmp_path / f"choice-k.{suffix}").write_bytes(content)

    assert shelf.find("k") is None


def test_the_key_follows_what_matters() -> None:
    """Model, machine, driver, power mode, precision, batch and policy change it."""
    faster = replace(MACHINE, accelerators=(replace(CPU, driver="2"),))
    boards = [
        replace(MACHINE, jetson=JetsonBoard("Orin", "p3767-0000", "tegra234", "36.4", "6.2", mode))
        for mode in ("15W", "MAXN")
    ]
    keys = [
        key(), key(model="b" * 64), key(wanted="efficient"), key(faster), *map(key, boards),
        key(precision=Precision.FP16), key(batch=4), key(threads=2),
    ]  # fmt: skip

    assert len(set(keys)) == len(keys)


def test_the_key_overlooks_what_does_not() -> None:
    """Where engines are kept, who watches the build, notes and the run-times' own answers change nothing."""
    asked = replace(MACHINE, runtimes=(RuntimeStatus("openvino", "2026.4.1", USABLE),), notes=("a note",))

    def told(_progress: BuildProgress) -> None:
        """Nothing."""

    assert key(asked) == key() == key(cache_dir=Path("/somewhere"), build=BuildWatch(told=told))
