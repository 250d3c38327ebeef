"""Exports a module, and holds the graph against it before anybody gets it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from agent.errors import OutputError, RefusedResultError, ToolInputError
from agent.models.export.comparing import Gap, gap, greatest
from agent.models.export.exported import Exported, ExportRequest
from agent.models.export.input_spec import InputSpec
from agent.models.export.torch_errors import told_as_export
from agent.models.export.trials import Trial, make_trials, noise_trial
from devices.engines.engine import Tensors
from devices.engines.model_file import ModelFile, read_model
from devices.errors import DevicesError, InferenceError
from devices.models.onnx_check import check_valid
from devices.models.onnx_running import OnnxRun
from devices.models.onnx_whole import whole_bytes
from devices.models.torch_export import GraphNames, export_graph, exporter
from devices.models.torch_model import Answer, TorchModel, compared_versions

Told = Callable[[str], None]
# Of a 400-operator detector, sums in another order moved an element by 2e-4; a wrong graph is off by far more.
TOLERANCE, HALF_TOLERANCE = 1e-3, 1e-2
TRACED_BATCH = 2  # an open batch of 1 would be taken for an axis that is always 1


def export(
    model: TorchModel, request: ExportRequest, rng: np.random.Generator, told: Told = lambda _step: None
) -> Exported:
    """The module as ONNX, and how far it is from PyTorch. Writes nothing; see `Exported.refusal`.

    Args:
        model: what to export.
        request: how.
        rng: draws the noise of the trials.
        told: hears of every step.

    Raises:
        ToolInputError: the module does not take these inputs, or cannot be exported.
        RefusedResultError: the graph is not sound, or does not run where the module does.
        ToolUnavailableError: PyTorch or what it exports with is not installed.
        OutputError: there is no room for a copy while it is compared.
    """
    with told_as_export():
        specs = _named(model, request)
        trials = make_trials(specs, request.pictures, rng, is_batch_open=request.is_batch_open)
        told("running the module")
        answers = [model.answer(trial.arrays) for trial in trials]
        _require_steady(model, trials[0], answers)
        names = _names(specs, request, answers)
        told(f"exporting with {exporter(model, request.opset)}")
        rows = max(specs[0].shape[0], TRACED_BATCH) if request.is_batch_open else specs[0].shape[0]
        proto = export_graph(model, noise_trial("example", specs, rows, rng).arrays, names, request.opset)
        told("comparing")
        exported = _checked(model, names, proto, list(zip(trials, answers, strict=True)))
        usual = HALF_TOLERANCE if model.is_half or any(spec.dtype == "float16" for spec in specs) else TOLERANCE
        return replace(exported, tolerance=usual if request.tolerance is None else request.tolerance)


def _named(model: TorchModel, request: ExportRequest) -> tuple[InputSpec, ...]:
    own = model.input_names(len(request.inputs))
    specs = tuple(replace(spec, name=spec.name or name) for spec, name in zip(request.inputs, own, strict=True))
    if request.is_batch_open and len({spec.shape[0] for spec in specs}) > 1:
        told = ", ".join(f"{spec.name} {'x'.join(map(str, spec.shape))}" for spec in specs)
        raise ToolInputError(f"with an open batch, the first axis of every input is the batch, and is alike: {told}")
    return specs


def _require_steady(model: TorchModel, trial: Trial, answers: Sequence[Answer]) -> None:
    """Nothing can be compared with what is another each time."""
    counts = {len(answer.arrays) for answer in answers}
    if counts != {len(answers[0].arrays)} or not answers[0].arrays:
        raise ToolInputError(f"{model.name} gives {' or '.join(map(str, sorted(counts)))} tensors; a graph's are fixed")
    again = model.answer(trial.arrays)
    pairs = zip(answers[0].arrays, again.arrays, strict=True)
    if not all(np.array_equal(one, other, equal_nan=one.dtype.kind == "f") for one, other in pairs):
        raise ToolInputError(
            f"{model.name} answers the same input differently each time, in eval mode too: it draws at random "
            "(dropout that is always on, or a TorchScript recorded in training)"
        )


def _names(specs: Sequence[InputSpec], request: ExportRequest, answers: Sequence[Answer]) -> GraphNames:
    count = len(answers[0].arrays)
    usual = ("output",) if count == 1 else tuple(f"output{number}" for number in range(count))
    outputs = request.outputs or answers[0].names or usual
    if len(outputs) != count:
        raise ToolInputError(f"found {len(outputs)} output names, {', '.join(outputs)}; the module gives {count}")
    inputs = tuple(spec.name for spec in specs)
    if len({*inputs, *outputs}) != len(inputs) + count:
        raise ToolInputError(f"two of the graph's inputs and outputs share a name: {', '.join((*inputs, *outputs))}")
    batched = tuple(_follows_batch([answer.arrays[place].shape for answer in answers]) for place in range(count))
    return GraphNames(inputs, outputs, batched, request.is_batch_open)


def _follows_batch(shapes: Sequence[tuple[int, ...]]) -> bool:
    return len({shape[:1] for shape in shapes}) > 1


def _checked(
    model: TorchModel, names: GraphNames, proto: onnx.ModelProto, asked: Sequence[tuple[Trial, Answer]]
) -> Exported:
    left = {value.name for value in proto.graph.input}
    if lost := [name for name in names.inputs if name not in left]:
        raise ToolInputError(f"input {lost[0]} changes nothing in the answers of {model.name}; the graph has no such")
    with tempfile.TemporaryDirectory(prefix="sitewatch-") as folder:
        file = Path(folder) / "exported.onnx"
        try:
            content = whole_bytes(file, proto)
            check_valid(file, proto)
            _keep(file, content)
            declared, run = read_model(file), OnnxRun(file, optimised=True)
        except DevicesError as error:
            told = " ".join(str(error).replace(f"{file}: ", "").replace(str(file), "it").split())
            raise RefusedResultError(f"the graph that PyTorch wrote of {model.name} is not sound: {told}") from error
        _require_open(model, names, declared)
        gaps = _gaps(run, names, asked)
    return Exported(
        content=content,
        module=model.name,
        parameters=model.parameter_count,
        way=exporter(model, _opset(proto)),
        opset=_opset(proto),
        nodes=len(proto.graph.node),
        inputs=declared.inputs,
        outputs=declared.outputs,
        trials=len(asked),
        batches=tuple(sorted({trial.batch for trial, _ in asked})),
        gaps=gaps,
        tolerance=TOLERANCE,
        versions=compared_versions(),
    )


def _require_open(model: TorchModel, names: GraphNames, declared: ModelFile) -> None:
    fixed = [spec for spec in declared.inputs if spec.shape and spec.shape[0] is not None]
    if names.is_batch_open and fixed:
        raise RefusedResultError(
            f"the graph of {model.name} takes a batch of {fixed[0].shape[0]} only, though an open one was asked for: "
            f"the module uses its batch as a plain number, as int({fixed[0].name}.shape[0]) is; nothing was written"
        )


def _keep(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{file.parent} cannot hold the graph while it is compared: {error.strerror}") from error


def _gaps(run: OnnxRun, names: GraphNames, asked: Sequence[tuple[Trial, Answer]]) -> tuple[Gap, ...]:
    found: dict[str, list[Gap]] = {name: [] for name in names.outputs}
    for trial, answer in asked:
        got = _answer(run, names, trial)
        for name, array in zip(names.outputs, answer.arrays, strict=True):
            found[name].append(gap(name, f"{trial.name}, batch {trial.batch}", array, got[name]))
    return tuple(greatest(each) for each in found.values())


def _answer(run: OnnxRun, names: GraphNames, trial: Trial) -> Tensors:
    try:
        return run.answer(dict(zip(names.inputs, trial.arrays, strict=True)))
    except InferenceError as error:
        raise RefusedResultError(
            f"the graph does not run where the module does, on {trial.name} of batch {trial.batch}: "
            f"{' '.join(str(error).split())}; nothing was written"
        ) from error


def _opset(proto: onnx.ModelProto) -> int:
    return next((each.version for each in proto.opset_import if each.domain in {"", "ai.onnx"}), 0)
