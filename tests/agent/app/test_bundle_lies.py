"""A site whose model is a bundle that is not what it says: refused, by every verb, in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from live.agent_process import AgentProcess, until
from models.bundled_sites import settings, write_site
from models.bundles import make_bundle, parts_of, with_lie

from agent.app.detection import make_chooser, make_plan, read_plan
from agent.app.engine_choice import EngineChooser
from agent.app.engine_exam import make_exam
from agent.app.machine import Machine
from agent.cli import main
from agent.clock import SystemClock
from agent.errors import ModelError
from agent.models.evaluate.engine_use import REFERENCE, open_engine
from agent.service.exit_codes import ExitCode
from agent.settings.models import DetectionSettings
from devices.engines.engine import EngineRequest
from devices.measurement import Measurement
from devices.trials.exam import Exam
from devices.trials.trial import Trial, answers_of


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A bundle with thresholds of its own and pictures to calibrate with."""
    path = tmp_path_factory.mktemp("bundle") / "squares.swmodel"
    detection = {"score_threshold": 0.4, "score_thresholds": {"blue": 0.6}}
    calibration = np.zeros((1, 160, 160, 3), np.uint8)
    return make_bundle(path, detection=detection, calibration=calibration).read_bytes()


@pytest.fixture
def bundle(packed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "squares.swmodel"
    path.write_bytes(packed)
    return path


def _worse_scores(content: bytes) -> bytes:
    found = json.loads(content)
    for picture in found["pictures"]:
        picture["scores"] = [score - 0.05 for score in picture["scores"]]
    return json.dumps(found).encode()


def _moved_boxes(content: bytes) -> bytes:
    found = json.loads(content)
    for picture in found["pictures"]:
        picture["boxes"] = [[value + 4 for value in box] for box in picture["boxes"]]
    return json.dumps(found).encode()


def _nothing(_content: bytes) -> bytes:
    return b'{"pictures": [{"boxes": [], "scores": [], "class_ids": []}]}'


def _more(content: bytes) -> bytes:
    found = json.loads(content)
    found["pictures"][0]["boxes"].append([5, 5, 50, 50])
    found["pictures"][0]["scores"].append(0.9)
    found["pictures"][0]["class_ids"].append(1)
    return json.dumps(found).encode()


@pytest.mark.parametrize("lie", [_worse_scores, _moved_boxes, _nothing, _more])
def test_golden_outputs_that_the_model_does_not_give(
    lie: Callable[[bytes], bytes], bundle: Path, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every verb refuses it with 78 in one sentence; no engine is blamed, none is tried."""
    with_lie(bundle, {"golden/fp32.json": lie(parts_of(bundle)["golden/fp32.json"])})
    told = f"{bundle}: on onnxruntime"

    plan = make_plan(settings(bundle), DetectionSettings(), {})
    with pytest.raises(ModelError, match="its model does not find what the bundle says"):
        make_chooser(plan, settings(bundle), machine, SystemClock(), None, lambda _: None).choose()
    assert main(["check", str(write_site(bundle))]) == ExitCode.CONFIG
    report = capsys.readouterr()
    assert report.out == ""
    assert report.err.startswith(f"sitewatch: 1 mistake in {bundle.with_name('site.yaml')}\n")
    assert told in report.err


def test_an_engine_that_finds_something_else_is_not_taken(bundle: Path, machine: Machine) -> None:
    """Where the reference gives the golden outputs and another engine does not, that engine is refused, as told."""
    plan = make_plan(settings(bundle), DetectionSettings(), {})
    exam = make_exam(plan)
    with open_engine(plan, settings(bundle), REFERENCE) as engine:
        right = answers_of(engine, exam)
    wrong = tuple({name: array * np.float32(0.9) for name, array in each.items()} for each in right)
    trials = {"onnxruntime": right, "openvino": wrong}

    def try_out(runtime: str, _request: EngineRequest, _exam: Exam) -> Trial:
        return Trial("1.0", "fp32", Measurement(1.0, 0.5, 0.001, 0.001, 0.001, 7), trials[runtime])

    chooser = EngineChooser(plan, settings(bundle), machine, SystemClock(), None, threads=1, try_out=try_out)
    choice = chooser.choose()
    choice.engine.close()
    assert choice.engine.spec.runtime == "onnxruntime"
    (refused,) = [each for each in choice.verdicts if each.candidate.runtime == "openvino"]
    assert "refused: 2 golden boxes: " in refused.reason
    assert "4 of 4 without a match" in refused.reason


LIES = {
    "labels that do not fit": ({"labels.txt": b"red\nblue\ngreen\n"}, "found 3 labels, but the model has 2 classes"),
    "labels that are none": ({"labels.txt": b"red\n\nblue\n"}, "line 2: is blank"),
    "a model that is none": ({"fp32/squares.onnx": b"words"}, "this is a text file"),
    "no model at all": ({"fp32/squares.onnx": b""}, "the file is empty"),
}


@pytest.mark.parametrize("name", LIES)
def test_parts_that_do_not_fit(name: str, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence with the bundle's name and the part's, and never the folder it was unpacked into."""
    parts, told = LIES[name]
    with_lie(bundle, parts)

    assert main(["check", str(write_site(bundle))]) == ExitCode.CONFIG
    report = capsys.readouterr().err
    assert report.startswith("sitewatch: 1 mistake in")
    assert str(bundle) in report
    assert told in report
    assert "sitewatch-bundle-" not in report


def test_a_family_that_the_model_is_not_of(bundle: Path) -> None:
    """What the manifest says is held against the model."""
    with_lie(bundle, tell=lambda manifest: manifest["feed"].update(family="yolox"))
    with pytest.raises(ModelError, match="is not of the family yolox"):
        read_plan(settings(bundle), DetectionSettings())


@pytest.mark.parametrize("verb", ["check", "build", "probe", "run"])
def test_a_changed_byte_ends_every_verb(verb: str, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With 78, and a sentence that says what to do."""
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)

    assert main([verb, str(write_site(bundle))]) == ExitCode.CONFIG
    report = capsys.readouterr()
    assert "pack it anew with `sitewatch model pack`" in report.err
    assert "Traceback" not in report.err


def test_a_bundle_that_changes_under_a_running_agent(bundle: Path, tmp_path: Path) -> None:
    """It keeps what it loaded, also through a reload that is refused; a restart looks at it anew and refuses."""
    agent = AgentProcess(write_site(bundle, model={"path": str(bundle), "engine": "onnxruntime"}), tmp_path)
    with agent:
        content = bytearray(bundle.read_bytes())
        content[-1000] ^= 1
        bundle.write_bytes(content)
        agent.hang_up()
        until(lambda: "refused: " in agent.log, "the reload is refused")
        assert agent.get("/healthz").code == 200
        assert agent.stop() == ExitCode.OK
        agent.spawn()
        assert agent.wait(30) == ExitCode.CONFIG
    last = json.loads(agent.log.splitlines()[-1])
    assert last["message"].startswith(f"sitewatch ends: {bundle}: ")
