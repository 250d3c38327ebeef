"""The choice among engines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fakes.engine import CPU, FakeEngine

from devices.candidates import candidates
from devices.engines.catalogue import ENGINES, Runtime
from devices.engines.engine import Engine, EngineRequest, EngineSpec, Tensors, TensorSpec
from devices.errors import EngineLoadError, EngineUnavailable, InferenceError, ModelFileError
from devices.inventory import Accelerator, AcceleratorKind, Availability, Inventory, RuntimeStatus
from devices.measurement import Stopwatch
from devices.selection import Choice, Policy, choose
from devices.trials.exam import Exam, compare_tensors
from devices.trials.trial import Trial, try_out_here

SPEC = TensorSpec("x", "float32", (None, 2))
EXAM = Exam(({"x": np.array([[1.0, 2.0]], np.float32)},), compare_tensors)


class Shelf:
    """Fake run-times by name; each takes so many seconds an inference, or fails to load with an error.

    Attributes:
        gain: what a run-time multiplies with, for those that compute wrong.
        share: processor time a run-time takes, as part of the time.
        breaks: run-times that fail when loaded after their trial.
    """

    def __init__(self, **speeds: float | Exception) -> None:
        self.now_s = 0.0
        self.spent_s = 0.0
        self.gain: dict[str, float] = {}
        self.share: dict[str, float] = {}
        self.breaks: set[str] = set()
        self.tried: list[str] = []
        self.opened: dict[str, FakeEngine] = {}
        self.engines: Mapping[str, Runtime] = {
            name: Runtime(self._load(name, speed), {AcceleratorKind.CPU: ""}, ENGINES["openvino"].question)
            for name, speed in speeds.items()
        }

    def try_out(self, runtime: str, request: EngineRequest, exam: Exam) -> Trial:
        """In this process, with clocks that move only when an engine works."""
        self.tried.append(runtime)
        stopwatch = Stopwatch(lambda: self.now_s, lambda: self.spent_s)
        return try_out_here(lambda: self.engines[runtime].load(request), exam, stopwatch)

    def _load(self, name: str, speed: float | Exception) -> Callable[[EngineRequest], Engine]:
        def answer(tensors: Tensors) -> Tensors:
            assert isinstance(speed, float)
            self.now_s += speed
            self.spent_s += speed * self.share.get(name, 1.0)
            return {"y": tensors["x"] * np.float32(self.gain.get(name, 1.0))}

        def load(request: EngineRequest) -> Engine:
            if isinstance(speed, Exception):
                raise speed
            if name in self.breaks and name in self.opened:
                raise EngineLoadError("the device is gone")
            spec = EngineSpec(name, "1.0", request.accelerator, "fp32", (SPEC,), (replace(SPEC, name="y"),), "0" * 64)
            self.opened[name] = FakeEngine(spec, answer)
            return self.opened[name]

        return load


def inventory(**reasons: str) -> Inventory:
    """A machine with a CPU; the run-times named with a reason cannot be used."""
    runtimes = tuple(
        RuntimeStatus(name, "1.0", Availability(usable=not reason, reason=reason or "lists CPU"), ("CPU",))
        for name, reason in reasons.items()
    )
    return Inventory("machine", "Linux", "3.11", None, 2.0, (CPU,), runtimes)


def request(accelerator: Accelerator) -> EngineRequest:
    return EngineRequest(Path("model.onnx"), accelerator)


def chosen(shelf: Shelf, wanted: str = "auto", policy: Policy = Policy.FASTEST, **reasons: str) -> Choice:
    """On a machine where every run-time of the shelf is there, unless a reason is given."""
    machine = inventory(**{name: reasons.get(name, "") for name in shelf.engines})
    found = candidates(machine, wanted, shelf.engines)
    return choose(found, request, EXAM, shelf.try_out, policy=policy, engines=shelf.engines)


def sentences(choice: Choice) -> tuple[str, ...]:
    """One a candidate."""
    return tuple(verdict.sentence for verdict in choice.verdicts)


def test_the_fastest_is_kept() -> None:
    """Each is tried and closed, the fastest loaded again, and every sentence has its numbers."""
    shelf = Shelf(slow=0.0121, fast=0.0098, slower=0.02)

    choice = chosen(shelf)

    assert choice.engine is shelf.opened["fast"]
    assert {name: engine.is_open for name, engine in shelf.opened.items()} == {
        "slow": False, "fast": True, "slower": False,
    }  # fmt: skip
    assert sentences(choice) == (
        "slow 1.0 on cpu: 12.1 ms, 12.1 ms of processor time, 1.23 times the chosen one's time",
        "fast 1.0 on cpu: 9.8 ms, 9.8 ms of processor time, chosen",
        "slower 1.0 on cpu: 20.0 ms, 20.0 ms of processor time, 2.04 times the chosen one's time",
    )
    assert choice.chosen.candidate.runtime == "fast"
    assert choice.chosen.measurement is not None
    assert choice.chosen.measurement.inferences == 7


def test_equals_keep_their_order() -> None:
    """Of two equally fast the first in order of preference is kept."""
    shelf = Shelf(first=0.5, second=0.5)

    assert chosen(shelf).engine is shelf.opened["first"]


def test_the_efficient_one_may_be_slower() -> None:
    """By that policy the least processor time wins, as of an accelerator that works while the processor rests."""
    shelf = Shelf(processor=0.01, npu=0.015)
    shelf.share["npu"] = 0.1

    assert chosen(shelf).engine is shelf.opened["processor"]
    assert chosen(shelf, policy=Policy.EFFICIENT).engine is shelf.opened["npu"]


def test_one_that_computes_otherwise_is_refused_with_numbers() -> None:
    """However fast it is; it is compared with ONNX Runtime on the processor."""
    shelf = Shelf(wrong=0.001, onnxruntime=0.5)
    shelf.gain["wrong"] = 1.5

    choice = chosen(shelf)

    assert choice.engine is shelf.opened["onnxruntime"]
    assert sentences(choice)[0] == (
        "wrong 1.0 on cpu: 1.0 ms, 1.0 ms of processor time, refused: differs by 1.0e+00 of the range of y"
    )
    assert choice.verdicts[0].is_refused


def test_without_the_reference_nothing_is_compared() -> None:
    """Where ONNX Runtime cannot be tried, the others are trusted as they are."""
    shelf = Shelf(other=0.5, onnxruntime=EngineLoadError("refuses the model"))

    assert chosen(shelf).engine is shelf.opened["other"]


def test_one_that_does_not_load_makes_room_for_the_next() -> None:
    """Its reason is kept in its sentence."""
    shelf = Shelf(broken=EngineLoadError("refuses the model: no Frobnicate"), works=0.5)

    choice = chosen(shelf)

    assert choice.engine is shelf.opened["works"]
    assert sentences(choice)[0] == "broken on cpu: refuses the model: no Frobnicate"
    assert choice.verdicts[0].is_refused


def test_one_that_passes_and_then_breaks_makes_room_too() -> None:
    """What was tried well may still not load in the agent: the next best is taken."""
    shelf = Shelf(fast=0.1, slow=0.5)
    shelf.breaks = {"fast"}

    choice = chosen(shelf)

    assert choice.engine is shelf.opened["slow"]
    assert sentences(choice)[0] == "fast on cpu: passed its trial, but not as the agent's engine: the device is gone"


def test_none_left() -> None:
    """With no engine at all the error has every reason."""
    shelf = Shelf(broken=EngineLoadError("refuses the model"), missing=0.5)

    with pytest.raises(EngineUnavailable, match=r"broken on cpu: refuses the model; missing on cpu: not installed"):
        chosen(shelf, missing="not installed")


def test_a_bad_model_is_told_at_once() -> None:
    """A file that is no model is the file's fault, not a run-time's."""
    shelf = Shelf(good=0.5, reads=ModelFileError("model.onnx: the file is empty"))

    with pytest.raises(ModelFileError, match="the file is empty"):
        chosen(shelf)

    assert not shelf.opened["good"].is_open


def test_an_engine_that_loads_and_cannot_run() -> None:
    """It is closed and the next one tried."""
    shelf = Shelf(works=0.6, fails=0.5)
    real = shelf.try_out

    def try_out(runtime: str, request: EngineRequest, exam: Exam) -> Trial:
        if runtime == "fails":
            raise InferenceError("fake: inference failed")
        return real(runtime, request, exam)

    found = candidates(inventory(works="", fails=""), engines=shelf.engines)
    choice = choose(found, request, EXAM, try_out, engines=shelf.engines)

    assert choice.engine is shelf.opened["works"]
    assert sentences(choice)[1] == "fails on cpu: fake: inference failed"


def test_a_name_never_falls_back() -> None:
    """An engine asked for by name is used or refused; others are not even tried."""
    shelf = Shelf(wanted=EngineLoadError("refuses the model"), other=0.5)

    with pytest.raises(EngineUnavailable, match="other on cpu: not asked for"):
        chosen(shelf, "wanted")

    assert shelf.tried == ["wanted"]


def test_a_name_is_compared_all_the_same() -> None:
    """ONNX Runtime is tried for its answers, and says that it was not asked for."""
    shelf = Shelf(openvino=0.5, onnxruntime=0.1)

    choice = chosen(shelf, "openvino")

    assert choice.engine is shelf.opened["openvino"]
    assert choice.verdicts[0].difference is not None
    assert sentences(choice)[1].endswith("not asked for; the others are compared with it")
