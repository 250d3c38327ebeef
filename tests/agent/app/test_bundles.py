"""A site whose model is a bundle: it is taken as packed, and the site file has the last word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips.rendered import TruthBox, draw
from live.sites import SIZE_PX, write_clip
from models.bundled_sites import settings, thresholds, write_site
from models.bundles import make_bundle, quantised, with_lie
from models.detecting import SQUARES
from models.square_detectors import FAMILIES, build_detector

from agent.app.detection import make_chooser, make_plan, read_plan
from agent.app.engine_exam import make_exam
from agent.app.machine import Machine
from agent.app.reload.reading import read_anew
from agent.cli import main
from agent.clock import SystemClock
from agent.models.bundle.verifying import verify_bundled
from agent.service.exit_codes import ExitCode
from agent.settings.load import load_site
from agent.settings.models import DetectionSettings, ModelSettings


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


def test_everything_is_taken_from_the_bundle(bundle: Path) -> None:
    """Labels, preprocessing, thresholds and calibration; the name is the packed model's."""
    plan = read_plan(settings(bundle), DetectionSettings())

    assert plan.bundled is not None
    assert plan.bundled.is_fed_as_packed
    assert plan.bundled.calibration is not None
    assert (plan.model, plan.family, plan.labels.texts) == ("squares", "yolov8", ("red", "blue"))
    assert thresholds(plan) == [0.4, 0.6]


def test_the_site_file_has_the_last_word(bundle: Path) -> None:
    """Key by key, also where it says what would be the default; single thresholds follow the labels."""
    said = settings(bundle, labels=("rot", "blau"))
    plan = read_plan(said, DetectionSettings.model_validate({"score_threshold": 0.1, "keep_labels": ["rot", "blau"]}))

    assert plan.labels.texts == ("rot", "blau")
    assert thresholds(plan) == [0.1, 0.6]
    assert thresholds(read_plan(settings(bundle), DetectionSettings(score_thresholds={}))) == [0.4, 0.4]


def test_a_site_that_feeds_the_model_otherwise(bundle: Path) -> None:
    """Its engine cannot be held against the golden outputs; the bundle itself still is."""
    plan = read_plan(settings(bundle, fit="stretch"), DetectionSettings())

    assert plan.bundled is not None
    assert not plan.bundled.is_fed_as_packed
    assert plan.preprocessing.fit.value == "stretch"
    verify_bundled(plan)
    assert type(make_exam(plan).judge).__name__ == "BoxJudge"
    alike = read_plan(settings(bundle, fit="letterbox_centre"), DetectionSettings())
    assert alike.bundled is not None
    assert alike.bundled.is_fed_as_packed


def test_other_suppression_does_not_make_the_bundle_a_liar(tmp_path: Path) -> None:
    """The golden outputs are read with the thresholds they were found with."""
    bundle = make_bundle(tmp_path / "m.swmodel", detection={"max_detections": 50})
    plan = make_plan(settings(bundle), DetectionSettings(max_detections=1), {})

    assert plan.bundled is not None
    assert plan.bundled.plan is not plan
    verify_bundled(plan)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_can_be_packed(family: str, tmp_path: Path) -> None:
    """Each is told from the bundle, and finds what it found."""
    plan = read_plan(settings(make_bundle(tmp_path / "m.swmodel", family)), DetectionSettings())

    assert plan.family == family
    verify_bundled(plan)


@pytest.mark.parametrize(("precision", "taken"), [("auto", "fp32"), ("int8", "int8"), ("fp16", "fp32")])
def test_the_precision_that_is_asked_for(precision: str, taken: str, tmp_path: Path) -> None:
    """Where the bundle has it, with golden outputs of its own; else its first."""
    whole = build_detector("yolov8", tmp_path / "whole.onnx", input_size=160, frame_px=(640, 360))
    both = (whole, quantised(whole, tmp_path / "rounded.onnx"))
    bundle = make_bundle(tmp_path / "m.swmodel", models=both)
    plan = read_plan(settings(bundle, precision=precision), DetectionSettings())

    assert (plan.path.parent.name, plan.model) == (taken, "squares")
    verify_bundled(plan)


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_engines_are_held_against_the_golden_outputs(runtime: str, bundle: Path, machine: Machine) -> None:
    """On either run-time; what is kept of the choice says so, and a second start verifies again."""
    model, folder = settings(bundle, engine=runtime), bundle.parent / "state"
    for _ in range(2):
        plan = make_plan(model, DetectionSettings(), {}, folder)
        choice = make_chooser(plan, model, machine, SystemClock(), folder, lambda _: None).choose()
        choice.engine.close()
        assert choice.engine.spec.runtime == runtime
    assert choice.kept_since is not None
    assert folder / "bundles" in plan.path.parents


def test_check_tells_what_will_run_and_leaves_nothing(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its state folder is not touched."""
    assert main(["check", str(write_site(bundle))]) == ExitCode.OK

    assert (
        "squares.onnx: family yolov8, 160x160 rgb, letterbox_centre, 2 labels from the bundle"
        in capsys.readouterr().out
    )
    assert not (bundle.parent / "state").exists()


def test_build_and_probe(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table shows how far each engine is from the golden outputs; both look at the bundle each time."""
    site = str(write_site(bundle, model={"path": str(bundle), "engine": "openvino"}))
    assert main(["build", site, "--json"]) == ExitCode.OK
    engines = json.loads(capsys.readouterr().out)["engines"]
    assert main(["probe", site]) == ExitCode.OK

    told = [each["difference"]["text"] for each in engines if each["difference"]]
    assert told
    assert all(text.startswith("2 golden boxes: overlap at least") for text in told)
    assert "engines for this model, as measured on" in capsys.readouterr().out


def test_a_replay_of_a_bundle_is_a_replay_of_its_model(tmp_path: Path) -> None:
    """The same tracks, whether the model is named or the bundle that it was packed into."""
    clip = write_clip(tmp_path / "clip.mp4", seconds=3)
    model = build_detector("yolov8", tmp_path / "m.onnx", input_size=160, frame_px=SIZE_PX)
    picture = draw([TruthBox(1, 0, 82, 36, 146, 100)], SIZE_PX, seed=0)
    bundle = make_bundle(
        tmp_path / "x.bundle", models=(model,), settings=settings(model), pictures=(picture,),
    )  # fmt: skip
    site = write_site(bundle, model={"path": str(model), "engine": "onnxruntime"})
    for number, path in enumerate((model, bundle)):
        options = ["--site", str(site), "--model", str(path), "--mot", str(tmp_path / f"{number}.txt")]
        assert main(["replay", str(clip), *options]) == ExitCode.OK

    tracks = (tmp_path / "0.txt").read_text()
    assert tracks.count("\n") > 20
    assert (tmp_path / "1.txt").read_text() == tracks


def test_a_reload_sees_another_bundle_under_the_same_name(bundle: Path) -> None:
    """Also where model and labels are the same, and only what is said of them differs."""
    site = write_site(bundle)
    running = load_site(site, {})
    plan = read_plan(running.model, running.detection) if isinstance(running.model, ModelSettings) else None
    assert not read_anew(site, {}, running, plan).has_other_model

    with_lie(bundle, tell=lambda manifest: manifest["thresholds"].update(score_threshold=0.5))
    new = read_anew(site, {}, running, plan)
    assert new.has_other_model
    assert not new.changes
    assert thresholds(new.plan) == [0.5, 0.6]


@pytest.mark.assets
@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_real_model(runtime: str, assets: Path, tmp_path: Path, machine: Machine) -> None:
    """A model of the field with real pictures, on both run-times; what it finds is what was packed."""
    models = assets / "models"
    bundle = make_bundle(
        tmp_path / "nano.swmodel",
        models=(models / "yolox_nano_416.onnx",),
        settings=settings(models / "yolox_nano_416.onnx", labels=str(models / "coco80.txt")),
        pictures=(_picture(assets),),
    )
    model = settings(bundle, engine=runtime)
    plan = make_plan(model, DetectionSettings(), {})
    choice = make_chooser(plan, model, machine, SystemClock(), None, lambda _: None).choose()
    choice.engine.close()

    assert choice.engine.spec.runtime == runtime
    if runtime == "openvino":
        assert choice.chosen.difference is not None
        assert "golden boxes: overlap at least 0.99" in choice.chosen.difference.text.replace("1.000", "0.999")


def _picture(assets: Path) -> Any:
    import cv2  # noqa: PLC0415 - in this test only

    return cv2.imread(str(min((assets / "coco" / "images").glob("*.jpg"))))


def test_a_golden_picture_without_a_box_is_no_lie(tmp_path: Path) -> None:
    """As long as another has one: an empty picture must stay empty."""
    empty = draw([], (640, 360), seed=3)
    plan = read_plan(
        settings(make_bundle(tmp_path / "m.swmodel", pictures=(empty, draw(SQUARES, (640, 360), seed=0)))),
        DetectionSettings(),
    )

    assert plan.bundled is not None
    assert [len(found) for found in plan.bundled.golden.found] == [0, 2]
    verify_bundled(plan)
