"""What every engine promises, held by the TensorRT adapter over fakes of TensorRT and CUDA that really compute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from contracts.test_engine_contract import (  # noqa: F401 - collected here, over the `bench` below
    Bench,
    test_a_batch_can_be_fixed,
    test_a_missing_file_is_refused,
    test_a_session_outlives_its_engines_close,
    test_an_open_batch_takes_any,
    test_closing_twice,
    test_inputs_may_be_read_only_or_strided,
    test_it_computes_the_model,
    test_no_model_is_refused,
    test_results_are_the_callers,
    test_the_spec_fits_what_goes_in_and_out,
    test_two_sessions_at_once,
    test_wrong_tensors_are_refused,
)
from fakes.nvidia_machine import GPU, nvidia_machine
from fakes.tensorrt_names import VERSIONS
from fakes.tiny_onnx import TinyModel

from devices.engines.engine import Engine, EngineRequest, Precision


@pytest.fixture(params=[VERSIONS[0], VERSIONS[-1]])
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    opened: list[Engine] = []
    with nvidia_machine(monkeypatch, request.param) as machine:

        def load(tiny: TinyModel, **options: object) -> Engine:
            model = tiny.write(tmp_path)
            opened.append(machine.load(EngineRequest(model, GPU, precision=Precision.FP32, **options)))
            return opened[-1]

        yield Bench(load)
        for engine in opened:
            engine.close()
        machine.assert_clean()
