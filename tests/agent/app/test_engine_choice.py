"""Which engine a site gets: measured once, kept, and measured again when something changed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.app.detection import make_chooser, make_plan
from agent.app.engine_choice import EngineChoice
from agent.app.machine import Machine
from agent.cli import main
from agent.clock import SystemClock
from agent.service.exit_codes import ExitCode
from agent.settings.models import DetectionSettings, ModelSettings
from devices.trials.letters import read_tensors, write_tensors

pytestmark = pytest.mark.assets


@pytest.fixture
def model(assets: Path) -> ModelSettings:
    models = assets / "models"
    return ModelSettings.model_validate(
        {"path": str(models / "yolox_nano_416.onnx"), "labels": str(models / "coco80.txt")}
    )


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


def choose(model: ModelSettings, machine: Machine, folder: Path | None, *, anew: bool = False) -> EngineChoice:
    """As a start of the agent does."""
    plan = make_plan(model, DetectionSettings(), {})
    choice = make_chooser(plan, model, machine, SystemClock(), folder, lambda _: None).choose(anew=anew)
    choice.engine.close()
    return choice


def test_the_second_start_tries_nothing(model: ModelSettings, machine: Machine, tmp_path: Path) -> None:
    """The engine chosen first is loaded, examined and told with the day it was measured; `anew` measures again."""
    first = choose(model, machine, tmp_path)
    second = choose(model, machine, tmp_path)

    assert first.kept_since is None
    assert second.kept_since is not None
    assert second.verdicts == first.verdicts
    assert second.engine.spec.runtime == first.chosen.candidate.runtime
    assert choose(model, machine, tmp_path, anew=True).kept_since is None


def test_engines_agree_box_for_box(model: ModelSettings, machine: Machine) -> None:
    """OpenVINO and ONNX Runtime find the same boxes in the exam's pictures, and real ones are among them."""
    choice = choose(model, machine, None)
    differences = [verdict.difference for verdict in choice.verdicts if verdict.difference is not None]

    assert differences
    assert all(difference.is_within for difference in differences)
    assert all("boxes: overlap at least" in difference.text for difference in differences)


def test_another_model_is_measured_anew(model: ModelSettings, machine: Machine, assets: Path, tmp_path: Path) -> None:
    """What was found out about one model is not believed of another, nor for other settings."""
    choose(model, machine, tmp_path)
    other = model.model_copy(update={"path": assets / "models" / "yolox_nano_416_v8_layout.onnx"})

    assert choose(other, machine, tmp_path).kept_since is None
    assert choose(model.model_copy(update={"threads": 2}), machine, tmp_path).kept_since is None


def test_an_engine_that_answers_otherwise_is_not_kept_on(
    model: ModelSettings, machine: Machine, tmp_path: Path
) -> None:
    """Where the engine does not answer as it did, all are tried again and the reason is told."""
    choose(model, machine, tmp_path)
    (path,) = (tmp_path / "engines").glob("choice-*.npz")
    answers = read_tensors(path)
    write_tensors(path, tuple({name: array[:, ::-1] for name, array in each.items()} for each in answers))

    again = choose(model, machine, tmp_path)

    assert again.kept_since is None
    assert again.forgot.startswith("the engine chosen earlier cannot be used any more: ")


def site_file(folder: Path, assets: Path, model: str) -> Path:
    """A site with one camera."""
    path = folder / "site.yaml"
    path.write_text(
        f"site: yard\nmodel: {model}\ncameras: {{gate: {{source: {assets}/videos/vtest.avi}}}}\n"
        f"sink: jsonl\nstate_dir: {folder}/state\n"
    )
    return path


def test_build_and_probe_tell_the_table(assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`build` measures, `probe SITE.yaml` shows what was found out; both as text and as JSON."""
    models = assets / "models"
    model = f"{{path: {models}/yolox_nano_416.onnx, labels: {models}/coco80.txt}}"
    path = site_file(tmp_path, assets, model)

    assert main(["build", str(path)]) == ExitCode.OK
    built = capsys.readouterr().out
    assert main(["build", str(path), "--json"]) == ExitCode.OK
    again = json.loads(capsys.readouterr().out)
    assert main(["probe", str(path)]) == ExitCode.OK
    probed = capsys.readouterr().out

    assert "  *  " in built
    assert "chosen" in built
    assert sum(each["is_chosen"] for each in again["engines"]) == 1
    assert again["measured_at"] is not None
    assert "engines for this model, as measured on " in probed
    assert probed.index("accelerators") < probed.index("engines for this model")


def test_build_of_a_site_without_a_model(assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The motion detector needs no engine, and says so."""
    assert main(["build", str(site_file(tmp_path, assets, "motion"))]) == ExitCode.OK
    assert capsys.readouterr().out == "the built-in motion detector needs no engine\n"
