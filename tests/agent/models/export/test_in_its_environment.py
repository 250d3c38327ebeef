"""Export runs where PyTorch is, in an environment of its own; what it writes is used where the agent is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips.rendered import SIDE_PX, TruthBox
from models.detecting import FRAME_PX, RUNTIMES, make_plan, open_detector, square_frame
from packaging.requirements import Requirement
from servers.environments import REPOSITORY, locked_environment

from agent.cli import main
from trackers import Detections

HERE = Path(__file__).parent
MODELS = REPOSITORY / "tests" / "models"
FRAMES = 12
# Measured over these frames: 1.6 px of 64, where a cell of the detector is 16 px of the frame.
EDGE_PX = 2.5


def run_there(*arguments: str | Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
    """What the environment's Python makes of this."""
    paths = os.pathsep.join((str(REPOSITORY), str(REPOSITORY / "tests")))
    surroundings = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    command = [str(locked_environment("export")), *map(str, arguments)]
    return subprocess.run(command, env=surroundings, capture_output=True, text=True, timeout=timeout_s, check=False)


def test_inside(tmp_path: Path) -> None:
    """Every test of the files `inside_*.py` passes there."""
    files = sorted(HERE.glob("inside_*.py"))
    options = ("-q", "-p", "no:cacheprovider", "-c", os.devnull, "--import-mode=importlib", f"--rootdir={HERE}")
    done = run_there("-m", "pytest", *options, f"--basetemp={tmp_path / 'inside'}", *files)

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-1000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


@pytest.fixture(scope="module")
def squares(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A trained detector as ONNX, and what the tool told of it."""
    path = tmp_path_factory.mktemp("exported") / "squares.onnx"
    given = ("--input", "1x3x320x320:float32:0..255", "--dynamic-batch", "--folder", MODELS, "--json")
    weights = ("--weights", MODELS / "torch_squares.pt")
    done = run_there("-m", "agent", "model", "export", "torch_squares:TorchSquares", *weights, *given, "--out", path)
    assert done.returncode == 0, done.stderr
    return path, json.loads(done.stdout)


def test_the_file_answers_as_the_module(squares: tuple[Path, dict[str, Any]]) -> None:
    """ONNX Runtime is within 1e-5 of PyTorch, on noise and pictures, one picture and three at once."""
    path, facts = squares

    assert facts["written"] == str(path)
    assert facts["size_bytes"] == path.stat().st_size
    assert facts["batches"] == [1, 3]
    assert facts["trials"] == 7
    assert 0 <= facts["differences"][0]["relative"] <= 1e-5
    assert facts["outputs"] == [{"name": "output", "type": "float32", "shape": [None, 2100, 7]}]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_the_agent_finds_the_squares(runtime: str, squares: tuple[Path, dict[str, Any]]) -> None:
    """The product knows the family by itself, and finds each square where it is, as what it is, and nothing else."""
    plan = make_plan(squares[0], {"batch": 3})
    rng = np.random.default_rng(5)
    scenes = [_scene(rng) for _ in range(FRAMES)]
    with open_detector(plan, runtime) as detector:
        found = detector.detect([square_frame(scene, seed=number) for number, scene in enumerate(scenes)])

    assert (plan.family, plan.batch, plan.is_batch_fixed) == ("yolox", 3, False)
    assert max(_worst_edge_px(each, scene) for each, scene in zip(found, scenes, strict=True)) <= EDGE_PX


def test_without_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where PyTorch is not installed, one line says how to get it; nothing is left behind."""
    monkeypatch.setitem(sys.modules, "torch", None)
    status = main(["model", "export", "some.module:Name", "--input", "1x3x8x8", "--out", str(tmp_path / "m.onnx")])
    said = capsys.readouterr().err

    assert status == 69
    assert said.startswith("sitewatch: PyTorch cannot be imported: ")
    assert said.endswith("sitewatch model export needs it: pip install 'sitewatch[export]'\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [("--input", "1x3:float"), ("--opset", "8"), ("--tolerance", "-1"), ("--output-names", "a,a"), ("--argument", "=")],
)
def test_wrong_use(wrong: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written wrongly is told before anything is imported."""
    with pytest.raises(SystemExit) as ended:
        main(["model", "export", "a:b", "--input", "1x3", "--out", str(tmp_path / "m.onnx"), *wrong])

    assert ended.value.code == 64
    assert f"argument {wrong[0]}: found" in capsys.readouterr().err


def test_the_lock_and_pytorch_are_the_extra() -> None:
    """What the extra asks for is pinned: PyTorch in a file of its own, for one build, and the rest in the lock."""
    lock = (REPOSITORY / "requirements" / "export.lock").read_text(encoding="utf-8")
    torch = (REPOSITORY / "requirements" / "export.torch.txt").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^([A-Za-z0-9_-]+)==([^\s;+]+)", lock + torch, re.MULTILINE))
    project = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    (line,) = re.findall(r"^export = \[(.*?)^\]$", project, re.MULTILINE | re.DOTALL)
    asked = [Requirement(each) for each in re.findall(r'"([^"]+)"', line)]

    assert {each.name for each in asked} >= {"torch", "onnxscript"}
    assert all(each.specifier.contains(pinned[each.name]) for each in asked)
    assert not re.search(r"^torch(vision)?==", lock, re.MULTILINE)


def _scene(rng: np.random.Generator) -> list[TruthBox]:
    """Two squares of either colour, one high and one low."""
    width, height = FRAME_PX
    lows, highs = (0, height // 2), (height // 2 - SIDE_PX - 16, height - SIDE_PX)
    boxes = []
    for number, (low, high) in enumerate(zip(lows, highs, strict=True), start=1):
        x, y = int(rng.integers(0, width - SIDE_PX)), int(rng.integers(low, high))
        boxes.append(TruthBox(number, int(rng.integers(0, 2)), x, y, x + SIDE_PX, y + SIDE_PX))
    return boxes


def _worst_edge_px(found: Detections, scene: list[TruthBox]) -> float:
    """How far an edge is off at most; endless where something is missed, made up or of the wrong colour."""
    truth = sorted(scene, key=lambda box: box.y1)
    order = np.argsort(found.boxes[:, 1])
    if [box.class_id for box in truth] != found.class_ids[order].tolist():
        return float("inf")
    return float(np.abs(found.boxes[order] - np.array([box[2:] for box in truth])).max())
