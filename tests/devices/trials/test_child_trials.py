"""Trials in child processes, with real run-times and with a Python that misbehaves."""

from __future__ import annotations

import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU
from fakes.tiny_onnx import doubled

from devices.engines.engine import BuildProgress, BuildWatch, EngineRequest
from devices.errors import EngineLoadError, EngineUnavailable, ModelFileError
from devices.trials import asking
from devices.trials.asking import ChildTrials
from devices.trials.exam import Exam, compare_tensors

EXAM = Exam(({"x": np.ones((1, 3, 4, 5), np.float32)}, {"x": np.zeros((1, 3, 4, 5), np.float32)}), compare_tensors, 3)


def request(folder: Path, **options: object) -> EngineRequest:
    """A model that doubles and adds one."""
    return EngineRequest(doubled().write(folder), CPU, **options)


def interpreter(folder: Path, body: str) -> str:
    """A program that stands where the Python should."""
    path = folder / "python"
    path.write_text(f"#!{sys.executable}\n{textwrap.dedent(body)}", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_real_trial(tmp_path: Path, runtime: str) -> None:
    """The child loads, times and answers every question; what it found out comes back whole."""
    trial = ChildTrials(sys.executable)(runtime, request(tmp_path), EXAM)

    assert [answer["y"].max() for answer in trial.answers] == [3.0, 1.0]
    assert trial.measurement.inferences == 3
    assert trial.measurement.median_s > 0.0
    assert trial.runtime_version[0].isdigit()
    assert trial.memory_bytes is None or trial.memory_bytes > 1 << 20


def test_an_error_of_the_engine_keeps_its_kind(tmp_path: Path) -> None:
    """A file that is no model is told as such, not as a fault of the run-time."""
    (tmp_path / "bad.onnx").write_bytes(b"no model at all, but long enough to be read as one")
    bad = replace(request(tmp_path), model=tmp_path / "bad.onnx")

    with pytest.raises(ModelFileError, match=r"bad\.onnx"):
        ChildTrials(sys.executable)("onnxruntime", bad, EXAM)


def test_a_crash_is_an_answer(tmp_path: Path) -> None:
    """A library that kills its process is refused by the signal's name; the asker lives on."""
    python = interpreter(tmp_path, "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")

    with pytest.raises(EngineUnavailable, match=r"onnxruntime: its trial crashed \(SIGSEGV\)"):
        ChildTrials(python)("onnxruntime", request(tmp_path), EXAM)


def test_the_last_words_are_told(tmp_path: Path) -> None:
    """A child that ends with a status gives what it last said on standard error."""
    python = interpreter(tmp_path, "import sys\nsys.exit('libcuda.so.1: no such file')")

    with pytest.raises(EngineUnavailable, match=r"exit status 1: libcuda\.so\.1: no such file"):
        ChildTrials(python)("onnxruntime", request(tmp_path), EXAM)


def test_a_hang_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that never answers is ended at the deadline."""
    monkeypatch.setattr(asking, "MARGIN_S", 0.2)
    python = interpreter(tmp_path, "import time\ntime.sleep(60)")
    hasty = request(tmp_path, build=BuildWatch(deadline_s=0.3))

    with pytest.raises(EngineLoadError, match=r"no answer within 0.5 s; the trial was ended"):
        ChildTrials(python)("onnxruntime", hasty, EXAM)


def test_progress_comes_through(tmp_path: Path) -> None:
    """What a build tells in the child is told here, before its result."""
    python = interpreter(
        tmp_path,
        """
        import json, sys
        sys.stdin.buffer.read()
        print(json.dumps({"progress": {"step": "tactics", "fraction": 0.5}}), flush=True)
        print(json.dumps({"error": "EngineLoadError", "message": "enough"}), flush=True)
        """,
    )
    told: list[BuildProgress] = []

    with pytest.raises(EngineLoadError, match="enough"):
        ChildTrials(python)("onnxruntime", request(tmp_path, build=BuildWatch(told=told.append)), EXAM)

    assert told == [BuildProgress("tactics", 0.5)]
