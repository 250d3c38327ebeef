"""Which engines serve: one for a single picture, one for batches, and the same again on each device of the kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from fakes.engine import CPU
from models.square_detectors import build_detector
from prometheus_client import CollectorRegistry
from servers.detection_server import make_serve_plan

from agent.app.engine_choice import EngineChoice
from agent.app.happened import make_happened
from agent.app.machine import Machine
from agent.app.serve.engines import EngineMaker
from agent.app.serve.plan import ServePlan
from agent.clock import SystemClock
from agent.detect.detection_plan import DetectionPlan
from agent.detect.engine_request import make_request
from agent.settings.models import ModelSettings
from devices.candidates import Candidate
from devices.engines.catalogue import ENGINES
from devices.inventory import Accelerator, AcceleratorKind, Availability
from devices.selection import Verdict

GPUS = tuple(Accelerator(AcceleratorKind.NVIDIA_GPU, "a GPU", index=index) for index in range(3))


def chosen_on(accelerator: Accelerator) -> Verdict:
    """The verdict on ONNX Runtime there."""
    usable = Availability(usable=True, reason="")
    return Verdict(
        Candidate("onnxruntime", accelerator.kind, accelerator, usable), is_chosen=True, reason="the only one"
    )


class OnlyOne:
    """A chooser of ONNX Runtime on the processor."""

    def __init__(self, plan: DetectionPlan, model: ModelSettings, *_: object) -> None:
        self._plan, self._model = plan, model

    def choose(self) -> EngineChoice:
        request = make_request(self._plan, self._model, CPU, threads=1, cache_dir=None)
        return EngineChoice(ENGINES["onnxruntime"].load(request), (chosen_on(CPU),))


class OnTwo(EngineMaker):
    """Finds a second device of the kind, and a third that cannot be used."""

    def _others(self, choice: EngineChoice) -> list[Accelerator]:
        del choice
        return [replace(CPU, index=1), Accelerator(AcceleratorKind.DLA, "none of ours", index=7)]


def maker(kind: type[EngineMaker], plan: ServePlan, gpus: Sequence[Accelerator] = ()) -> EngineMaker:
    """On a machine with these GPUs."""
    machine = Machine()
    machine.__dict__["_inventory"] = SimpleNamespace(accelerators=(CPU, *gpus))
    clock = SystemClock()
    happened = make_happened(CollectorRegistry(), clock)
    return kind(plan, machine, clock, happened, lambda _: None, choosing=cast("Any", OnlyOne))


def test_one_for_a_single_picture_and_one_for_batches_on_each_device(tmp_path: Path) -> None:
    """A device on which the engine cannot be made is left out."""
    model = build_detector("yolov8", tmp_path / "open.onnx", batch="dynamic")
    engines = maker(OnTwo, make_serve_plan(model, "--max-batch-size", "4")).make()
    sizes = {device: sorted(each) for device, each in engines.by_device.items()}
    engines.close()

    assert sizes == {"cpu 0": [1, 4], "cpu 1": [1, 4]}
    assert engines.batch == 4


@pytest.mark.parametrize("batch", [1, 4])
def test_a_model_that_fixes_its_batch_has_one_engine(batch: int, tmp_path: Path) -> None:
    """Whatever batch is asked for, it is the model's own."""
    model = build_detector("yolov8", tmp_path / "fixed.onnx", batch=batch)
    engines = maker(EngineMaker, make_serve_plan(model, "--max-batch-size", "8")).make()
    engines.close()

    assert {device: list(each) for device, each in engines.by_device.items()} == {"cpu 0": [batch]}


@pytest.mark.parametrize(("devices", "others"), [([], [0, 2]), (["--devices", "2"], [0]), (["--devices", "1"], [])])
def test_every_device_of_the_kind_serves(devices: list[str], others: list[int], tmp_path: Path) -> None:
    """Beside the one that was chosen, as many as may be."""
    plan = make_serve_plan(tmp_path / "m.onnx", *devices)
    choice = EngineChoice(cast("Any", None), (chosen_on(GPUS[1]),))

    assert [each.index for each in maker(EngineMaker, plan, GPUS)._others(choice)] == others
