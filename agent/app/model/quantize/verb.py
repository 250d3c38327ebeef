"""`sitewatch model quantize`."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from agent.app.model.evaluate.bars import Bars
from agent.app.model.evaluate.model_options import model_settings
from agent.app.model.export.result_file import ResultFile
from agent.app.model.quantize.report import as_json, as_text
from agent.app.quiet import quiet_libraries
from agent.app.saying import say
from agent.detect.detection_plan import DetectionPlan, plan_model
from agent.errors import RefusedResultError, ToolInputError, ToolUnavailableError
from agent.models.evaluate.coco_folder import CocoFolder, read_coco_folder
from agent.models.evaluate.engine_use import EngineUse, processors
from agent.models.evaluate.picture_files import read_frame
from agent.models.evaluate.scoring import require_evaluator
from agent.models.input_errors import told_as_input
from agent.models.quantize.accuracy import Accuracy, worst_loss
from agent.models.quantize.calibration_pictures import CalibrationSet, gather, refuse_scored
from agent.models.quantize.int8_search import Files, laid_out
from agent.models.quantize.outcome import InFloat, Outcome
from agent.models.quantize.quantizing import NNCF, ONNXRUNTIME, Order, Watch, quantise, questions_in
from agent.models.quantize.speed import Timed, compare_speed
from agent.service.exit_codes import ExitCode
from agent.settings.models import DetectionSettings, ModelSettings
from agent.stream.frame import Frame
from devices.engines.catalogue import availability
from devices.engines.openvino.ir_file import SUFFIX, is_ir, weights_of
from devices.models.calibration_cache import cache_text, version_number
from devices.models.calibration_histogram import Range
from devices.models.half import as_half
from devices.models.onnx_whole import whole_bytes
from devices.models.qdq_audit import audit
from devices.probes.root import this_machine


def main(options: argparse.Namespace) -> int:
    """Quantise, score, time, write.

    Raises:
        SitewatchError: something given cannot be used, too much is lost, or a file cannot be written.
    """
    quiet_libraries()
    _refuse_wrong(options)
    settings = model_settings(options, options.model)
    plan = plan_model(settings.path, settings, DetectionSettings())
    folder = _folder(options)
    with ExitStack() as stack:
        files = {path: stack.enter_context(ResultFile(path)) for path in _paths(options)}
        bars = stack.enter_context(Bars(""))
        work = _Work(options, settings, plan, folder, bars)
        with told_as_input(options.model):
            contents, outcome = work.half() if options.to == "fp16" else work.int8()
        for path, file in files.items():
            file.write(contents[path])
    sizes = tuple((path, len(contents[path])) for path in files)
    outcome = replace(outcome, written=sizes)
    say(as_json(outcome) if options.json else as_text(outcome))
    return ExitCode.OK


class _Work:
    """One order, carried out."""

    def __init__(
        self,
        options: argparse.Namespace,
        settings: ModelSettings,
        plan: DetectionPlan,
        folder: CocoFolder | None,
        bars: Bars,
    ) -> None:
        self._options = options
        self._settings = settings
        self._plan = plan
        self._folder = folder
        self._bars = bars
        self._uses = _uses(options)

    def half(self) -> tuple[Mapping[Path, bytes], Outcome]:
        """The model in float16."""
        content = whole_bytes(self._options.out, as_half(self._options.model))
        outcome = self._outcome("fp16")
        accuracy = self._accuracy()
        with laid_out({".onnx": content}) as path:
            scores = accuracy.of(path, "fp16") if accuracy else ()
            if scores and worst_loss(scores) > self._options.max_loss:
                raise RefusedResultError(
                    f"{worst_loss(scores):.4f} AP is lost on the worst engine, {self._options.max_loss:g} is allowed; "
                    "nothing was written"
                )
            plan_model(path, self._settings.model_copy(update={"path": path}), DetectionSettings())
        return {self._options.out: content}, replace(outcome, scores=scores)

    def int8(self) -> tuple[Mapping[Path, bytes], Outcome]:
        """The model in int8, and what else is asked for."""
        options, plan = self._options, self._plan
        counted = partial(self._bars.at, "pictures")
        pictures = gather(options.pictures, plan, options.count, interval_s=options.interval, progress=counted)
        if self._folder is not None:
            refuse_scored(pictures, plan, _frames(self._folder))
        found, ranges = quantise(plan, pictures, self._order(), self._accuracy(), Watch(self._bars.at, _told))
        with laid_out(found.files) as path:
            settings = self._settings.model_copy(update={"path": path, "family": plan.family})
            plan_model(path, settings, DetectionSettings())
            timed = self._timed(path, pictures)
        outcome = replace(
            self._outcome("int8"),
            how=f"{options.method}, for {'openvino' if options.method == NNCF else options.target}",
            pictures=f"calibrated on {pictures.origin}",
            int8_layers=len(found.layers),
            in_float=tuple(InFloat(cost.layer.name, cost.apart) for cost in found.in_float),
            scores=found.scores,
            apart=found.apart,
            timed=timed,
            complaints=_complaints(found.files),
        )
        made = {options.out.with_suffix(ending): content for ending, content in found.files.items()}
        return {**made, **self._beside(pictures, ranges)}, outcome

    def _outcome(self, precision: str) -> Outcome:
        told = "" if self._folder is None else f"scored on {self._folder.told()}"
        size = self._options.model.stat().st_size
        return Outcome(self._options.model, self._plan.family, (), size, precision, dataset=told)

    def _order(self) -> Order:
        options = self._options
        return Order(
            options.method,
            options.percentile,
            options.target,
            options.max_loss,
            tuple(options.keep_float),
            options.threads or processors(),
            sees_all=options.tensorrt_cache is not None,
        )

    def _accuracy(self) -> Accuracy | None:
        if self._folder is None:
            return None
        require_evaluator()
        return Accuracy(
            self._folder, self._uses, self._settings, self._plan.family, self._options.threads, self._bars.at
        )

    def _timed(self, path: Path, pictures: CalibrationSet) -> tuple[Timed, ...]:
        if self._options.no_timing:
            return ()
        question = questions_in(self._plan, pictures).tensors[0]
        return compare_speed(self._plan, path, self._uses, question, partial(self._bars.at, "comparing the speed"))

    def _beside(self, pictures: CalibrationSet, ranges: Mapping[str, Range]) -> Mapping[Path, bytes]:
        beside: dict[Path, bytes] = {}
        if self._options.save_set is not None:
            stream = io.BytesIO()
            np.save(stream, pictures.pixels, allow_pickle=False)
            beside[self._options.save_set] = stream.getvalue()
        if self._options.tensorrt_cache is not None:
            beside[self._options.tensorrt_cache] = cache_text(self._options.tensorrt_version, ranges).encode()
        return beside


def _refuse_wrong(options: argparse.Namespace) -> None:
    if options.to == "int8" and not options.pictures:
        raise ToolInputError("int8 needs pictures to take ranges from: --pictures FOLDER, a clip or a camera's address")
    if options.to == "fp16" and (options.pictures or options.save_set or options.tensorrt_cache):
        raise ToolInputError("fp16 takes no ranges: --pictures, --save-set and --tensorrt-cache go with --to int8")
    if bool(options.tensorrt_cache) != bool(options.tensorrt_version):
        raise ToolInputError("--tensorrt-cache and --tensorrt-version go together: a cache names the version it is for")
    if options.tensorrt_version:
        try:
            version_number(options.tensorrt_version)
        except ValueError as error:
            raise ToolInputError(f"--tensorrt-version: {error}") from error
    ending = SUFFIX if options.to == "int8" and options.method == NNCF else ".onnx"
    if options.out.suffix != ending:
        raise ToolInputError(f"--out {options.out}: what is written here ends in {ending}")
    paths = [path.resolve() for path in (options.model, *_paths(options))]
    if len(set(paths)) < len(paths):
        raise ToolInputError("the files to write and the model must have names of their own; nothing is overwritten")


def _paths(options: argparse.Namespace) -> tuple[Path, ...]:
    weights = weights_of(options.out) if is_ir(options.out) else None
    beside = (weights, options.save_set, options.tensorrt_cache)
    return (options.out, *(path for path in beside if path is not None))


def _uses(options: argparse.Namespace) -> tuple[EngineUse, ...]:
    """The engines of the processor that the result is for: ONNX Runtime, and OpenVINO where it is installed."""
    has_openvino = availability("openvino", this_machine(sys.executable)).availability.usable
    if options.to == "int8" and options.method == NNCF:
        if not has_openvino:
            raise ToolUnavailableError("nncf quantises for OpenVINO, which is not here: pip install 'sitewatch[intel]'")
        return (EngineUse("openvino"),)
    if has_openvino and options.target != ONNXRUNTIME:
        return (EngineUse("onnxruntime"), EngineUse("openvino"))
    return (EngineUse("onnxruntime"),)


def _folder(options: argparse.Namespace) -> CocoFolder | None:
    return None if options.dataset is None else read_coco_folder(options.dataset, options.annotations, options.limit)


def _frames(folder: CocoFolder) -> Iterator[Frame]:
    return (read_frame(picture) for picture in folder.pictures)


def _told(sentence: str) -> None:
    print(f"sitewatch: {sentence}", file=sys.stderr)


def _complaints(files: Files) -> tuple[str, ...]:
    """What TensorRT would refuse; nothing of a model in another format, which is not for it."""
    content = files.get(".onnx")
    return () if content is None else audit(onnx.load_from_string(content))
