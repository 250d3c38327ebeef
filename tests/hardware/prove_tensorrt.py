"""Proves the TensorRT engine on a machine with an NVIDIA GPU: builds, answers, speed, sessions, damaged plans.

Every answer is held, box for box, against ONNX Runtime's on the processor, on the same pictures, within the limits of
the precision. Nothing here fails on a time.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agent.app.engine_exam import make_exam
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.errors import SitewatchError
from agent.settings.models import DetectionSettings, ModelSettings
from devices.engines.catalogue import ENGINES
from devices.engines.engine import BuildProgress, BuildWatch, Engine, EngineRequest, Precision, Tensors
from devices.engines.image_input import engine_inputs
from devices.engines.model_file import read_model
from devices.engines.tensorrt.engine import load
from devices.engines.tensorrt.gate import check_driver
from devices.errors import DevicesError, EngineUnavailable
from devices.inventory import Accelerator, AcceleratorKind
from devices.measurement import Stopwatch
from devices.trials.exam import Exam, compare_tensors
from devices.trials.trial import Trial, answers_of, try_out_here

SAME, DIFFERS, NOT_HERE = "same", "DIFFERS", "not tried"
CPU = Accelerator(AcceleratorKind.CPU, "CPU")
NO_NVIDIA = 69  # sysexits: a service is unavailable
STOPWATCH = Stopwatch(time.perf_counter, time.process_time)
TensorRtLoad = Callable[..., Engine]


@dataclass(frozen=True)
class Row:
    """One proof: `answer` is one of the three words above."""

    model: str
    what: str
    answer: str
    told: str = ""
    ms: float | None = None


@dataclass(frozen=True, eq=False)
class Bench:
    """One model on one GPU.

    Attributes:
        plan: how it is fed and read.
        exam: the pictures, and the judge of answers.
        expected: ONNX Runtime's answers on the processor.
        request: for TensorRT in fp32, with a cache folder.
        load: the TensorRT factory.
        calibration: pictures for int8.
        foreign: a plan of another GPU, or None.
    """

    plan: DetectionPlan
    exam: Exam
    expected: tuple[Tensors, ...]
    request: EngineRequest
    load: TensorRtLoad = field(repr=False)
    calibration: Path
    foreign: Path | None


def main(arguments: Sequence[str], load: TensorRtLoad = load, gate: Callable[[], object] = check_driver) -> int:
    """Prove every model named; exit status 0 where all is the same, 1 where not, 69 where there is no NVIDIA GPU."""
    options = _options(arguments)
    try:
        gate()
    except EngineUnavailable as error:
        print(f"prove-tensorrt: {error}; run this on a machine with an NVIDIA GPU")
        return NO_NVIDIA
    gpu = Accelerator(AcceleratorKind.NVIDIA_GPU, options.name, index=options.device)
    rows: list[Row] = []
    for model in options.models:
        with tempfile.TemporaryDirectory() as folder:
            rows += _tell(_proofs(model, gpu, Path(folder), options, load))
    wrong = [row for row in rows if row.answer == DIFFERS]
    print(f"\n{len(rows)} proofs, {len(wrong)} differ, {sum(row.answer == NOT_HERE for row in rows)} not tried")
    return 1 if wrong else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prove-tensorrt", description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="ONNX detectors")
    parser.add_argument("--device", type=int, default=0, help="number of the CUDA device")
    parser.add_argument("--name", default="NVIDIA GPU", help='the device\'s name; "Jetson Orin NX" takes its preset')
    parser.add_argument("--calibration", type=Path, help="pictures for int8: a .npy file or folder, uint8 (N, h, w, 3)")
    parser.add_argument("--foreign-plan", type=Path, help="a plan that was built on another GPU")
    parser.add_argument("--inferences", type=int, default=50, help="timed inferences of each engine")
    return parser.parse_args(arguments)


def _tell(rows: Iterator[Row]) -> list[Row]:
    told = []
    for row in rows:
        ms = f"{row.ms:8.2f} ms" if row.ms is not None else " " * 11
        print(f"{row.model:28} {row.what:34} {row.answer:9} {ms}  {row.told}", flush=True)
        told.append(row)
    return told


def _proofs(
    model: Path, gpu: Accelerator, folder: Path, options: argparse.Namespace, load: TensorRtLoad
) -> Iterator[Row]:
    try:
        plan = plan_model(model, ModelSettings(path=model), DetectionSettings())
    except SitewatchError as error:
        yield Row(model.name, "read the model", DIFFERS, str(error))
        return
    exam = replace(make_exam(plan), inferences=options.inferences)
    request = EngineRequest(model, gpu, plan.image, batch=plan.engine_batch, cache_dir=folder, precision=Precision.FP32)
    reference = _trial(lambda: ENGINES["onnxruntime"].load(replace(request, accelerator=CPU, threads=4)), exam)
    yield Row(model.name, "onnxruntime on the processor", SAME, "the reference", _ms(reference))
    pictures = options.calibration or _pictures(exam, plan, folder)
    bench = Bench(plan, exam, reference.answers, request, load, pictures, options.foreign_plan)
    for proof in (_cuda, _precisions, _kept, _open_batch, _two_sessions, _damaged, _foreign):
        yield from _guarded(model.name, proof, bench)


def _guarded(name: str, proof: Callable[[Bench], Iterator[Row]], bench: Bench) -> Iterator[Row]:
    try:
        yield from proof(bench)
    except DevicesError as error:
        yield Row(name, proof.__name__.strip("_").replace("_", " "), DIFFERS, str(error))


def _cuda(bench: Bench) -> Iterator[Row]:
    what = "onnxruntime on CUDA, fp32"
    try:
        trial = _trial(lambda: ENGINES["onnxruntime"].load(bench.request), bench.exam)
    except EngineUnavailable as error:
        yield Row(bench.plan.path.name, what, NOT_HERE, str(error))
        return
    yield _judged(bench, what, trial.answers, "fp32", _ms(trial))


def _precisions(bench: Bench) -> Iterator[Row]:
    for precision in (Precision.FP32, Precision.FP16, Precision.INT8):
        what, began_s = f"tensorrt, {precision.value}", time.perf_counter()
        try:
            trial = _trial(lambda wanted=precision: _load(bench, wanted), bench.exam)
        except DevicesError as error:
            yield Row(bench.plan.path.name, what, DIFFERS, str(error))
            continue
        notes = "; ".join((f"ready after {time.perf_counter() - began_s:.0f} s", *trial.notes))
        yield _judged(bench, what, trial.answers, trial.precision, _ms(trial), notes)


def _kept(bench: Bench) -> Iterator[Row]:
    began_s = time.perf_counter()
    engine = _load(bench, Precision.FP32)
    seconds = time.perf_counter() - began_s
    answers = answers_of(engine, bench.exam)
    engine.close()
    row = _judged(bench, "tensorrt, from the cache", answers, "fp32", told=f"ready after {seconds:.1f} s")
    yield row if "taken from the engine cache" in engine.spec.notes else replace(row, answer=DIFFERS, told="was built")


def _open_batch(bench: Bench) -> Iterator[Row]:
    name, what = bench.plan.path.name, "tensorrt, batch open: 1, 4, 2, 3"
    if read_model(bench.plan.path).inputs[0].shape[0] is not None:
        yield Row(name, what, NOT_HERE, "the model fixes its batch")
        return
    engine = bench.load(replace(bench.request, batch=None))
    session = engine.session()
    single = {key: array[:1] for key, array in bench.exam.questions[0].items()}
    expected = session.infer(single)
    for count in (4, 2, 3):
        answer = session.infer({key: np.repeat(array, count, axis=0) for key, array in single.items()})
        rows = tuple({key: array[index : index + 1] for key, array in answer.items()} for index in range(count))
        found = compare_tensors((expected,) * count, rows, "fp32")
        yield Row(name, f"tensorrt, batch open: {count} as 1", SAME if found.is_within else DIFFERS, found.text)
    session.close()
    engine.close()


def _two_sessions(bench: Bench) -> Iterator[Row]:
    engine = bench.load(replace(bench.request, sessions=2))
    found: list[tuple[Tensors, ...]] = []

    def work() -> None:
        found.extend(answers_of(engine, bench.exam) for _ in range(20))

    began_s = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    ms = (time.perf_counter() - began_s) * 1e3 / max(1, len(found) * len(bench.exam.questions))
    engine.close()
    verdicts = [bench.exam.judge(bench.expected, answers, "fp32") for answers in found]
    same = len(found) == 40 and all(verdict.is_within for verdict in verdicts)
    told = f"{len(found)} rounds of both together, sessions made anew each time"
    yield Row(bench.plan.path.name, "tensorrt, two sessions at once", SAME if same else DIFFERS, told, ms)


def _damaged(bench: Bench) -> Iterator[Row]:
    """TensorRT itself gets the damaged plan: the cache's own checksum is made to fit."""
    plan = _kept_plan(bench).read_bytes()
    yield _replaced(bench, "tensorrt, a plan cut short", plan[: len(plan) // 2])
    yield _replaced(bench, "tensorrt, a plan of zeros", bytes(len(plan)))


def _foreign(bench: Bench) -> Iterator[Row]:
    what = "tensorrt, a plan of another GPU"
    if bench.foreign is None:
        yield Row(bench.plan.path.name, what, NOT_HERE, "give --foreign-plan FILE")
        return
    yield _replaced(bench, what, bench.foreign.read_bytes())


def _replaced(bench: Bench, what: str, content: bytes) -> Row:
    plan = _kept_plan(bench)
    record = plan.with_suffix(".json")
    told = json.loads(record.read_text(encoding="utf-8"))
    told["content_sha256"] = hashlib.sha256(content).hexdigest()
    plan.write_bytes(content)
    record.write_text(json.dumps(told, indent=1), encoding="utf-8")
    engine = _load(bench, Precision.FP32)
    answers = answers_of(engine, bench.exam)
    engine.close()
    row = _judged(bench, what, answers, "fp32", told="; ".join(engine.spec.notes))
    return row if any("refused" in note for note in engine.spec.notes) else replace(row, answer=DIFFERS)


def _kept_plan(bench: Bench) -> Path:
    """The plan of the request itself, in the cache."""
    inputs = repr(engine_inputs(read_model(bench.plan.path), bench.request))
    for record in bench.request.cache_dir.rglob("*.json"):  # type: ignore[union-attr]  # every bench has one
        key = json.loads(record.read_text(encoding="utf-8"))["key"]
        if (key["runtime"], key["precision"], key["inputs"]) == ("tensorrt", "fp32", inputs):
            return record.with_suffix(".engine")
    raise EngineUnavailable("no plan is in the cache")


def _load(bench: Bench, precision: Precision) -> Engine:
    calibration = bench.calibration if precision is Precision.INT8 else None
    return bench.load(replace(bench.request, precision=precision, calibration=calibration, build=BuildWatch(_told)))


def _told(progress: BuildProgress) -> None:
    part = f" {progress.fraction:4.0%}" if progress.fraction is not None else ""
    print(f"  {progress.step}{part}", end="\r", file=sys.stderr, flush=True)


def _trial(load: Callable[[], Engine], exam: Exam) -> Trial:
    return try_out_here(load, exam, STOPWATCH)


def _judged(
    bench: Bench, what: str, answers: tuple[Tensors, ...], precision: str, ms: float | None = None, told: str = ""
) -> Row:
    found = bench.exam.judge(bench.expected, answers, precision)
    words = "; ".join(filter(None, (found.text, told)))
    return Row(bench.plan.path.name, what, SAME if found.is_within else DIFFERS, words, ms)


def _ms(trial: Trial) -> float:
    return trial.measurement.median_s * 1e3


def _pictures(exam: Exam, plan: DetectionPlan, folder: Path) -> Path:
    """The exam's pictures, mirrored, darker and brighter: few, but never none."""
    plain = np.concatenate([question[plan.image.name] for question in exam.questions])
    shades = [np.clip(plain * factor, 0, 255).astype(np.uint8) for factor in (0.5, 1.0, 1.4)]
    path = folder / "calibration.npy"
    np.save(path, np.concatenate([*shades, *(shade[:, :, ::-1] for shade in shades)]))
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
