"""The choice among engines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.board import board
from fakes.engine import CPU, FakeEngine
from fakes.tiny_onnx import doubled

from devices.engines.catalogue import ENGINES, Runtime
from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors, TensorSpec
from devices.errors import EngineLoadError, EngineUnavailable, ModelFileError
from devices.inventory import Accelerator, AcceleratorKind, Availability, Inventory, RuntimeStatus
from devices.measurement import Stopwatch
from devices.probe import probe
from devices.selection import Choice, candidates, choose

SPEC = TensorSpec("x", "float32", (None, 2))


class Time:
    """A clock that moves only when an engine works."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def stopwatch(self) -> Stopwatch:
        return Stopwatch(wall_s=lambda: self.now_s, processor_s=lambda: self.now_s * 2)


class Shelf:
    """Fake run-times by name, each taking so many seconds an inference, or failing to load with an error."""

    def __init__(self, time: Time, **speeds: float | Exception) -> None:
        self.opened: dict[str, FakeEngine] = {}
        self.engines: Mapping[str, Runtime] = {
            name: Runtime(self._load(name, time, speed), frozenset({AcceleratorKind.CPU}), ENGINES["openvino"].question)
            for name, speed in speeds.items()
        }

    def _load(self, name: str, time: Time, speed: float | Exception) -> Callable[[EngineRequest], Engine]:
        def answer(tensors: Tensors) -> Tensors:
            assert isinstance(speed, float)
            time.now_s += speed
            return {"y": tensors["x"]}

        def load(request: EngineRequest) -> Engine:
            if isinstance(speed, Exception):
                raise speed
            spec = EngineSpec(name, "1.0", request.accelerator, "fp32", (SPEC,), (replace(SPEC, name="y"),), "0" * 64)
            self.opened[name] = FakeEngine(spec, answer)
            return self.opened[name]

        return load


def inventory(**reasons: str) -> Inventory:
    """A machine with a CPU; the run-times named with a reason cannot be used."""
    runtimes = tuple(
        RuntimeStatus(name, "1.0", Availability(usable=not reason, reason=reason or "lists CPU"))
        for name, reason in reasons.items()
    )
    return Inventory("machine", "Linux", "3.11", None, 2.0, (CPU,), runtimes)


def request(accelerator: Accelerator) -> EngineRequest:
    return EngineRequest(Path("model.onnx"), accelerator)


def sentences(choice: Choice) -> tuple[str, ...]:
    """One a candidate."""
    return tuple(verdict.sentence for verdict in choice.verdicts)


def test_the_fastest_is_kept() -> None:
    """Each is measured, the fastest stays open, the others are closed, and every sentence has its numbers."""
    time = Time()
    shelf = Shelf(time, slow=0.0121, fast=0.0098, slower=0.02)
    found = candidates(inventory(slow="", fast="", slower=""), engines=shelf.engines)

    choice = choose(found, request, time.stopwatch(), engines=shelf.engines)

    assert choice.engine is shelf.opened["fast"]
    assert {name: engine.is_open for name, engine in shelf.opened.items()} == {
        "slow": False,
        "fast": True,
        "slower": False,
    }
    assert sentences(choice) == (
        "slow 1.0 on cpu: 12.1 ms, 24.2 ms of processor time, 1.23 times the chosen one's time",
        "fast 1.0 on cpu: 9.8 ms, 19.6 ms of processor time, chosen",
        "slower 1.0 on cpu: 20.0 ms, 40.0 ms of processor time, 2.04 times the chosen one's time",
    )
    assert choice.measurement.inferences == 7


def test_equals_keep_their_order() -> None:
    """Of two equally fast the first in order of preference is kept."""
    time = Time()
    shelf = Shelf(time, first=0.5, second=0.5)
    found = candidates(inventory(first="", second=""), engines=shelf.engines)

    choice = choose(found, request, time.stopwatch(), engines=shelf.engines)

    assert choice.engine is shelf.opened["first"]


def test_one_that_does_not_load_makes_room_for_the_next() -> None:
    """Its reason is kept in its sentence."""
    time = Time()
    shelf = Shelf(time, broken=EngineLoadError("refuses the model: no Frobnicate"), works=0.5)
    found = candidates(inventory(broken="", works=""), engines=shelf.engines)

    choice = choose(found, request, time.stopwatch(), engines=shelf.engines)

    assert choice.engine is shelf.opened["works"]
    assert sentences(choice)[0] == "broken on cpu: refuses the model: no Frobnicate"


def test_none_left() -> None:
    """With no engine at all the error has every reason."""
    time = Time()
    shelf = Shelf(time, broken=EngineLoadError("refuses the model"), missing=0.5)
    found = candidates(inventory(broken="", missing="not installed"), engines=shelf.engines)

    with pytest.raises(EngineUnavailable, match=r"broken on cpu: refuses the model; missing on cpu: not installed"):
        choose(found, request, time.stopwatch(), engines=shelf.engines)


def test_a_bad_model_is_told_at_once() -> None:
    """A file that is no model is the file's fault, not a run-time's; what is open is closed."""
    time = Time()
    shelf = Shelf(time, good=0.5, reads=ModelFileError("model.onnx: the file is empty"))
    found = candidates(inventory(good="", reads=""), engines=shelf.engines)

    with pytest.raises(ModelFileError, match="the file is empty"):
        choose(found, request, time.stopwatch(), engines=shelf.engines)

    assert not shelf.opened["good"].is_open


def test_an_engine_that_loads_and_cannot_run() -> None:
    """It is closed and the next one tried."""
    time = Time()
    shelf = Shelf(time, fails=0.5, works=0.6)
    found = candidates(inventory(fails="", works=""), engines=shelf.engines)
    feeds = itertools.chain(
        [{"x": np.zeros((1, 3), np.float32)}], itertools.repeat({"x": np.zeros((1, 2), np.float32)})
    )

    choice = choose(found, request, time.stopwatch(), feed=lambda _: next(feeds), engines=shelf.engines)

    assert choice.engine is shelf.opened["works"]
    assert not shelf.opened["fails"].is_open
    assert "input x takes float32" in sentences(choice)[0]


def test_a_name_never_falls_back() -> None:
    """An engine asked for by name is used or refused; others say that they were not asked for."""
    time = Time()
    shelf = Shelf(time, wanted=EngineLoadError("refuses the model"), other=0.5)
    found = candidates(inventory(wanted="", other=""), "wanted", shelf.engines)

    with pytest.raises(EngineUnavailable, match="other on cpu: not asked for: the engine wanted is wanted"):
        choose(found, request, time.stopwatch(), engines=shelf.engines)

    assert not shelf.opened


def test_an_unknown_name() -> None:
    """A run-time that does not exist is refused with those that do."""
    with pytest.raises(EngineUnavailable, match="no run-time called 'tensorflow'; it is auto or one of openvino"):
        candidates(inventory(), "tensorflow")


def test_candidates_of_a_board() -> None:
    """On an Orin NX the CPU engines come first; what this release does not drive and what is absent say so."""
    found = candidates(probe(board("orin_nx_16gb")))

    assert [(each.name, each.availability.usable) for each in found][:5] == [
        ("openvino on cpu", False),
        ("onnxruntime on cpu", True),
        ("nvidia_gpu", False),
        ("dla", False),
        ("dla", False),
    ]
    assert found[2].availability.reason == (
        "Jetson Orin NX 16 GB (p3767-0000), Ampere GPU is not driven by this release: only cpu is"
    )
    assert found[-1].availability.reason == "not a Mac"


def test_the_real_engines(tmp_path: Path) -> None:
    """Both real run-times are loaded and measured on a real model, and one of them computes."""
    import time  # noqa: PLC0415 - only here does the real clock matter

    path = doubled().write(tmp_path)
    found = candidates(inventory(openvino="", onnxruntime=""))

    choice = choose(found, lambda device: EngineRequest(path, device), Stopwatch(time.perf_counter, time.process_time))

    assert all(verdict.measurement is not None for verdict in choice.verdicts)
    got = choice.engine.session().infer({"x": np.ones((1, 3, 4, 5), np.float32)})
    assert (got["y"] == 3).all()
    choice.engine.close()
