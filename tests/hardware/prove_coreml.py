"""Proves Core ML on a Mac: native models and ONNX ones through ONNX Runtime, on the Neural Engine and the GPU.

Every answer is held against the processor's on the same seeded input, within the limits of the precision. Nothing here
fails on a time. Without a model, a small network is made by coremltools itself.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from devices.engines import onnxruntime_engine
from devices.engines.coreml import engine as coreml_engine
from devices.engines.coreml.package import is_core_ml
from devices.engines.engine import BuildWatch, Engine, EngineRequest, EngineSpec, Tensors
from devices.errors import DevicesError
from devices.inventory import Accelerator, AcceleratorKind
from devices.measurement import Stopwatch
from devices.trials.exam import Exam, compare_tensors
from devices.trials.trial import Trial, try_out_here

NO_MAC = 69  # sysexits: a service is unavailable
CPU = Accelerator(AcceleratorKind.CPU, "processor")
DEVICES = (
    Accelerator(AcceleratorKind.APPLE_NEURAL_ENGINE, "Neural Engine"),
    Accelerator(AcceleratorKind.APPLE_GPU, "GPU"),
)
STOPWATCH = Stopwatch(time.perf_counter, time.process_time)
SAME, DIFFERS, FAILED = "same", "DIFFERS", "FAILED"
# A model's own float32 may be computed in float16, whatever it declares.
HALF = "fp16"


@dataclass(frozen=True)
class Row:
    """One engine on one device, first or later start."""

    what: str
    answer: str
    told: str
    load_s: float | None = None
    ms: float | None = None


def main(arguments: Sequence[str], system: Callable[[], str] = platform.system) -> int:
    """Prove every model named; exit status 0 where all is the same, 1 where not, 69 where this is no Mac."""
    parser = argparse.ArgumentParser(prog="prove-coreml", description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL", help=".mlpackage, .mlmodelc or .onnx")
    parser.add_argument("--inferences", type=int, default=50, help="timed inferences of each engine")
    parser.add_argument("--deadline", type=float, default=900.0, help="seconds that one model may be compiled for")
    options = parser.parse_args(arguments)
    if system() != "Darwin":
        print("prove-coreml: Core ML is a part of macOS, and this is another system; run this on a Mac")
        return NO_MAC
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for model in options.models or [_own_model(Path(folder))]:
            rows += _told(_proofs(model, Path(folder) / "cache", options))
    wrong = [row for row in rows if row.answer != SAME]
    print(f"\n{len(rows)} proofs, {len(wrong)} not the same")
    return 1 if wrong else 0


def _told(rows: Iterator[Row]) -> list[Row]:
    print(f"{'engine':<44} {'answer':<8} {'load s':>8} {'ms':>8}  notes")
    found = []
    for row in rows:
        load, ms = ("" if each is None else f"{each:.2f}" for each in (row.load_s, row.ms))
        print(f"{row.what:<44} {row.answer:<8} {load:>8} {ms:>8}  {row.told}", flush=True)
        found.append(row)
    return found


def _proofs(model: Path, cache: Path, options: argparse.Namespace) -> Iterator[Row]:
    print(f"\n{model.name}")
    load = coreml_engine.load if is_core_ml(model) else onnxruntime_engine.load
    build = BuildWatch(deadline_s=options.deadline)
    try:
        expected = _trial(load, EngineRequest(model, CPU, build=build), options.inferences, ())
    except DevicesError as error:
        yield Row("processor", FAILED, str(error))
        return
    yield Row("processor, the reference", SAME, "; ".join(expected.notes), *_figures(expected))
    for device in DEVICES:
        for start in ("first start", "again"):
            request = EngineRequest(model, device, cache_dir=cache, build=build)
            yield _proof(f"{device.name}, {start}", load, request, expected, options.inferences)


def _proof(
    what: str, load: Callable[[EngineRequest], Engine], request: EngineRequest, expected: Trial, inferences: int
) -> Row:
    try:
        trial = _trial(load, request, inferences, ())
    except DevicesError as error:
        return Row(what, FAILED, str(error))
    difference = compare_tensors(expected.answers, trial.answers, HALF)
    told = "; ".join((difference.text, *trial.notes))
    return Row(what, SAME if difference.is_within else DIFFERS, told, *_figures(trial))


def _trial(
    load: Callable[[EngineRequest], Engine], request: EngineRequest, inferences: int, questions: tuple[Tensors, ...]
) -> Trial:
    exam = _SeededExam(questions, compare_tensors, inferences)
    return try_out_here(lambda: load(request), exam, STOPWATCH)


class _SeededExam(Exam):
    """Asks with random tensors that are the same for every engine."""

    def questions_for(self, spec: EngineSpec) -> tuple[Tensors, ...]:
        """One question."""
        random = np.random.default_rng(7)
        question: Tensors = {}
        for each in spec.inputs:
            shape = tuple(axis or 1 for axis in each.shape)
            is_float = np.dtype(each.dtype).kind == "f"
            question[each.name] = random.random(shape).astype(each.dtype) if is_float else (
                random.integers(0, 256, shape).astype(each.dtype)
            )  # fmt: skip
        return (question,)


def _figures(trial: Trial) -> tuple[float, float]:
    return trial.measurement.load_s, trial.measurement.median_s * 1e3


def _own_model(folder: Path) -> Path:
    """Eight convolutions on 320x320, in float16, as a package."""
    import coremltools as ct  # noqa: PLC0415 - only where no model is named
    from coremltools.converters.mil import Builder  # noqa: PLC0415 - as above
    from coremltools.converters.mil.mil import types  # noqa: PLC0415 - as above

    random = np.random.default_rng(1)

    @Builder.program(
        input_specs=[Builder.TensorSpec(shape=(1, 3, 320, 320), dtype=types.fp32)], opset_version=ct.target.iOS16
    )
    def network(image: object) -> object:
        channels, last = 3, image
        for step in range(8):
            weights = (random.standard_normal((32, channels, 3, 3)) / (9 * channels) ** 0.5).astype(np.float32)
            strides = [2, 2] if step in (0, 3, 6) else [1, 1]
            last = Builder.relu(x=Builder.conv(x=last, weight=weights, strides=strides, pad_type="same"))
            channels = 32
        return Builder.identity(x=last, name="features")

    made = ct.convert(
        network,
        convert_to="mlprogram",
        minimum_deployment_target=ct.target.iOS16,
        compute_precision=ct.precision.FLOAT16,
        skip_model_load=True,
    )
    path = folder / "eight-convolutions.mlpackage"
    made.save(str(path))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
